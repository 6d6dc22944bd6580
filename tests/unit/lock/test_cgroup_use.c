/* How much of a cgroup's memory is in use, and where its limit is: on trees of files. */
#include "cgroup_use.h"

#include "unit.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static void put(const char *name, const char *text)
{
    char path[2 * PATH_MAX] = "tree";

    unit_write_path(strcat(path, name), text);
}

static struct al_cgroup_home home_of(bool v2)
{
    struct al_cgroup_home home = {.v2 = v2, .directory = "tree/"};

    return home;
}

static void expect_home(uint64_t limit, bool v2, const char *directory)
{
    struct al_cgroup_home home = {.directory = "untouched"};

    ck_assert_uint_eq(al_cgroup_find("tree", &home), limit);
    ck_assert_str_eq(home.directory, directory);
    ck_assert(home.v2 == v2);
}

START_TEST(numbers_of_version_1)
{
    struct al_cgroup_home home = home_of(false);

    put("/memory.usage_in_bytes", "123456789\n");
    put("/memory.stat", "cache 1\ninactive_file 2\nactive_file 3\nhierarchical_memory_limit 4\n"
                        "total_cache 5\ntotal_inactive_file 6000\ntotal_active_file 70000\n"
                        "total_unevictable 8\n");
    ck_assert_uint_eq(al_cgroup_used(&home), 123456789);
    ck_assert_uint_eq(al_cgroup_droppable(&home), 76000);
}
END_TEST

START_TEST(numbers_of_version_2)
{
    struct al_cgroup_home home = home_of(true);

    put("/memory.current", "5\n");
    put("/memory.stat", "anon 1\nfile 2\nworkingset_inactive_file 9\ninactive_anon 3\n"
                        "inactive_file 400\nactive_file 5000\nunevictable 6\n");
    ck_assert_uint_eq(al_cgroup_used(&home), 5);
    ck_assert_uint_eq(al_cgroup_droppable(&home), 5400);
}
END_TEST

START_TEST(swap)
{
    struct al_cgroup_home v1 = home_of(false);
    struct al_cgroup_home v2 = home_of(true);

    ck_assert_uint_eq(al_cgroup_swap(&v2), AL_CGROUP_UNLIMITED);
    put("/memory.swap.max", "max\n");
    ck_assert_uint_eq(al_cgroup_swap(&v2), AL_CGROUP_UNLIMITED);
    put("/memory.swap.max", "0\n");
    ck_assert_uint_eq(al_cgroup_swap(&v2), 0);
    put("/memory.limit_in_bytes", "5000\n");
    ck_assert_uint_eq(al_cgroup_swap(&v1), AL_CGROUP_UNLIMITED);
    put("/memory.memsw.limit_in_bytes", "5000\n");
    ck_assert_uint_eq(al_cgroup_swap(&v1), 0);
    put("/memory.memsw.limit_in_bytes", "7000\n");
    ck_assert_uint_eq(al_cgroup_swap(&v1), 2000);
}
END_TEST

START_TEST(numbers_that_are_not_there)
{
    struct al_cgroup_home home = home_of(true);

    errno = 1234;
    ck_assert_uint_eq(al_cgroup_used(&home), AL_CGROUP_UNLIMITED);
    ck_assert_uint_eq(al_cgroup_droppable(&home), 0);
    ck_assert_int_eq(errno, 1234);
    put("/memory.current", "");
    put("/memory.stat", "anon 1\nfile 2\n");
    ck_assert_uint_eq(al_cgroup_used(&home), AL_CGROUP_UNLIMITED);
    ck_assert_uint_eq(al_cgroup_droppable(&home), 0);
    put("/memory.stat", "anon 1\ninactive_file x\n");
    ck_assert_uint_eq(al_cgroup_droppable(&home), 0);
}
END_TEST

START_TEST(where_the_limit_of_version_2_is)
{
    put("/proc/self/cgroup", "0::/a/b\n");
    put("/sys/fs/cgroup/a/b/cgroup.controllers", "memory\n");
    put("/sys/fs/cgroup/a/b/memory.max", "max\n");
    expect_home(AL_CGROUP_UNLIMITED, false, "untouched");
    put("/sys/fs/cgroup/a/memory.max", "5000\n");
    expect_home(5000, true, "tree/sys/fs/cgroup/a/");
    put("/sys/fs/cgroup/a/b/memory.max", "4000\n");
    expect_home(4000, true, "tree/sys/fs/cgroup/a/b/");
}
END_TEST

START_TEST(where_the_limit_of_version_1_is)
{
    put("/proc/self/cgroup", "4:memory:/a/b\n");
    put("/sys/fs/cgroup/memory/a/b/memory.stat", "hierarchical_memory_limit 5000\n");
    put("/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "9223372036854771712\n");
    expect_home(5000, false, "tree/sys/fs/cgroup/memory/a/b/"); /* above what is seen */
    put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "5000\n");
    expect_home(5000, false, "tree/sys/fs/cgroup/memory/");
    put("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "5000\n");
    expect_home(5000, false, "tree/sys/fs/cgroup/memory/a/");
}
END_TEST

static void begin(void)
{
    ck_assert_int_eq(mkdir("tree", 0755), 0);
}

int main(void)
{
    TCase *tests = tcase_create("cgroup_use");

    unit_in_directory(tests);
    tcase_add_checked_fixture(tests, begin, NULL);
    tcase_add_test(tests, numbers_of_version_1);
    tcase_add_test(tests, numbers_of_version_2);
    tcase_add_test(tests, swap);
    tcase_add_test(tests, numbers_that_are_not_there);
    tcase_add_test(tests, where_the_limit_of_version_2_is);
    tcase_add_test(tests, where_the_limit_of_version_1_is);
    return unit_run(tests);
}
