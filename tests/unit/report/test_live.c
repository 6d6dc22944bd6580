/* The counters as others see them: in a memfd, in a file, and what becomes of both in a fork. */
#include "live.h"
#include "live_file.h"
#include "times.h"
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Below the empty one that each test runs in. */
static char directory[] = "live-XXXXXX";

static int begin(const char *where)
{
    const struct al_live_start start = {
        .pid = getpid(), .program = "a/program", .directory = where};

    strcpy(al_live.head.command, "a/program with arguments");
    strcpy(al_live.head.options, "AUTOLOCK_MODE=all");
    return al_live_begin(&start);
}

/* How the kernel names the mapping that the counters are in. */
static void name_of_mapping(char *ret_line, size_t size)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    unsigned long from;
    unsigned long to;

    ck_assert_ptr_nonnull(maps);
    while (fgets(ret_line, (int)size, maps))
        if (sscanf(ret_line, "%lx-%lx", &from, &to) == 2 && from == (uintptr_t)&al_live)
            break;
    (void)fclose(maps);
}

static void expect_mapping(const char *part)
{
    char line[512];

    name_of_mapping(line, sizeof(line));
    ck_assert_msg(strstr(line, part) != NULL, "%s", line);
}

/* The only file in the directory, opened; -1: there is none. */
static int open_only(void)
{
    DIR *list = opendir(directory);
    char path[600] = "";
    struct dirent *entry;

    ck_assert_ptr_nonnull(list);
    while ((entry = readdir(list))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        ck_assert_msg(!*path, "%s and %s", path, entry->d_name);
        ck_assert_msg(entry->d_name[0] != '.', "%s", entry->d_name);
        (void)snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
    }
    (void)closedir(list);
    return *path ? open(path, O_RDWR | O_CLOEXEC) : -1;
}

static struct al_live seen;

static void look(int fd)
{
    ck_assert_int_eq(pread(fd, &seen, sizeof(seen), 0), sizeof(seen));
    ck_assert_int_eq(memcmp(seen.head.magic, AL_LIVE_MAGIC, sizeof(seen.head.magic)), 0);
}

static uint64_t counted_in(const struct al_live *live, enum al_counter counter)
{
    uint64_t sum[AL_COUNTER_TOTAL] = {0};

    al_counters_add_block(sum, &live->shared);
    for (size_t i = 0; i < AL_LIVE_BLOCKS; i++)
        al_counters_add_block(sum, &live->block[i]);
    return sum[counter];
}

static void make_directory(void)
{
    ck_assert_ptr_nonnull(mkdtemp(directory));
}

START_TEST(in_a_memfd_what_was_counted_before_stays)
{
    al_count_add(AL_COUNT_calls_malloc, 3);
    ck_assert_int_eq(begin(""), 0);
    al_count_add(AL_COUNT_calls_malloc, 4);
    ck_assert_uint_eq(counted_in(&al_live, AL_COUNT_calls_malloc), 7);
    ck_assert_uint_eq(al_live.head.state, AL_LIVE_RUNNING);
    ck_assert(!al_live_in_file());
    expect_mapping("rw-s");
    expect_mapping("/memfd:" AL_LIVE_NAME);
}
END_TEST

START_TEST(in_a_file_what_is_counted_is_there_at_once)
{
    struct stat status;
    int fd;

    make_directory();
    ck_assert_int_eq(begin(directory), 0);
    ck_assert(al_live_in_file());
    fd = open_only();
    ck_assert_int_eq(fstat(fd, &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0600);
    al_count_add(AL_COUNT_calls_free, 5);
    al_times_record(AL_TIMED_mlock2, 1000);
    al_live_set_backend("hooks");
    al_live_set(AL_FIELD_locked_tracked_bytes, 4096);
    look(fd);
    ck_assert_uint_eq(counted_in(&seen, AL_COUNT_calls_free), 5);
    ck_assert_uint_eq(seen.histogram[AL_TIMED_mlock2].max, 1000);
    ck_assert_str_eq(seen.head.backend, "hooks");
    ck_assert_str_eq(seen.head.program, "a/program");
    ck_assert_str_eq(seen.head.command, "a/program with arguments");
    ck_assert_str_eq(seen.head.options, "AUTOLOCK_MODE=all");
    ck_assert_int_eq(seen.head.pid, getpid());
    ck_assert_int_eq(seen.head.ppid, getppid());
    ck_assert_uint_eq(seen.head.field[AL_FIELD_locked_tracked_bytes], 4096);
    ck_assert_uint_eq(seen.head.state, AL_LIVE_RUNNING);
    al_live_finish("_exit");
    look(fd);
    ck_assert_uint_eq(seen.head.state, AL_LIVE_ENDED);
    ck_assert_str_eq(seen.head.ended, "_exit");
    al_live_resume();
    look(fd);
    ck_assert_uint_eq(seen.head.state, AL_LIVE_RUNNING);
}
END_TEST

/* That is how others know whether the process is still there. */
START_TEST(a_file_is_locked_while_its_process_is_there)
{
    int status;
    int gate[2];
    pid_t child;
    char byte;
    int fd;

    make_directory();
    ck_assert_int_eq(pipe(gate), 0);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        bool done = begin(directory) == 0 && write(gate[1], "x", 1) == 1;

        while (done)
            pause();
        _exit(1);
    }
    ck_assert_int_eq(read(gate[0], &byte, 1), 1);
    fd = open_only();
    look(fd);
    ck_assert_uint_eq(seen.head.locked, 1);
    ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), -1);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
    look(fd);
    ck_assert_uint_eq(seen.head.state, AL_LIVE_RUNNING);
}
END_TEST

START_TEST(where_there_is_no_file_there_is_a_memfd)
{
    static char long_path[5000];

    ck_assert_int_eq(begin("/nowhere/at/all"), -ENOENT);
    ck_assert(!al_live_in_file());
    expect_mapping("/memfd:" AL_LIVE_NAME);
    memset(long_path, 'x', sizeof(long_path) - 1);
    ck_assert_int_eq(begin(long_path), -ENAMETOOLONG);
}
END_TEST

START_TEST(past_the_file_size_limit_nothing_is_written)
{
    const struct rlimit little = {4096, RLIM_INFINITY};

    make_directory();
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &little), 0);
    ck_assert_int_eq(begin(directory), -EFBIG);
    ck_assert_int_eq(open_only(), -1);
    al_count_add(AL_COUNT_calls_malloc, 1);
    ck_assert_uint_eq(counted_in(&al_live, AL_COUNT_calls_malloc), 1);
}
END_TEST

static int in_child(void (*work)(void))
{
    int status;
    pid_t child;

    al_counters_before_fork();
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        work();
        _exit(0);
    }
    al_counters_forked();
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

static void begin_again(void)
{
    uint64_t before[AL_COUNTER_TOTAL];

    /* As a handler of the program's would, before ours is called. */
    al_count_add(AL_COUNT_calls_malloc, 1000);
    if (!al_live_forked(getpid()))
        _exit(1);
    al_counters_after_fork(before);
    al_live_show_forked();
    if (before[AL_COUNT_calls_malloc] != 7)
        _exit(2);
    if (counted_in(&al_live, AL_COUNT_calls_malloc) != 0)
        _exit(3);
    al_count_add(AL_COUNT_calls_malloc, 50);
    if (counted_in(&al_live, AL_COUNT_calls_malloc) != 50 || al_live.head.pid != getpid())
        _exit(4);
}

START_TEST(a_child_counts_for_itself)
{
    ck_assert_int_eq(begin(""), 0);
    al_count_add(AL_COUNT_calls_malloc, 7);
    ck_assert_int_eq(in_child(begin_again), 0);
    ck_assert_uint_eq(counted_in(&al_live, AL_COUNT_calls_malloc), 7);
    ck_assert_int_eq(al_live.head.pid, getpid());
}
END_TEST

static void without_descriptors(void)
{
    const struct rlimit none = {0, 1024};
    const struct rlimit some = {1024, 1024};

    (void)setrlimit(RLIMIT_NOFILE, &none);
    begin_again();
    (void)setrlimit(RLIMIT_NOFILE, &some);
    expect_mapping("rw-p");
}

START_TEST(a_child_without_descriptors_counts_in_private_memory)
{
    ck_assert_int_eq(begin(""), 0);
    al_count_add(AL_COUNT_calls_malloc, 7);
    ck_assert_int_eq(in_child(without_descriptors), 0);
    ck_assert_uint_eq(counted_in(&al_live, AL_COUNT_calls_malloc), 7);
}
END_TEST

static void in_a_file_of_its_own(void)
{
    if (chdir("/"))
        _exit(6);
    begin_again();
    if (!al_live_in_file() || al_live.head.ppid != getppid())
        _exit(5);
}

START_TEST(a_child_has_a_file_of_its_own)
{
    int fd;
    char path[600] = "";
    char name[64];

    make_directory();
    ck_assert_int_eq(begin(directory), 0);
    al_count_add(AL_COUNT_calls_malloc, 7);
    fd = open_only();
    ck_assert_int_eq(in_child(in_a_file_of_its_own), 0);
    look(fd);
    ck_assert_uint_eq(counted_in(&seen, AL_COUNT_calls_malloc), 7);
    /* The parent's away, there is the child's. */
    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    ck_assert_int_gt(readlink(name, path, sizeof(path) - 1), 0);
    ck_assert_int_eq(unlink(path), 0);
    look(open_only());
    ck_assert_uint_eq(counted_in(&seen, AL_COUNT_calls_malloc), 50);
}
END_TEST

START_TEST(more_memory_is_in_the_file_too)
{
    uint64_t offset = 0;
    char *more;
    char byte = 0;
    int fd;

    make_directory();
    ck_assert_int_eq(begin(directory), 0);
    fd = open_only();
    more = al_live_extend(65536, &offset);
    ck_assert_ptr_nonnull(more);
    ck_assert_uint_eq(offset, sizeof(al_live));
    more[65535] = 42;
    ck_assert_int_eq(pread(fd, &byte, 1, (off_t)offset + 65535), 1);
    ck_assert_int_eq(byte, 42);
    ck_assert_ptr_nonnull(al_live_extend(65536, &offset));
    ck_assert_uint_eq(offset, sizeof(al_live) + 65536);
}
END_TEST

START_TEST(without_its_file_more_memory_is_private)
{
    uint64_t offset = 1;
    char path[600];
    char name[64];

    make_directory();
    ck_assert_int_eq(begin(directory), 0);
    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", open_only());
    memset(path, 0, sizeof(path));
    ck_assert_int_gt(readlink(name, path, sizeof(path) - 1), 0);
    /* Another one in its place, planted by somebody. */
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(symlink("/etc/passwd", path), 0);
    ck_assert_ptr_nonnull(al_live_extend(65536, &offset));
    ck_assert_uint_eq(offset, 0);
}
END_TEST

/* A file of its own at `path`, with a lease: who opens it waits until the kernel takes that away.
 */
static void hold_lease(const char *path)
{
    int ready[2];
    char byte;

    ck_assert_int_eq(pipe(ready), 0);
    if (fork() == 0) {
        int fd;

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)signal(SIGIO, SIG_IGN);
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0 || fcntl(fd, F_SETLEASE, F_WRLCK))
            _exit(1);
        (void)write(ready[1], "", 1);
        for (;;)
            pause();
    }
    close(ready[1]);
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
}

/* In a directory of somebody else, who has put it in the place of ours. */
START_TEST(a_file_that_somebody_holds_is_not_waited_for)
{
    char path[600] = "";
    char name[64];

    make_directory();
    ck_assert_int_eq(begin(directory), 0);
    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", open_only());
    ck_assert_int_gt(readlink(name, path, sizeof(path) - 1), 0);
    ck_assert_int_eq(unlink(path), 0);
    hold_lease(path);
    ck_assert_int_eq(al_live_file_open(), -EAGAIN);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("live");

    unit_in_directory(tests);
    tcase_add_test(tests, in_a_memfd_what_was_counted_before_stays);
    tcase_add_test(tests, in_a_file_what_is_counted_is_there_at_once);
    tcase_add_test(tests, a_file_is_locked_while_its_process_is_there);
    tcase_add_test(tests, where_there_is_no_file_there_is_a_memfd);
    tcase_add_test(tests, past_the_file_size_limit_nothing_is_written);
    tcase_add_test(tests, a_child_counts_for_itself);
    tcase_add_test(tests, a_child_without_descriptors_counts_in_private_memory);
    tcase_add_test(tests, a_child_has_a_file_of_its_own);
    tcase_add_test(tests, more_memory_is_in_the_file_too);
    tcase_add_test(tests, without_its_file_more_memory_is_private);
    tcase_add_test(tests, a_file_that_somebody_holds_is_not_waited_for);
    return unit_run(tests);
}
