#include "bring_in.h"

#include "counters.h"
#include "crew.h"
#include "kernel.h"
#include "maps.h"
#include "sys.h"
#include "times.h"

#include <string.h>
#include <sys/mman.h>

/* Linux 2.6.38 and 5.14; older headers do not have them. */
enum { HUGEPAGE = 14, POPULATE_WRITE = 23 };

/* What one thread brings in at a time: at least a huge page, and not so much that the last one
 * keeps the others waiting. */
static const size_t huge_bytes = (size_t)2 << 20;
static const size_t piece_most = (size_t)32 << 20;
enum { PIECES_PER_THREAD = 8 };

static struct {
    bool huge;
    unsigned threads;
    bool cannot_populate; /* the kernel is older */
} way = {.threads = 1};

/* Asked of memory of our own, where nothing but the kernel's age can be in the way. */
static bool can_populate(void)
{
    size_t page = al_page_size();

    return al_sys3(SYS_madvise, (uintptr_t)&way & ~(page - 1), page, POPULATE_WRITE) == 0;
}

void al_bring_in_begin(bool huge, unsigned threads)
{
    way.huge = huge;
    way.threads = threads ? threads : 1;
    if (way.threads > 1)
        way.cannot_populate = !can_populate();
}

bool al_bring_in_is_worth(size_t length)
{
    return length >= AL_BRING_IN_LEAST && (way.huge || way.threads > 1);
}

/* [start, end) in pieces, which begin and end where huge pages do. */
struct job {
    uintptr_t start;
    uintptr_t end;
    size_t piece;
    size_t next; /* the piece that whoever comes next takes */
    int error;   /* of any piece: the others need not go on */
    uint64_t calls;
    uint64_t time_ns;
};

/* Runs in threads that may not count (crew.h). */
static int populate(struct job *job, uintptr_t start, uintptr_t end)
{
    uint64_t began = al_now_ns();
    uint64_t took;
    long result;

    do {
        result = al_sys3(SYS_madvise, start, end - start, POPULATE_WRITE);
    } while (result == -EINTR || result == -EAGAIN);
    took = al_now_ns() - began;
    al_times_record(AL_TIMED_madvise, took);
    __atomic_fetch_add(&job->calls, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&job->time_ns, took, __ATOMIC_RELAXED);
    return (int)result;
}

static void work(void *data)
{
    struct job *job = data;
    uintptr_t base = job->start & ~(huge_bytes - 1);

    while (!__atomic_load_n(&job->error, __ATOMIC_RELAXED)) {
        size_t index = __atomic_fetch_add(&job->next, 1, __ATOMIC_RELAXED);
        uintptr_t start = base + index * job->piece;
        uintptr_t end = start + job->piece;
        int error;

        if (start >= job->end)
            return;
        error =
            populate(job, start > job->start ? start : job->start, end < job->end ? end : job->end);
        if (error)
            __atomic_store_n(&job->error, error, __ATOMIC_RELAXED);
    }
}

static unsigned threads_for(size_t length)
{
    unsigned processors = al_crew_processors();
    unsigned threads = way.threads < processors ? way.threads : processors;
    size_t most = length / huge_bytes;

    return threads < most ? threads : (unsigned)most;
}

static void populate_all(uintptr_t start, uintptr_t end)
{
    struct job job = {.start = start, .end = end};
    unsigned threads = threads_for(end - start);
    size_t piece = (end - start) / threads / PIECES_PER_THREAD & ~(huge_bytes - 1);

    if (threads < 2)
        return; /* the lock does the same */
    job.piece = piece < huge_bytes ? huge_bytes : piece > piece_most ? piece_most : piece;
    al_crew_run(threads, work, &job);
    al_count_add(AL_COUNT_syscalls_madvise_count, job.calls);
    al_count_add(AL_COUNT_syscalls_madvise_time_ns, job.time_ns);
}

/* What lies around keeps its small pages: memory that nobody asked for is not brought in. */
static void advise_huge(uintptr_t start, uintptr_t end)
{
    start = (start + huge_bytes - 1) & ~(huge_bytes - 1);
    end = end & ~(huge_bytes - 1);
    if (start < end)
        (void)al_kernel_madvise((void *)start, end - start, HUGEPAGE);
}

void al_bring_in(const void *start, size_t length, bool on_fault)
{
    size_t mask = al_page_size() - 1;
    uintptr_t first = ((uintptr_t)start + mask) & ~mask;
    uintptr_t end = ((uintptr_t)start + length) & ~mask;

    if (first >= end || !al_bring_in_is_worth(end - first))
        return;
    if (way.huge)
        advise_huge(first, end);
    if (!on_fault && way.threads > 1 && !way.cannot_populate)
        populate_all(first, end);
}

static bool bring_in_one(const struct al_mapping *mapping, void *data)
{
    bool anonymous = !mapping->name[0] || strcmp(mapping->name, "[heap]") == 0;

    (void)data;
    if (anonymous && mapping->writable && !mapping->shared)
        al_bring_in((void *)mapping->start, mapping->end - mapping->start, false);
    return true;
}

void al_bring_in_existing(void)
{
    if (al_bring_in_is_worth(AL_BRING_IN_LEAST))
        (void)al_maps_each(bring_in_one, NULL);
}
