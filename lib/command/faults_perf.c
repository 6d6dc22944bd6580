#include "faults_perf_rings.h"

#include "faults_refused.h"
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* All rings together have no more than this, and each no more than that; both are powers of two.
 * A sample has some 700 bytes. */
enum { ALL_RINGS_BYTES = 16 << 20, RING_BYTES = 4 << 20, RING_BYTES_LEAST = 16 << 10 };

static char brought_filter[] = "(gfp_flags & 0x8) && (gfp_flags & 0x100)";

/* PERF_FORMAT_LOST, which older headers do not have. */
enum { FORMAT_LOST = 1 << 4 };

static void close_ring(const struct faults_perf *perf, struct faults_ring *ring)
{
    if (ring->page)
        (void)munmap(ring->page, perf->ring_bytes + (size_t)getpagesize());
    for (int i = 0; i < FAULTS_EVENTS; i++)
        if (ring->fd[i] >= 0)
            (void)close(ring->fd[i]);
}

static struct perf_event_attr attributes(const struct faults_perf *perf, enum faults_kind kind)
{
    struct perf_event_attr attr = {
        .size = sizeof(attr),
        .type = PERF_TYPE_SOFTWARE,
        .config =
            kind == FAULTS_MINOR ? PERF_COUNT_SW_PAGE_FAULTS_MIN : PERF_COUNT_SW_PAGE_FAULTS_MAJ,
        .sample_period = 1,
        .sample_type =
            PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ADDR | PERF_SAMPLE_ID,
        .read_format = perf->tells_lost ? FORMAT_LOST : 0,
        .disabled = 1,
        .inherit = 1,
        .enable_on_exec = 1,
        .exclude_kernel = perf->user_only,
        .exclude_hv = 1,
        .sample_id_all = 1,
        .watermark = 1,
        .wakeup_watermark = (uint32_t)perf->ring_bytes / 4,
        .use_clockid = 1,
        .clockid = CLOCK_MONOTONIC,
    };

    if (faults_register_mask()) {
        attr.sample_type |= PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER;
        attr.sample_regs_user = faults_register_mask();
        attr.sample_stack_user = FAULTS_STACK_BYTES;
    }
    /* What else is told, is told once. */
    if (kind == FAULTS_MINOR) {
        attr.mmap = 1;
        attr.mmap_data = 1;
        attr.mmap2 = 1;
        attr.comm = 1;
        attr.comm_exec = 1;
        attr.task = 1;
    }
    if (kind == FAULTS_BROUGHT) {
        attr.type = PERF_TYPE_TRACEPOINT;
        attr.config = (unsigned)perf->tracepoint;
    }
    return attr;
}

static int open_event(struct faults_perf *perf, struct faults_ring *ring, int cpu,
                      enum faults_kind kind)
{
    struct perf_event_attr attr = attributes(perf, kind);
    uint64_t id;
    int fd = (int)syscall(SYS_perf_event_open, &attr, 0, cpu, -1, PERF_FLAG_FD_CLOEXEC);

    if (fd < 0)
        return -errno;
    ring->fd[kind] = fd;
    if (ioctl(fd, PERF_EVENT_IOC_ID, &id))
        return -errno;
    perf->id[perf->ids++] = (struct faults_event_id){.id = id, .kind = kind};
    return 0;
}

/* Zeroed pages that can be moved: those are programs' own memory, and neither files nor what the
 * kernel has for itself. */
static int open_tracepoint(struct faults_perf *perf, struct faults_ring *ring, int cpu)
{
    int error = open_event(perf, ring, cpu, FAULTS_BROUGHT);

    if (!error && ioctl(ring->fd[FAULTS_BROUGHT], PERF_EVENT_IOC_SET_FILTER, brought_filter))
        error = -errno;
    if (!error &&
        ioctl(ring->fd[FAULTS_BROUGHT], PERF_EVENT_IOC_SET_OUTPUT, ring->fd[FAULTS_MINOR]))
        error = -errno;
    if (error && ring->fd[FAULTS_BROUGHT] >= 0) {
        (void)close(ring->fd[FAULTS_BROUGHT]);
        ring->fd[FAULTS_BROUGHT] = -1;
    }
    return error;
}

static int open_ring(struct faults_perf *perf, struct faults_ring *ring, int cpu)
{
    size_t page = (size_t)getpagesize();
    void *mapped;
    int error = open_event(perf, ring, cpu, FAULTS_MINOR);

    if (error)
        return error;
    mapped = mmap(NULL, perf->ring_bytes + page, PROT_READ | PROT_WRITE, MAP_SHARED,
                  ring->fd[FAULTS_MINOR], 0);
    if (mapped == MAP_FAILED)
        return -errno;
    ring->page = mapped;
    ring->data = (char *)mapped + page;
    error = open_event(perf, ring, cpu, FAULTS_MAJOR);
    if (!error && ioctl(ring->fd[FAULTS_MAJOR], PERF_EVENT_IOC_SET_OUTPUT, ring->fd[FAULTS_MINOR]))
        error = -errno;
    if (!error && perf->tracepoint >= 0 && open_tracepoint(perf, ring, cpu))
        perf->tracepoint = -1;
    return error;
}

static int by_id(const void *a, const void *b)
{
    const struct faults_event_id *first = a;
    const struct faults_event_id *second = b;

    return (first->id > second->id) - (first->id < second->id);
}

enum faults_kind faults_perf_kind(const struct faults_perf *perf, uint64_t id)
{
    const struct faults_event_id wanted = {.id = id};
    const struct faults_event_id *found =
        bsearch(&wanted, perf->id, perf->ids, sizeof(wanted), by_id);

    return found ? found->kind : FAULTS_OTHER;
}

static void close_all(struct faults_perf *perf)
{
    for (size_t i = 0; i < perf->rings; i++)
        close_ring(perf, &perf->ring[i]);
    perf->rings = 0;
    perf->ids = 0;
}

/* One for each processor: a ring that is written to from several the kernel does not have. */
static int open_all(struct faults_perf *perf, long cpus)
{
    for (int cpu = 0; cpu < cpus; cpu++) {
        struct faults_ring *ring = &perf->ring[perf->rings];
        int error;

        *ring = (struct faults_ring){.fd = {-1, -1, -1}};
        error = open_ring(perf, ring, cpu);
        if (error == -ENODEV && ring->fd[FAULTS_MINOR] < 0)
            continue; /* switched off */
        perf->rings++;
        if (error)
            return error;
    }
    qsort(perf->id, perf->ids, sizeof(*perf->id), by_id);
    return perf->rings ? 0 : -ENODEV;
}

/*
 * As much as may be had: kernel and user mode, then user mode alone; the largest ring that the
 * kernel lets an ordinary user have.
 */
static int open_best(struct faults_perf *perf, long cpus)
{
    int error = open_all(perf, cpus);

    while (error) {
        close_all(perf);
        if ((error == -EACCES || error == -EPERM) && !perf->user_only) {
            perf->user_only = true;
            perf->tracepoint = -1;
        } else if ((error == -EPERM || error == -ENOMEM) && perf->ring_bytes > RING_BYTES_LEAST) {
            perf->ring_bytes /= 2;
        } else if (error == -EINVAL && perf->tells_lost) {
            perf->tells_lost = false;
        } else {
            return error;
        }
        error = open_all(perf, cpus);
    }
    return 0;
}

struct faults_perf *faults_perf_open(const char **ret_why)
{
    struct faults_perf *perf = allocate(sizeof(*perf));
    long cpus = sysconf(_SC_NPROCESSORS_CONF);
    int error;

    *ret_why = NULL;
    perf->tells_lost = true;
    perf->tracepoint = faults_tracepoint("kmem/mm_page_alloc");
    perf->ring = allocate((size_t)cpus * sizeof(*perf->ring));
    perf->id = allocate((size_t)cpus * FAULTS_EVENTS * sizeof(*perf->id));
    perf->ring_bytes = RING_BYTES;
    while (perf->ring_bytes > RING_BYTES_LEAST && perf->ring_bytes * (size_t)cpus > ALL_RINGS_BYTES)
        perf->ring_bytes /= 2;
    error = open_best(perf, cpus);
    if (!error)
        return perf;
    *ret_why = faults_refused(-error);
    faults_perf_close(perf);
    return NULL;
}

bool faults_perf_sees_calls(const struct faults_perf *perf)
{
    return perf->tracepoint >= 0;
}

uint64_t faults_perf_lost(const struct faults_perf *perf)
{
    uint64_t sum = 0;

    for (size_t i = 0; perf->tells_lost && i < perf->rings; i++)
        for (int kind = 0; kind < FAULTS_EVENTS; kind++) {
            uint64_t values[2] = {0, 0}; /* how many there were, and how many were lost */
            int fd = perf->ring[i].fd[kind];

            if (fd >= 0 && read(fd, values, sizeof(values)) == (ssize_t)sizeof(values))
                sum += values[1];
        }
    return sum;
}

void faults_perf_close(struct faults_perf *perf)
{
    close_all(perf);
    free(perf->ring);
    free(perf->id);
    free(perf->bytes);
    free(perf->place);
    free(perf);
}
