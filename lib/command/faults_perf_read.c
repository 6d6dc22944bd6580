/* What the kernel has written to the rings: taken out, and put in the order of its times. */
#include "faults_perf_rings.h"

#include "memory.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

void faults_perf_wait(const struct faults_perf *perf, int wake, int timeout_ms)
{
    struct pollfd *files = allocate((perf->rings + 1) * sizeof(*files));

    for (size_t i = 0; i < perf->rings; i++)
        files[i] = (struct pollfd){.fd = perf->ring[i].fd[FAULTS_MINOR], .events = POLLIN};
    files[perf->rings] = (struct pollfd){.fd = wake, .events = POLLIN};
    (void)poll(files, (nfds_t)perf->rings + 1, timeout_ms);
    free(files);
}

static void *grown(void *old, size_t used, size_t bytes)
{
    void *larger = allocate(bytes);

    if (used)
        memcpy(larger, old, used);
    free(old);
    return larger;
}

static size_t take_ring(struct faults_perf *perf, const struct faults_ring *ring, size_t length)
{
    uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
    uint64_t tail = ring->page->data_tail;
    size_t count = (size_t)(head - tail);
    size_t from = (size_t)(tail % perf->ring_bytes);
    size_t until_end = perf->ring_bytes - from;

    if (count > perf->ring_bytes)
        count = 0;
    if (length + count > perf->bytes_size) {
        perf->bytes_size = 2 * (length + count);
        perf->bytes = grown(perf->bytes, length, perf->bytes_size);
    }
    if (count <= until_end) {
        memcpy(perf->bytes + length, ring->data + from, count);
    } else {
        memcpy(perf->bytes + length, ring->data + from, until_end);
        memcpy(perf->bytes + length + until_end, ring->data, count - until_end);
    }
    __atomic_store_n(&ring->page->data_tail, head, __ATOMIC_RELEASE);
    return length + count;
}

static const struct perf_event_header *record_at(const struct faults_perf *perf, size_t at)
{
    return (const struct perf_event_header *)(const void *)(perf->bytes + at);
}

static void find_records(struct faults_perf *perf, size_t length)
{
    size_t at = 0;

    while (length - at >= sizeof(struct perf_event_header)) {
        const struct perf_event_header *header = record_at(perf, at);

        if (header->size < sizeof(*header) || header->size > length - at)
            return;
        if (perf->count == perf->place_size) {
            perf->place_size = 2 * perf->place_size + 256;
            perf->place = grown(perf->place, perf->count * sizeof(*perf->place),
                                perf->place_size * sizeof(*perf->place));
        }
        perf->place[perf->count++] =
            (struct faults_record_place){.time_ns = faults_record_time(header), .at = at};
        at += header->size;
    }
}

static int by_time(const void *a, const void *b)
{
    const struct faults_record_place *first = a;
    const struct faults_record_place *second = b;

    if (first->time_ns != second->time_ns)
        return first->time_ns < second->time_ns ? -1 : 1;
    return (first->at > second->at) - (first->at < second->at);
}

size_t faults_perf_take(struct faults_perf *perf)
{
    size_t length = 0;

    perf->count = 0;
    perf->at = 0;
    for (size_t i = 0; i < perf->rings; i++)
        length = take_ring(perf, &perf->ring[i], length);
    find_records(perf, length);
    if (perf->count)
        qsort(perf->place, perf->count, sizeof(*perf->place), by_time);
    return perf->count;
}

bool faults_perf_next(struct faults_perf *perf, struct faults_record *ret_record)
{
    while (perf->at < perf->count) {
        if (!faults_record_read(record_at(perf, perf->place[perf->at++].at), ret_record))
            continue;
        if (ret_record->kind == FAULTS_MINOR)
            ret_record->kind = faults_perf_kind(perf, ret_record->id);
        return true;
    }
    return false;
}
