/* What lies where, by what the kernel tells when it is mapped and by what it shows. */
#include "faults_regions.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct faults_regions regions;

static void map(uint64_t start, uint64_t end, const char *name, uint32_t flags)
{
    const struct faults_record record = {.kind = FAULTS_MAPPED,
                                         .time_ns = 7,
                                         .start = start,
                                         .end = end,
                                         .offset = 0x100000,
                                         .protection = PROT_READ | PROT_WRITE,
                                         .flags = flags,
                                         .name = name};

    faults_regions_map(&regions, &record, false);
}

static const char *list(void)
{
    static char text[1024];
    size_t length = 0;

    text[0] = '\0';
    for (size_t i = 0; i < regions.count; i++)
        length += (size_t)snprintf(
            text + length, sizeof(text) - length, "%llx-%llx+%llx %s|",
            (unsigned long long)regions.list[i].start, (unsigned long long)regions.list[i].end,
            (unsigned long long)(regions.list[i].offset - 0x100000), regions.list[i].name);
    return text;
}

START_TEST(the_later_one_covers_the_earlier)
{
    map(0x7000, 0x9000, "/b", MAP_PRIVATE);
    map(0x1000, 0x4000, "/a", MAP_PRIVATE);
    ck_assert_str_eq(list(), "1000-4000+0 /a|7000-9000+0 /b|");
    /* In the middle, over an end, over several, and beside. */
    map(0x2000, 0x3000, "/c", MAP_PRIVATE);
    ck_assert_str_eq(list(), "1000-2000+0 /a|2000-3000+0 /c|3000-4000+2000 /a|7000-9000+0 /b|");
    map(0x3800, 0x8000, "/d", MAP_PRIVATE);
    ck_assert_str_eq(
        list(),
        "1000-2000+0 /a|2000-3000+0 /c|3000-3800+2000 /a|3800-8000+0 /d|8000-9000+1000 /b|");
    map(0x1000, 0x9000, "/e", MAP_PRIVATE);
    ck_assert_str_eq(list(), "1000-9000+0 /e|");
    map(0x9000, 0xa000, "/f", MAP_PRIVATE);
    map(0x5000, 0x5000, "/none", MAP_PRIVATE);
    ck_assert_str_eq(list(), "1000-9000+0 /e|9000-a000+0 /f|");

    ck_assert_ptr_null(faults_regions_find(&regions, 0xfff));
    ck_assert_str_eq(faults_regions_find(&regions, 0x1000)->name, "/e");
    ck_assert_str_eq(faults_regions_find(&regions, 0x9000)->name, "/f");
    ck_assert_ptr_null(faults_regions_find(&regions, 0xa000));
    ck_assert_uint_eq(faults_regions_above(&regions, 0)->start, 0x1000);
    ck_assert_ptr_null(faults_regions_above(&regions, 0xa000));
}
END_TEST

START_TEST(the_heap)
{
    map(0x400000, 0x500000, "/program", MAP_PRIVATE);
    map(0x500000, 0x510000, "//anon", MAP_PRIVATE); /* its zeroed data */
    map(0x700000, 0x720000, "//anon", MAP_PRIVATE); /* the heap begins */
    map(0x700000, 0x740000, "[heap]", MAP_PRIVATE | MAP_LOCKED);
    map(0x7f0000000000, 0x7f0000001000, "//anon", MAP_PRIVATE);
    ck_assert_str_eq(list(), "400000-500000+0 /program|500000-510000+0 |700000-720000+0 [heap]|"
                             "720000-740000+0 [heap]|7f0000000000-7f0000001000+0 |");
    ck_assert_int_eq(faults_regions_find(&regions, 0x700000)->lock, FAULTS_LOCK_NONE);
    ck_assert_int_eq(faults_regions_find(&regions, 0x720000)->lock, FAULTS_LOCKED);
    ck_assert_uint_eq(faults_regions_find(&regions, 0x720000)->populated_ns, 7);
}
END_TEST

START_TEST(what_the_kernel_shows)
{
    const size_t page = (size_t)getpagesize();
    char *bytes = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct faults_regions now;
    struct faults_regions later;
    const struct faults_region *found;
    bool may_lock;

    ck_assert(bytes != MAP_FAILED);
    /* That of a sanitizer does nothing. */
    may_lock = syscall(SYS_mlock, bytes + page, page) == 0;
    ck_assert(faults_regions_look(getpid(), &regions, 1000, &now));
    found = faults_regions_find(&now, (uintptr_t)bytes);
    ck_assert_int_eq(found->lock, FAULTS_LOCK_NONE);
    ck_assert(found->is_private && found->writable && !found->fresh);
    found = faults_regions_find(&now, (uintptr_t)bytes + page);
    ck_assert_int_eq(found->lock, may_lock ? FAULTS_LOCKED : FAULTS_LOCK_NONE);
    ck_assert_uint_eq(found->populated_ns, may_lock ? 1000 : 0);
    found = faults_regions_find(&now, (uintptr_t)&page);
    ck_assert_str_eq(found->name, "[stack]");
    found = faults_regions_find(&now, (uintptr_t)list);
    ck_assert_ptr_nonnull(strstr(found->name, "command_faults_regions"));
    ck_assert_uint_ne(found->inode, 0);

    /* Since when it is there is remembered. */
    ck_assert(faults_regions_look(getpid(), &now, 2000, &later));
    ck_assert_uint_eq(faults_regions_find(&later, (uintptr_t)bytes + page)->populated_ns,
                      may_lock ? 1000 : 0);
    ck_assert(!faults_regions_look(-1, &now, 2000, &later));
    faults_regions_clear(&now);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("faults_regions");

    tcase_add_test(tests, the_later_one_covers_the_earlier);
    tcase_add_test(tests, the_heap);
    tcase_add_test(tests, what_the_kernel_shows);
    return unit_run(tests);
}
