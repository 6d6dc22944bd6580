#include "stepped.h"

#include <malloc.h>

enum {
    AREA = 16 * PAGE,
    USED = 4 * PAGE,
    BRING_IN = 8 << 20, /* what the library brings in by itself, where it is asked to */
    SPARSE = 128 << 20, /* what is taken for a reservation */
};

static const int rw = PROT_READ | PROT_WRITE;
static const int fixed = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

static char *area;
static char *wide;
static char *heap_end;
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

/* Name, and what is done before, the call, the look at what came of it, and the clearing away. */
#define MAPPING(name, prepare, call, done, clear)                                                  \
    {                                                                                              \
        name, prepare, call, done, clear, false, false                                             \
    }
#define WIDE(name, prepare, call, done, clear)                                                     \
    {                                                                                              \
        name, prepare, call, done, clear, false, true                                              \
    }

const struct stepped_call stepped_mappings[] = {
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
};

const size_t stepped_mappings_count = sizeof(stepped_mappings) / sizeof(stepped_mappings[0]);
