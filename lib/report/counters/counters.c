#include "counters.h"

#include "large.h"
#include "live.h"
#include "sys.h"

#include <string.h>

enum { SLAB_BYTES = 64 * 1024 };

__thread struct al_counts *al_thread_slot[AL_SLOT_TOTAL] __attribute__((tls_model("initial-exec")));
static __thread bool thread_ended __attribute__((tls_model("initial-exec")));

void (*al_counters_on_attach)(struct al_counts *counts);

static bool stopped;
static bool used;

/* Blocks that were ever claimed, of those that there are always: they are in the order of their
 * claims, and behind these is nothing. */
static size_t blocks_used;

/* Blocks of the forking threads: private, unlike all others. */
enum { FORKING_MAX = 4 };
static struct al_counts forking[FORKING_MAX] AL_LARGE;

/* While the thread forks: its own block, and what all had counted before. */
static __thread struct al_counts *block_before_fork __attribute__((tls_model("initial-exec")));
static uint64_t before_fork[FORKING_MAX][AL_COUNTER_TOTAL] AL_LARGE;

static bool claim(struct al_counts *counts)
{
    uint32_t unclaimed = 0;

    return !__atomic_load_n(&counts->claimed, __ATOMIC_RELAXED) &&
           __atomic_compare_exchange_n(&counts->claimed, &unclaimed, 1, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

static struct al_slab *next_of(const struct al_slab *slab)
{
    return (struct al_slab *)(uintptr_t)__atomic_load_n(&slab->next, __ATOMIC_ACQUIRE);
}

/*
 * A forked child reads the list when its parent may have gone on: it follows to those that were
 * there before the fork, by what is its own memory. Of more than these it cannot tell.
 */
enum { KNOWN_SLABS = 32 };

static struct {
    struct al_slab *slab[KNOWN_SLABS];
    unsigned count;
} known;

static void know(struct al_slab *slab)
{
    unsigned at = __atomic_fetch_add(&known.count, 1, __ATOMIC_RELAXED);

    if (at < KNOWN_SLABS)
        __atomic_store_n(&known.slab[at], slab, __ATOMIC_RELEASE);
}

static struct al_slab *next_known(const struct al_slab *slab)
{
    struct al_slab *next = next_of(slab);
    unsigned count = __atomic_load_n(&known.count, __ATOMIC_RELAXED);

    if (count > KNOWN_SLABS)
        return next;
    for (unsigned i = 0; next && i < count; i++)
        if (__atomic_load_n(&known.slab[i], __ATOMIC_ACQUIRE) == next)
            return next;
    return NULL;
}

static struct al_counts *behind(struct al_slab *slab)
{
    return (struct al_counts *)(void *)(slab + 1);
}

/* The blocks of the slab; of none: those that there are always. */
static struct al_counts *blocks_of(struct al_slab *slab, size_t *ret_count)
{
    *ret_count = slab == &al_live.head.slab ? AL_LIVE_BLOCKS : (size_t)slab->blocks;
    return slab == &al_live.head.slab ? al_live.block : behind(slab);
}

/* Adds a slab behind `last`, with its first block claimed. NULL when there is no memory. */
static struct al_counts *grow(struct al_slab *last)
{
    uint64_t offset = 0;
    struct al_slab *slab = al_live_extend(SLAB_BYTES, &offset);
    uint64_t none = 0;

    if (!slab)
        return NULL;
    slab->blocks = (SLAB_BYTES - sizeof(*slab)) / sizeof(struct al_counts);
    slab->offset = offset;
    behind(slab)->claimed = 1;
    know(slab);
    while (!__atomic_compare_exchange_n(&last->next, &none, (uint64_t)(uintptr_t)slab, false,
                                        __ATOMIC_RELEASE, __ATOMIC_ACQUIRE)) {
        last = (struct al_slab *)(uintptr_t)none;
        none = 0;
    }
    __atomic_store_n(&last->next_offset, offset, __ATOMIC_RELEASE);
    return behind(slab);
}

static void use_up_to(size_t blocks)
{
    size_t before = __atomic_load_n(&blocks_used, __ATOMIC_RELAXED);

    while (before < blocks && !__atomic_compare_exchange_n(&blocks_used, &before, blocks, true,
                                                           __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        continue;
}

static struct al_counts *claim_any(void)
{
    struct al_slab *slab = &al_live.head.slab;

    for (;;) {
        size_t count;
        struct al_counts *block = blocks_of(slab, &count);

        for (size_t i = 0; i < count; i++) {
            if (!claim(&block[i]))
                continue;
            if (block == al_live.block)
                use_up_to(i + 1);
            return &block[i];
        }
        if (!next_of(slab))
            return grow(slab);
        slab = next_of(slab);
    }
}

void al_count_attach(enum al_counter counter, uint64_t amount)
{
    struct al_counts *counts;

    if (stopped)
        return;
    __atomic_store_n(&used, true, __ATOMIC_RELAXED);
    counts = thread_ended ? NULL : claim_any();
    if (!counts) {
        __atomic_fetch_add(&al_live.shared.value[counter], amount, __ATOMIC_RELAXED);
        return;
    }
    if (al_thread_counts) {
        /* A signal handler attached the thread while we were looking. */
        __atomic_store_n(&counts->claimed, 0, __ATOMIC_RELEASE);
        counts = al_thread_counts;
    } else {
        al_thread_counts = counts;
        if (al_counters_on_attach)
            al_counters_on_attach(counts);
    }
    al_count_up(&counts->value[counter], amount);
}

bool al_counters_used(void)
{
    return __atomic_load_n(&used, __ATOMIC_RELAXED);
}

void al_counters_stop(void)
{
    stopped = true;
}

void al_counters_thread_ends(void)
{
    struct al_counts *counts = al_thread_counts;

    thread_ended = true;
    al_thread_counts = NULL;
    if (!counts)
        return;
    counts->part[AL_PART_ROOM] = 0; /* nobody else is to have it */
    __atomic_store_n(&counts->claimed, 0, __ATOMIC_RELEASE);
}

static uint64_t part_of(const struct al_counts *counts, enum al_part part)
{
    return __atomic_load_n(&counts->part[part], __ATOMIC_RELAXED);
}

static void add_parts(uint64_t *sum, const struct al_counts *counts)
{
    uint64_t came = part_of(counts, AL_PART_OWNED_MALLOC);
    uint64_t went = part_of(counts, AL_PART_OWNED_FREE);
    uint64_t small = part_of(counts, AL_PART_SMALL_MALLOC);

    sum[AL_COUNT_calls_malloc] += came + small;
    sum[AL_COUNT_calls_free] += went;
    sum[AL_COUNT_skipped_size] += small;
    sum[AL_COUNT_by_kind_heap_regions] += came - went;
    sum[AL_COUNT_by_kind_heap_requested_bytes] += part_of(counts, AL_PART_OWNED_BYTES);
}

void al_counters_add_block(uint64_t sum[static AL_COUNTER_TOTAL], const struct al_counts *counts)
{
    for (size_t i = 0; i < AL_COUNTER_TOTAL; i++)
        sum[i] += __atomic_load_n(&counts->value[i], __ATOMIC_RELAXED);
    add_parts(sum, counts);
}

void al_counters_each(void (*each)(uint64_t *sum, const struct al_counts *counts), uint64_t *sum)
{
    each(sum, &al_live.shared);
    for (struct al_slab *slab = &al_live.head.slab; slab; slab = next_known(slab)) {
        size_t count;
        const struct al_counts *block = blocks_of(slab, &count);

        if (block == al_live.block)
            count = __atomic_load_n(&blocks_used, __ATOMIC_RELAXED);
        for (size_t i = 0; i < count; i++)
            each(sum, &block[i]);
    }
    for (size_t i = 0; i < FORKING_MAX; i++)
        if (__atomic_load_n(&forking[i].claimed, __ATOMIC_RELAXED))
            each(sum, &forking[i]);
}

void al_counters_sum(uint64_t ret_sum[static AL_COUNTER_TOTAL])
{
    memset(ret_sum, 0, sizeof(uint64_t) * AL_COUNTER_TOTAL);
    al_counters_each(al_counters_add_block, ret_sum);
}

/* -- forks ---------------------------------------------------------------------------------- */

static void zero(struct al_counts *counts)
{
    memset(counts->part, 0, sizeof(counts->part));
    memset(counts->value, 0, sizeof(counts->value));
}

/* Of no thread's moment, as other threads go on; the kernel copies the memory a little later. */
void al_counters_before_fork(void)
{
    /* One that never counted gets its block now rather than in the child, from its parent's. */
    if (!al_thread_counts && !thread_ended)
        al_count_attach(AL_COUNT_calls_fork, 0);
    if (!al_thread_counts || block_before_fork)
        return;
    for (size_t i = 0; i < FORKING_MAX; i++) {
        if (!claim(&forking[i]))
            continue;
        al_counters_sum(before_fork[i]);
        block_before_fork = al_thread_counts;
        al_thread_counts = &forking[i];
        return;
    }
}

void al_counters_forked(void)
{
    struct al_counts *own = block_before_fork;
    struct al_counts *counts = al_thread_counts;

    if (!own)
        return;
    al_thread_counts = own;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    for (size_t i = 0; i < AL_PART_TOTAL; i++)
        al_count_up(&own->part[i], counts->part[i]);
    for (size_t i = 0; i < AL_COUNTER_TOTAL; i++)
        al_count_up(&own->value[i], counts->value[i]);
    zero(counts);
    block_before_fork = NULL;
    __atomic_store_n(&counts->claimed, 0, __ATOMIC_RELEASE);
}

static bool counts_nothing(const struct al_counts *counts)
{
    static const struct al_counts nothing;

    return memcmp(counts->part, nothing.part, sizeof(nothing.part)) == 0 &&
           memcmp(counts->value, nothing.value, sizeof(nothing.value)) == 0;
}

/* Reading an untouched page costs no memory, writing one does. */
static void forget(struct al_counts *counts)
{
    if (!counts_nothing(counts))
        zero(counts);
    if (counts->claimed)
        counts->claimed = 0;
}

/* They were for threads that the child does not have. */
static void leave_slabs(void)
{
    struct al_slab *first = &al_live.head.slab;

    for (struct al_slab *slab = next_known(first); slab;) {
        struct al_slab *next = next_known(slab);

        if (slab->offset)
            al_sys2(SYS_munmap, slab, SLAB_BYTES);
        slab = next;
    }
    first->next = 0;
    first->next_offset = 0;
    known.count = 0;
}

void al_counters_after_fork(uint64_t ret_before[static AL_COUNTER_TOTAL])
{
    bool counted = al_thread_counts != NULL;

    if (block_before_fork)
        memcpy(ret_before, before_fork[al_thread_counts - forking], sizeof(before_fork[0]));
    else
        al_counters_sum(ret_before);
    block_before_fork = NULL;
    al_thread_counts = NULL;
    leave_slabs();
    forget(&al_live.shared);
    for (size_t i = 0; i < AL_LIVE_BLOCKS; i++)
        forget(&al_live.block[i]);
    for (size_t i = 0; i < FORKING_MAX; i++)
        forget(&forking[i]);
    if (!counted)
        return;
    al_live.block[0].claimed = 1;
    use_up_to(1);
    al_thread_counts = &al_live.block[0];
}
