/* The limits of trees of cgroups, made of files in a folder of their own. */
#include "cgroup_parse.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NONE      AL_CGROUP_UNLIMITED
#define NONE_TEXT "9223372036854771712\n"

/* -- parsing -------------------------------------------------------------------------------- */

START_TEST(limits)
{
    static const struct {
        const char *text;
        uint64_t limit;
    } cases[] = {{"0\n", 0},
                 {"67108864\n", 67108864},
                 {"67108864", 67108864},
                 {"max\n", NONE},
                 {NONE_TEXT, NONE},
                 {"9223372036854710272\n", NONE}, /* pages of 64 KiB */
                 {"18446744073709551615\n", NONE},
                 {"99999999999999999999999999\n", NONE},
                 {"", NONE},
                 {"\n", NONE},
                 {"-1\n", NONE},
                 {" 1\n", NONE},
                 {"1 2\n", NONE},
                 {"maximum", NONE},
                 {"\xff\xfe", NONE}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_msg(al_cgroup_parse_limit(cases[i].text) == cases[i].limit, "%s", cases[i].text);
}
END_TEST

static struct al_cgroup parsed(enum al_cgroup_version known, const char *line)
{
    struct al_cgroup cgroup;

    memset(&cgroup, 0xAA, sizeof(cgroup));
    cgroup.version = known;
    strcpy(cgroup.path, "/known");
    al_cgroup_parse_line(line, &cgroup);
    return cgroup;
}

static void expect(const char *line, enum al_cgroup_version version, const char *path)
{
    struct al_cgroup cgroup = parsed(AL_CGROUP_NONE, line);

    ck_assert_msg(cgroup.version == version, "%s", line);
    ck_assert_str_eq(cgroup.path, path);
}

START_TEST(lines)
{
    expect("0::/", AL_CGROUP_V2, "");
    expect("0::/a.slice/b:c", AL_CGROUP_V2, "/a.slice/b:c");
    expect("4:memory:/a", AL_CGROUP_V1, "/a");
    expect("4:hugetlb,memory:/a", AL_CGROUP_V1, "/a");
    expect("4:memory,hugetlb:/", AL_CGROUP_V1, "");
    expect("4:hugetlb,memory,x:/a", AL_CGROUP_V1, "/a");
    expect("0::/a (deleted)", AL_CGROUP_V2, "/a (deleted)");
}
END_TEST

START_TEST(what_is_no_line)
{
    static const char *const junk[] = {"",
                                       ":",
                                       "::",
                                       "0:",
                                       "memory",
                                       "4:memory",
                                       "2:cpu:/a",
                                       "2::/a",
                                       "1:name=memory:/a",
                                       "2:memory2:/a",
                                       "2:xmemory:/a",
                                       "2:cpu:/memory:/a",
                                       "2:memor:/",
                                       "\xff::/a",
                                       "\n",
                                       ":memory"};

    for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++)
        expect(junk[i], AL_CGROUP_NONE, "/known");
}
END_TEST

START_TEST(version_1_is_where_the_controller_is)
{
    ck_assert_int_eq(parsed(AL_CGROUP_V1, "0::/b").version, AL_CGROUP_V1);
    ck_assert_str_eq(parsed(AL_CGROUP_V1, "0::/b").path, "/known");
    ck_assert_int_eq(parsed(AL_CGROUP_V2, "4:memory:/b").version, AL_CGROUP_V1);
    ck_assert_str_eq(parsed(AL_CGROUP_V2, "4:memory:/b").path, "/b");
}
END_TEST

START_TEST(paths_that_cannot_be)
{
    char *line = unit_repeat('p', 2 * PATH_MAX);

    expect("0::/..", AL_CGROUP_V2, "");
    expect("0::/../a", AL_CGROUP_V2, "");
    expect("0::/a/../../b", AL_CGROUP_V2, "");
    expect("0::/..a/b..", AL_CGROUP_V2, "/..a/b..");
    expect("0::a", AL_CGROUP_V2, "");
    expect("0::", AL_CGROUP_V2, "");
    memcpy(line, "0::/", 4);
    expect(line, AL_CGROUP_V2, "");
    line[4000] = '\0';
    expect(line, AL_CGROUP_V2, line + 3);
}
END_TEST

static const char *mount_of(const char *line, enum al_cgroup_version version)
{
    static char copy[512];

    return al_cgroup_parse_mount(strcpy(copy, line), version);
}

START_TEST(mounts)
{
    static const char v1[] = "33 24 0:29 / /cg/memory rw,nosuid shared:9 - cgroup cgroup rw,memory";
    static const char v2[] = "31 24 0:27 /x /cg/a\\040b rw,nosuid - cgroup2 cgroup2 rw,nsdelegate";
    static const char *const junk[] = {"",
                                       " - ",
                                       "- cgroup2",
                                       " - cgroup2 x rw,memory",
                                       "1 2 3 4 - cgroup2 x rw,memory",
                                       "1 2 3 4 /p rw - cgroup",
                                       "1 2 3 4 /p rw - cgroup x rw,cpu",
                                       "1 2 3 4 /p rw - ext4 x rw,memory"};

    ck_assert_str_eq(mount_of(v1, AL_CGROUP_V1), "/cg/memory");
    ck_assert_ptr_null(mount_of(v1, AL_CGROUP_V2));
    ck_assert_str_eq(mount_of(v2, AL_CGROUP_V2), "/cg/a b");
    ck_assert_ptr_null(mount_of(v2, AL_CGROUP_V1));
    for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++) {
        ck_assert_ptr_null(mount_of(junk[i], AL_CGROUP_V1));
        if (i < 4)
            ck_assert_ptr_null(mount_of(junk[i], AL_CGROUP_V2));
    }
}
END_TEST

/* -- trees ---------------------------------------------------------------------------------- */

/* Writes tree/NAME, with the folders it stands in. */
static void put(const char *name, const char *text)
{
    char path[2 * PATH_MAX] = "tree";

    unit_write_path(strcat(path, name), text);
}

static void cgroup_v2(const char *path, const char *limit)
{
    char name[PATH_MAX];

    snprintf(name, sizeof(name), "%s/cgroup.controllers", path);
    put(name, "cpu memory\n");
    snprintf(name, sizeof(name), "%s/memory.max", path);
    if (limit)
        put(name, limit);
}

static void expect_limit(uint64_t limit)
{
    errno = 1234;
    ck_assert_uint_eq(al_cgroup_limit("tree"), limit);
    ck_assert_int_eq(errno, 1234);
}

START_TEST(nothing_at_all)
{
    expect_limit(NONE);
    put("/proc/self/cgroup", "");
    expect_limit(NONE);
    put("/proc/self/cgroup", "0::/a\n");
    expect_limit(NONE);
    put("/proc/self/cgroup", "4:memory:/a\n");
    expect_limit(NONE);
    put("/proc/self/cgroup", "\xff\xff\xff\n:::\n\n::");
    expect_limit(NONE);
}
END_TEST

START_TEST(v2_the_smallest_of_all_above)
{
    put("/proc/self/cgroup", "0::/a/b/c\n");
    cgroup_v2("/sys/fs/cgroup", NULL);
    cgroup_v2("/sys/fs/cgroup/a", "5000\n");
    cgroup_v2("/sys/fs/cgroup/a/b", "max\n");
    cgroup_v2("/sys/fs/cgroup/a/b/c", "7000\n");
    cgroup_v2("/sys/fs/cgroup/a/b/c/d", "1\n");
    expect_limit(5000);
    cgroup_v2("/sys/fs/cgroup/a/b/c", "4000\n");
    expect_limit(4000);
    cgroup_v2("/sys/fs/cgroup", "3000\n");
    expect_limit(3000);
}
END_TEST

/* Past memory.high it is slowed down: that is a limit, too. */
START_TEST(v2_where_it_is_slowed_down)
{
    static struct al_cgroup_home home;

    put("/proc/self/cgroup", "0::/a/b\n");
    cgroup_v2("/sys/fs/cgroup/a", "9000\n");
    cgroup_v2("/sys/fs/cgroup/a/b", "max\n");
    put("/sys/fs/cgroup/a/b/memory.high", "max\n");
    expect_limit(9000);
    put("/sys/fs/cgroup/a/b/memory.high", "8000\n");
    expect_limit(8000);
    put("/sys/fs/cgroup/a/memory.high", "7000\n");
    expect_limit(7000);
    ck_assert_uint_eq(al_cgroup_find("tree", &home), 7000);
    ck_assert_str_eq(home.directory, "tree/sys/fs/cgroup/a/");
    put("/sys/fs/cgroup/a/memory.high", "70000\n");
    expect_limit(8000);
    ck_assert_uint_eq(al_cgroup_find("tree", &home), 8000);
    ck_assert_str_eq(home.directory, "tree/sys/fs/cgroup/a/b/");
}
END_TEST

START_TEST(v2_without_the_controller_here)
{
    put("/proc/self/cgroup", "0::/a/b\n");
    cgroup_v2("/sys/fs/cgroup", NULL);
    cgroup_v2("/sys/fs/cgroup/a", "5000\n");
    cgroup_v2("/sys/fs/cgroup/a/b", NULL);
    expect_limit(5000);
}
END_TEST

START_TEST(v2_no_limit)
{
    put("/proc/self/cgroup", "0::/\n");
    cgroup_v2("/sys/fs/cgroup", NULL);
    expect_limit(NONE);
    cgroup_v2("/sys/fs/cgroup", "max\n");
    expect_limit(NONE);
    cgroup_v2("/sys/fs/cgroup", "0\n");
    expect_limit(0);
}
END_TEST

/* The path is the host's, and the mount's root is the container's cgroup. */
START_TEST(v2_in_a_container_without_a_namespace)
{
    put("/proc/self/cgroup", "0::/docker/abc\n");
    cgroup_v2("/sys/fs/cgroup", "5000\n");
    cgroup_v2("/sys/fs/cgroup/docker", "1\n"); /* another one's */
    expect_limit(5000);
    put("/proc/self/cgroup", "0::/../sibling\n");
    expect_limit(5000);
}
END_TEST

START_TEST(v1_with_what_holds_from_above)
{
    put("/proc/self/cgroup", "9:cpu:/x\n4:memory:/a\n0::/b\n");
    put("/sys/fs/cgroup/memory/memory.limit_in_bytes", NONE_TEXT);
    put("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "9000\n");
    expect_limit(9000);
    put("/sys/fs/cgroup/memory/a/memory.stat",
        "cache 1\nhierarchical_memory_limit 5000\nhierarchical_memsw_limit 6000\n");
    cgroup_v2("/sys/fs/cgroup/unified/b", "1\n");
    expect_limit(5000);
    put("/sys/fs/cgroup/memory/a/memory.stat", "hierarchical_memory_limit " NONE_TEXT);
    expect_limit(NONE);
    put("/sys/fs/cgroup/memory/a/memory.stat", "cache 1\nhierarchical_memory_limi");
    expect_limit(9000);
    put("/sys/fs/cgroup/memory/a/memory.stat", "hierarchical_memory_limit ");
    expect_limit(NONE);
}
END_TEST

START_TEST(v1_in_a_container_without_a_namespace)
{
    put("/proc/self/cgroup", "4:memory:/docker/abc\n");
    put("/sys/fs/cgroup/memory/memory.stat", "hierarchical_memory_limit 5000\n");
    expect_limit(5000);
}
END_TEST

START_TEST(hybrid_with_the_controller_in_version_2)
{
    put("/proc/self/cgroup", "9:cpu:/x\n1:name=systemd:/y\n0::/b\n");
    cgroup_v2("/sys/fs/cgroup/unified", NULL);
    cgroup_v2("/sys/fs/cgroup/unified/b", "5000\n");
    put("/sys/fs/cgroup/memory/b/memory.stat", "hierarchical_memory_limit 1\n");
    expect_limit(5000);
}
END_TEST

START_TEST(mounted_elsewhere)
{
    put("/proc/self/cgroup", "0::/a\n");
    put("/proc/self/mountinfo", "22 1 0:21 / / rw - ext4 /dev/x rw\n"
                                "31 24 0:27 / /cg/x\\040y rw - cgroup2 none rw\n"
                                "33 24 0:29 / /cg/v1 rw - cgroup cgroup rw,memory\n");
    cgroup_v2("/cg/x y", NULL);
    cgroup_v2("/cg/x y/a", "5000\n");
    expect_limit(5000);
    put("/proc/self/cgroup", "4:memory:/a\n");
    put("/cg/v1/a/memory.stat", "hierarchical_memory_limit 4000\n");
    expect_limit(4000);
    put("/proc/self/cgroup", "4:memory:/other\n");
    put("/cg/v1/memory.stat", "hierarchical_memory_limit 3000\n");
    expect_limit(3000);
    /* Where the usual place is there, nothing else is asked. */
    put("/sys/fs/cgroup/memory/memory.stat", "hierarchical_memory_limit 2000\n");
    expect_limit(2000);
}
END_TEST

START_TEST(a_path_of_4000_characters)
{
    char *path = unit_repeat('p', 4000);
    char line[PATH_MAX + 64];

    for (size_t i = 0; i < 4000; i += 200)
        path[i] = '/';
    cgroup_v2("/sys/fs/cgroup", "5000\n");
    snprintf(line, sizeof(line), "0::%s\n", path);
    put("/proc/self/cgroup", line);
    expect_limit(5000);
    path[3600] = '\0'; /* with the names around it still one that the system takes */
    snprintf(line, sizeof(line), "0::%s\n", path);
    put("/proc/self/cgroup", line);
    expect_limit(5000);
    put("/sys/fs/cgroup/memory/memory.stat", "hierarchical_memory_limit 4000\n");
    snprintf(line, sizeof(line), "4:memory:%s\n", path);
    put("/proc/self/cgroup", line);
    expect_limit(4000);
}
END_TEST

START_TEST(files_that_cannot_be_read)
{
    put("/proc/self/cgroup", "0::/a\n");
    cgroup_v2("/sys/fs/cgroup", "5000\n");
    cgroup_v2("/sys/fs/cgroup/a", NULL);
    ck_assert_int_eq(mkdir("tree/sys/fs/cgroup/a/memory.max", 0755), 0);
    expect_limit(5000);
    ck_assert_int_eq(unlink("tree/proc/self/cgroup"), 0);
    ck_assert_int_eq(mkdir("tree/proc/self/cgroup", 0755), 0);
    expect_limit(NONE);
}
END_TEST

/* Whatever it is here, it is found out without harm. */
START_TEST(of_this_process)
{
    errno = 1234;
    ck_assert_uint_gt(al_cgroup_limit(""), 0);
    ck_assert_int_eq(errno, 1234);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("cgroup");

    unit_in_directory(tests);
    tcase_add_test(tests, limits);
    tcase_add_test(tests, lines);
    tcase_add_test(tests, what_is_no_line);
    tcase_add_test(tests, version_1_is_where_the_controller_is);
    tcase_add_test(tests, paths_that_cannot_be);
    tcase_add_test(tests, mounts);
    tcase_add_test(tests, nothing_at_all);
    tcase_add_test(tests, v2_the_smallest_of_all_above);
    tcase_add_test(tests, v2_where_it_is_slowed_down);
    tcase_add_test(tests, v2_without_the_controller_here);
    tcase_add_test(tests, v2_no_limit);
    tcase_add_test(tests, v2_in_a_container_without_a_namespace);
    tcase_add_test(tests, v1_with_what_holds_from_above);
    tcase_add_test(tests, v1_in_a_container_without_a_namespace);
    tcase_add_test(tests, hybrid_with_the_controller_in_version_2);
    tcase_add_test(tests, mounted_elsewhere);
    tcase_add_test(tests, a_path_of_4000_characters);
    tcase_add_test(tests, files_that_cannot_be_read);
    tcase_add_test(tests, of_this_process);
    return unit_run(tests);
}
