#include "maps.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct al_mapping mapping;

static bool parses(const char *line)
{
    static char copy[8192];

    memset(&mapping, 0xAA, sizeof(mapping));
    return al_mapping_parse(strcpy(copy, line), &mapping);
}

START_TEST(a_line_with_a_name)
{
    ck_assert(parses("7f00a000-7f00b000 r-xp 00001000 fe:01 1234       /usr/lib/a b.so (deleted)"));
    ck_assert_uint_eq(mapping.start, 0x7f00a000);
    ck_assert_uint_eq(mapping.end, 0x7f00b000);
    ck_assert(mapping.readable && !mapping.writable && mapping.executable && !mapping.shared);
    ck_assert_str_eq(mapping.name, "/usr/lib/a b.so (deleted)");
}
END_TEST

START_TEST(a_line_without_a_name)
{
    ck_assert(parses("00001000-00002000 -w-s 00000000 00:00 0 "));
    ck_assert(!mapping.readable && mapping.writable && !mapping.executable && mapping.shared);
    ck_assert_str_eq(mapping.name, "");
    ck_assert(parses("1000-2000 ---p 00000000 00:00 0"));
    ck_assert(!mapping.readable && !mapping.writable && !mapping.shared);
    ck_assert_str_eq(mapping.name, "");
}
END_TEST

START_TEST(the_highest_address)
{
    ck_assert(parses("ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0    [vsyscall]"));
    ck_assert_uint_eq(mapping.start, (uintptr_t)0xffffffffff600000);
    ck_assert_str_eq(mapping.name, "[vsyscall]");
}
END_TEST

START_TEST(what_is_no_line)
{
    static const char *const junk[] = {"",
                                       "-",
                                       "1000",
                                       "1000-",
                                       "1000-2000",
                                       "1000-2000 ",
                                       "1000-2000 r",
                                       "1000-2000 rwxp",
                                       "-2000 rwxp ",
                                       "x-2000 rwxp ",
                                       "1000 2000 rwxp ",
                                       "1000-2000-rwxp ",
                                       "Size: 4 kB",
                                       "2000-1000 rwxp 0 00:00 0",
                                       "2000-2000 rwxp 0 00:00 0"};

    for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++)
        ck_assert_msg(!parses(junk[i]), "%s", junk[i]);
}
END_TEST

struct search {
    uintptr_t start;
    struct al_mapping found;
    char name[8192];
    unsigned seen;
    uintptr_t last_end;
    bool in_order;
};

static bool look(const struct al_mapping *at, void *data)
{
    struct search *search = data;

    search->seen++;
    search->in_order = search->in_order && at->start >= search->last_end && at->end > at->start;
    search->last_end = at->end;
    if (at->start == search->start) {
        search->found = *at;
        strcpy(search->name, at->name);
    }
    return true;
}

static struct search *search_for(const void *start)
{
    static struct search search;

    memset(&search, 0, sizeof(search));
    search.start = (uintptr_t)start;
    search.in_order = true;
    errno = 1234;
    ck_assert_int_eq(al_maps_each(look, &search), 0);
    ck_assert_int_eq(errno, 1234);
    ck_assert(search.in_order);
    return &search;
}

START_TEST(of_this_process)
{
    const size_t size = 5 * (size_t)sysconf(_SC_PAGESIZE);
    void *start = mmap(NULL, size, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct search *search = search_for(start);

    ck_assert_uint_gt(search->seen, 10);
    ck_assert_uint_eq(search->found.end - search->found.start, size);
    ck_assert(search->found.readable && !search->found.writable && search->found.shared);
    munmap(start, size);
    ck_assert_uint_eq(search_for(start)->found.end, 0);
}
END_TEST

/* Far more than is read at once: each is seen, none is seen twice. */
START_TEST(of_a_process_with_many_mappings)
{
    enum { MAPPINGS = 5000 };
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *start = mmap(NULL, MAPPINGS * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    for (size_t i = 0; i < MAPPINGS; i += 2)
        mprotect(start + i * page, page, PROT_NONE);
    ck_assert_uint_ge(search_for(start)->seen, MAPPINGS);
    ck_assert_uint_lt(search_for(start)->seen, MAPPINGS + 1000);
    for (size_t i = 1; i < MAPPINGS; i += 499)
        ck_assert_int_eq(search_for(start + i * page)->found.readable, i % 2);
}
END_TEST

/* A path as long as they get, of which each byte is written as four. */
START_TEST(of_a_file_with_a_long_name)
{
    enum { NAME = 250, DEPTH = 15 };
    char *name = unit_repeat('\n', NAME);
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *before;
    void *start;
    int fd;

    for (unsigned i = 0; i < DEPTH; i++) {
        ck_assert_int_eq(mkdir(name, 0700), 0);
        ck_assert_int_eq(chdir(name), 0);
    }
    fd = open("file", O_RDWR | O_CREAT, 0600);
    ck_assert_int_eq(ftruncate(fd, (off_t)page), 0);
    before = mmap(NULL, page, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    start = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0);
    (void)search_for(start);
    ck_assert_uint_eq(search_for(before)->found.end, (uintptr_t)before + page);
}
END_TEST

static bool stop_at_once(const struct al_mapping *at, void *data)
{
    (void)at;
    ++*(unsigned *)data;
    return false;
}

START_TEST(the_visitor_ends_it)
{
    unsigned seen = 0;
    int before = dup(0);

    close(before);
    ck_assert_int_eq(al_maps_each(stop_at_once, &seen), 0);
    ck_assert_uint_eq(seen, 1);
    ck_assert_int_eq(dup(0), before);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("maps");

    unit_in_directory(tests);
    tcase_add_test(tests, a_line_with_a_name);
    tcase_add_test(tests, a_line_without_a_name);
    tcase_add_test(tests, the_highest_address);
    tcase_add_test(tests, what_is_no_line);
    tcase_add_test(tests, of_this_process);
    tcase_add_test(tests, of_a_process_with_many_mappings);
    tcase_add_test(tests, of_a_file_with_a_long_name);
    tcase_add_test(tests, the_visitor_ends_it);
    return unit_run(tests);
}
