/* mremap: what it makes of a mapping is locked, and what it leaves of it. */
#include "mappings.h"

void remap_grows(void)
{
    char *start = map(PAGE, writable, anon);

    for (size_t count = 2; count < 3000; count *= 3) {
        start = mremap(start, (count == 2 ? 1 : count / 3) * PAGE, count * PAGE, MREMAP_MAYMOVE);
        expect(start != MAP_FAILED);
        expect_locked(start, count * PAGE);
    }
}

void remap_shrinks(void)
{
    char *start = map(LENGTH, writable, anon);
    long locked_kb = status_kb("VmLck");

    expect(mremap(start, LENGTH, LENGTH / 4, 0) == start);
    expect_locked(start, LENGTH / 4);
    expect_equal(status_kb("VmLck"), locked_kb - LENGTH / 4 * 3 / 1024);
    /* What comes there next is judged afresh. */
    expect(mmap(start + LENGTH / 4, LENGTH / 4, PROT_NONE, anon | MAP_FIXED, -1, 0) != MAP_FAILED);
    expect_unlocked(start + LENGTH / 4, LENGTH / 4);
}

void remap_moves(void)
{
    char *start = map(LENGTH, writable, anon);
    char *target = map(LENGTH + 8 * PAGE, PROT_NONE, anon);

    start[5] = 'x';
    expect(mremap(start, LENGTH, LENGTH, MREMAP_MAYMOVE | MREMAP_FIXED, target) == target);
    expect_locked(target, LENGTH);
    expect(target[5] == 'x');
    expect_unlocked(target + LENGTH, 8 * PAGE);
    /* A part of it, and of another length. */
    start = map(LENGTH, PROT_NONE, anon);
    expect(mremap(pages(target, 4), 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, start) ==
           start);
    expect_locked(start, 8 * PAGE);
    expect_unlocked(pages(start, 8), LENGTH - 8 * PAGE);
    expect_locked(target, 4 * PAGE);
    expect_locked(pages(target, 8), LENGTH - 8 * PAGE);
}

/* The kernel leaves the old addresses mapped, but takes the lock of the whole mapping. */
void remap_leaves(void)
{
    char *start = map(LENGTH, writable, anon);
    char *moved;

    memset(start, 'x', LENGTH);
    moved = mremap(start, LENGTH, LENGTH, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
    if (moved == MAP_FAILED && errno == EINVAL)
        skip("the kernel has no MREMAP_DONTUNMAP");
    expect(moved != MAP_FAILED);
    expect_locked(moved, LENGTH);
    expect_locked(start, LENGTH);
    expect(moved[LENGTH - 1] == 'x' && start[LENGTH - 1] == 0);
}

/* … and that of its neighbours, which the kernel had made one mapping with it. */
void remap_leaves_in_the_middle(void)
{
    char *start = map(LENGTH, writable, anon);
    char *moved =
        mremap(pages(start, 20), 10 * PAGE, 10 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);

    if (moved == MAP_FAILED && errno == EINVAL)
        skip("the kernel has no MREMAP_DONTUNMAP");
    expect(moved != MAP_FAILED);
    expect_locked(moved, 10 * PAGE);
    expect_locked(start, LENGTH);
}

void remap_duplicates(void)
{
    char *start = map(LENGTH, writable, MAP_SHARED | MAP_ANONYMOUS);
    char *again = mremap(start, 0, LENGTH, MREMAP_MAYMOVE);

    expect(again != MAP_FAILED && again != start);
    start[7] = 'x';
    expect(again[7] == 'x');
    expect_locked(start, LENGTH);
    expect_locked(again, LENGTH);
}

void remap_of_reservation(void)
{
    char *start = map(LENGTH, PROT_NONE, anon);

    start = mremap(start, LENGTH, 4 * LENGTH, MREMAP_MAYMOVE);
    expect(start != MAP_FAILED);
    expect_unlocked(start, 4 * LENGTH);
    expect(mprotect(start + 2 * LENGTH, LENGTH, writable) == 0);
    expect_locked(start + 2 * LENGTH, LENGTH);
    expect_unlocked(start + 3 * LENGTH, LENGTH);
    expect_unlocked(start, 2 * LENGTH);
}
