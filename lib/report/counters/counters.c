#include "counters.h"

#include "sys.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>

/* Most programs have few threads; they need no memory beyond the library's own. */
enum { FIRST_BLOCKS = 8, SLAB_BYTES = 64 * 1024 };

struct slab {
    struct slab *next;
    size_t blocks;
    struct al_counts *block;
};

static struct al_counts first_blocks[FIRST_BLOCKS];
static struct slab first_slab = {.blocks = FIRST_BLOCKS, .block = first_blocks};

/* For threads that count after they have ended, and for all when memory is out. */
static struct al_counts shared_counts;

__thread struct al_counts *al_thread_counts __attribute__((tls_model("initial-exec")));
static __thread bool thread_ended __attribute__((tls_model("initial-exec")));

void (*al_counters_on_attach)(struct al_counts *counts);

static bool stopped;

static bool claim(struct al_counts *counts)
{
    uint32_t unclaimed = 0;

    return !__atomic_load_n(&counts->claimed, __ATOMIC_RELAXED) &&
           __atomic_compare_exchange_n(&counts->claimed, &unclaimed, 1, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

static struct slab *next_of(struct slab *slab)
{
    return __atomic_load_n(&slab->next, __ATOMIC_ACQUIRE);
}

/* Adds a slab behind `last`, with its first block claimed. NULL when there is no memory. */
static struct al_counts *grow(struct slab *last)
{
    long mapped =
        al_sys_mmap(NULL, SLAB_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct slab *slab = (struct slab *)mapped;
    struct slab *none = NULL;

    if (al_sys_failed(mapped))
        return NULL;
    /* The header takes the place of the first block. */
    static_assert(sizeof(struct slab) <= sizeof(struct al_counts), "a header fits into a block");
    slab->block = (struct al_counts *)mapped + 1;
    slab->blocks = SLAB_BYTES / sizeof(struct al_counts) - 1;
    slab->block[0].claimed = 1;
    while (!__atomic_compare_exchange_n(&last->next, &none, slab, false, __ATOMIC_RELEASE,
                                        __ATOMIC_ACQUIRE)) {
        last = none;
        none = NULL;
    }
    return &slab->block[0];
}

static struct al_counts *claim_any(void)
{
    struct slab *slab = &first_slab;

    for (;;) {
        for (size_t i = 0; i < slab->blocks; i++)
            if (claim(&slab->block[i]))
                return &slab->block[i];
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
    counts = thread_ended ? NULL : claim_any();
    if (!counts) {
        __atomic_fetch_add(&shared_counts.value[counter], amount, __ATOMIC_RELAXED);
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

void al_counters_stop(void)
{
    stopped = true;
}

void al_counters_thread_ends(struct al_counts *counts)
{
    thread_ended = true;
    al_thread_counts = NULL;
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

static void add_block(uint64_t *sum, const struct al_counts *counts)
{
    for (size_t i = 0; i < AL_COUNTER_TOTAL; i++)
        sum[i] += __atomic_load_n(&counts->value[i], __ATOMIC_RELAXED);
    add_parts(sum, counts);
}

void al_counters_sum(uint64_t ret_sum[static AL_COUNTER_TOTAL])
{
    memset(ret_sum, 0, sizeof(uint64_t) * AL_COUNTER_TOTAL);
    add_block(ret_sum, &shared_counts);
    for (struct slab *slab = &first_slab; slab; slab = next_of(slab))
        for (size_t i = 0; i < slab->blocks; i++)
            add_block(ret_sum, &slab->block[i]);
}

static bool counts_nothing(const struct al_counts *counts)
{
    static const struct al_counts nothing;

    return memcmp(counts->part, nothing.part, sizeof(nothing.part)) == 0 &&
           memcmp(counts->value, nothing.value, sizeof(nothing.value)) == 0;
}

void al_counters_after_fork(void)
{
    memset(&shared_counts, 0, sizeof(shared_counts));
    for (struct slab *slab = &first_slab; slab; slab = next_of(slab)) {
        for (size_t i = 0; i < slab->blocks; i++) {
            struct al_counts *counts = &slab->block[i];

            /* Reading an untouched page costs no memory, writing one does. */
            if (!counts->claimed && counts_nothing(counts))
                continue;
            memset(counts, 0, sizeof(*counts));
            counts->claimed = counts == al_thread_counts;
        }
    }
}
