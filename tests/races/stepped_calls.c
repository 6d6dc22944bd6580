#include "stepped.h"

#include <malloc.h>

enum {
    AREA = 16 * PAGE,
    USED = 4 * PAGE,
    BRING_IN = 8 << 20, /* what the library brings in by itself, where it is asked to */
    SPARSE = 128 << 20, /* what is taken for a reservation */
    SMALL = 24,
    LARGE = 100000,  /* of the heap */
    MAPPED = 300000, /* a mapping of its own */
};

static const int rw = PROT_READ | PROT_WRITE;
static const int fixed = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

static char *area;
static char *wide;
static char *heap_end;
static char *block;
static void *got;
static int result;

static char *reserve(size_t length)
{
    void *start = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    expect(start != MAP_FAILED);
    return start;
}

void stepped_begin(void)
{
    stepped_wish_begin();
    /* What is large stays so, however often it is freed. */
    expect(mallopt(M_MMAP_THRESHOLD, 128 << 10) == 1 && mallopt(M_TRIM_THRESHOLD, 64 << 10) == 1);
    area = reserve(AREA);
    wide = reserve(SPARSE);
}

/* -- mappings ------------------------------------------------------------------------------- */

static void map_used(void)
{
    expect(mmap(area, USED, rw, fixed, -1, 0) == area);
    memset(area, 7, USED);
}

/* Kept occupied, so that nobody else gets these addresses. */
static void clear_area(void)
{
    expect(mmap(area, AREA, PROT_NONE, fixed | MAP_NORESERVE, -1, 0) == area);
}

static void call_mmap(void)
{
    got = mmap(area, USED, rw, fixed, -1, 0);
}

static void mapped_is_locked(void)
{
    expect(got == area && area[0] == 0 && area[USED - 1] == 0);
    stepped_expect_locked(area, USED, KIND_ANON);
}

static void call_mmap_shared(void)
{
    got = mmap(area, USED, rw, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static void shared_is_locked(void)
{
    expect(got == area);
    stepped_expect_locked(area, USED, KIND_SHARED);
}

static void call_mmap_large(void)
{
    got = mmap(wide, BRING_IN, rw, fixed, -1, 0);
}

static void large_is_locked(void)
{
    expect(got == wide);
    stepped_expect_locked(wide, USED, KIND_ANON);
    stepped_expect_locked(wide + BRING_IN - USED, USED, KIND_ANON);
}

static void call_mmap_sparse(void)
{
    got = mmap(wide, SPARSE, rw, fixed | MAP_NORESERVE, -1, 0);
}

static void sparse_is_there(void)
{
    /* On fault; what was touched is in memory. */
    expect(got == wide && wide[0] == 0);
    stepped_expect_locked(wide, PAGE, KIND_ANON);
}

static void clear_wide(void)
{
    expect(mmap(wide, SPARSE, PROT_NONE, fixed | MAP_NORESERVE, -1, 0) == wide);
}

static void call_mmap_closed(void)
{
    got = mmap(area, AREA, PROT_NONE, fixed | MAP_NORESERVE, -1, 0);
}

static void call_munmap(void)
{
    result = munmap(area, USED);
}

static void call_munmap_middle(void)
{
    result = munmap(area + PAGE, USED - 2 * PAGE);
}

static void succeeded(void)
{
    expect_equal(result, 0);
}

static void edges_are_locked(void)
{
    expect_equal(result, 0);
    expect(area[0] == 7 && area[USED - 1] == 7);
    stepped_expect_locked(area, PAGE, KIND_ANON);
    stepped_expect_locked(area + USED - PAGE, PAGE, KIND_ANON);
}

static void call_mremap_moves(void)
{
    got = mremap(area, USED, (size_t)2 * USED, MREMAP_MAYMOVE | MREMAP_FIXED, area + AREA / 2);
}

static void moved_is_locked(void)
{
    expect(got == area + AREA / 2 && area[AREA / 2] == 7 && area[AREA / 2 + USED] == 0);
    stepped_expect_locked(got, (size_t)2 * USED, KIND_ANON);
}

static void call_mremap_shrinks(void)
{
    got = mremap(area, USED, USED / 2, 0);
}

static void half_is_locked(void)
{
    expect(got == area && area[0] == 7);
    stepped_expect_locked(got, USED / 2, KIND_ANON);
}

static void call_mprotect_opens(void)
{
    result = mprotect(area, USED, rw);
}

static void opened_is_locked(void)
{
    expect_equal(result, 0);
    area[0] = 1;
    stepped_expect_locked(area, USED, KIND_ANON);
}

static void call_mprotect_closes(void)
{
    result = mprotect(area, USED, PROT_NONE);
}

static void call_madvise(void)
{
    result = madvise(area, USED, MADV_DONTNEED);
}

static void emptied_is_locked(void)
{
    expect_equal(result, 0);
    expect(area[0] == 0 && area[USED - 1] == 0);
    stepped_expect_locked(area, PAGE, KIND_ANON);
}

static void call_mlock(void)
{
    result = mlock(area, USED);
}

static void call_munlock(void)
{
    result = munlock(area, USED);
}

/* -- the heap's end ------------------------------------------------------------------------- */

static void note_end(void)
{
    heap_end = sbrk(0);
}

static void move_end(void)
{
    note_end();
    expect(brk(heap_end + USED) == 0);
}

static void call_brk(void)
{
    result = brk(heap_end + USED);
}

static void grown_is_locked(void)
{
    expect_equal(result, 0);
    heap_end[USED - 1] = 7;
    stepped_expect_locked(heap_end + PAGE, USED - PAGE, KIND_ANON);
}

static void call_sbrk_back(void)
{
    got = sbrk(-USED);
}

static void shrunk(void)
{
    expect(got == heap_end + USED);
}

static void clear_end(void)
{
    expect(brk(heap_end) == 0);
}

/* -- blocks --------------------------------------------------------------------------------- */

static void trim(void)
{
    (void)malloc_trim(0);
}

static void call_malloc_small(void)
{
    block = malloc(SMALL);
}

static void small_is_locked(void)
{
    expect(block);
    memset(used(block), 7, SMALL);
    stepped_expect_locked(block, SMALL, KIND_HEAP);
}

static void call_malloc_large(void)
{
    block = malloc(LARGE);
}

static void large_block_is_locked(void)
{
    expect(block);
    memset(used(block), 7, LARGE);
    stepped_expect_locked(block, LARGE, KIND_HEAP);
}

static void call_malloc_mapped(void)
{
    block = malloc(MAPPED);
}

static void mapped_block_is_locked(void)
{
    expect(block);
    memset(used(block), 7, MAPPED);
    stepped_expect_locked(block, MAPPED, KIND_HEAP);
}

static void call_calloc(void)
{
    block = calloc(LARGE / 50, 1);
}

static void zeroes_are_locked(void)
{
    expect(block && block[0] == 0 && block[LARGE / 50 - 1] == 0);
    stepped_expect_locked(block, LARGE / 50, KIND_HEAP);
}

static void call_memalign(void)
{
    void *aligned = NULL;

    result = posix_memalign(&aligned, PAGE, USED);
    block = aligned;
}

static void aligned_is_locked(void)
{
    expect_equal(result, 0);
    expect((uintptr_t)block % PAGE == 0);
    stepped_expect_locked(block, USED, KIND_HEAP);
}

static void call_realloc_grows(void)
{
    block = realloc(block, LARGE);
}

static void grown_block_is_locked(void)
{
    expect(block && block[0] == 7 && block[SMALL - 1] == 7);
    stepped_expect_locked(block, LARGE, KIND_HEAP);
}

static void call_realloc_of_mapped(void)
{
    block = realloc(block, (size_t)2 * MAPPED);
}

static void grown_mapped_is_locked(void)
{
    expect(block && block[0] == 7 && block[MAPPED - 1] == 7);
    stepped_expect_locked(block, (size_t)2 * MAPPED, KIND_HEAP);
}

static void call_realloc_shrinks(void)
{
    block = realloc(block, SMALL);
}

static void make_small(void)
{
    call_malloc_small();
    small_is_locked();
}

static void make_large(void)
{
    call_malloc_large();
    large_block_is_locked();
}

static void make_mapped(void)
{
    call_malloc_mapped();
    mapped_block_is_locked();
}

static void call_free(void)
{
    free(block);
    block = NULL;
}

/* Name, and what is done before, the call, the look at what came of it, and the clearing away. */
#define MAPPING(name, prepare, call, done, clear)                                                  \
    {                                                                                              \
        name, prepare, call, done, clear, false, false                                             \
    }
#define WIDE(name, prepare, call, done, clear)                                                     \
    {                                                                                              \
        name, prepare, call, done, clear, false, true                                              \
    }
#define HEAP(name, prepare, call, done, clear)                                                     \
    {                                                                                              \
        name, prepare, call, done, clear, true, false                                              \
    }

const struct stepped_call stepped_calls[] = {
    MAPPING("mmap", NULL, call_mmap, mapped_is_locked, clear_area),
    MAPPING("mmap-over", map_used, call_mmap, mapped_is_locked, clear_area),
    MAPPING("mmap-shared", NULL, call_mmap_shared, shared_is_locked, clear_area),
    WIDE("mmap-large", NULL, call_mmap_large, large_is_locked, clear_wide),
    WIDE("mmap-sparse", NULL, call_mmap_sparse, sparse_is_there, clear_wide),
    MAPPING("mmap-closed", map_used, call_mmap_closed, NULL, clear_area),
    MAPPING("munmap", map_used, call_munmap, succeeded, clear_area),
    MAPPING("munmap-middle", map_used, call_munmap_middle, edges_are_locked, clear_area),
    MAPPING("mremap-moves", map_used, call_mremap_moves, moved_is_locked, clear_area),
    MAPPING("mremap-shrinks", map_used, call_mremap_shrinks, half_is_locked, clear_area),
    MAPPING("mprotect-opens", NULL, call_mprotect_opens, opened_is_locked, clear_area),
    MAPPING("mprotect-closes", map_used, call_mprotect_closes, succeeded, clear_area),
    MAPPING("madvise", map_used, call_madvise, emptied_is_locked, clear_area),
    MAPPING("mlock", map_used, call_mlock, succeeded, clear_area),
    MAPPING("munlock", map_used, call_munlock, succeeded, clear_area),
    MAPPING("brk", note_end, call_brk, grown_is_locked, clear_end),
    MAPPING("sbrk-back", move_end, call_sbrk_back, shrunk, clear_end),
    HEAP("malloc-small", NULL, call_malloc_small, small_is_locked, call_free),
    HEAP("malloc-large", trim, call_malloc_large, large_block_is_locked, call_free),
    HEAP("malloc-mapped", NULL, call_malloc_mapped, mapped_block_is_locked, call_free),
    HEAP("calloc", NULL, call_calloc, zeroes_are_locked, call_free),
    HEAP("memalign", trim, call_memalign, aligned_is_locked, call_free),
    HEAP("realloc-grows", make_small, call_realloc_grows, grown_block_is_locked, call_free),
    HEAP("realloc-mapped", make_mapped, call_realloc_of_mapped, grown_mapped_is_locked, call_free),
    HEAP("realloc-shrinks", make_large, call_realloc_shrinks, NULL, call_free),
    HEAP("free-small", make_small, call_free, NULL, NULL),
    HEAP("free-large", make_large, call_free, NULL, NULL),
    HEAP("free-mapped", make_mapped, call_free, NULL, NULL),
};

const size_t stepped_calls_count = sizeof(stepped_calls) / sizeof(stepped_calls[0]);
