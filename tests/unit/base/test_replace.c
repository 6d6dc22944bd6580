/* A file in the place of another: the one or the other is there, and nothing is left beside it. */
#include "replace.h"
#include "sys.h"
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Each test has a directory to itself, so that it may count what is in it. */
static void begin(void)
{
    char name[] = "test-XXXXXX";

    ck_assert_ptr_nonnull(mkdtemp(name));
    ck_assert_int_eq(chdir(name), 0);
}

static int replace(const char *path, const char *contents)
{
    static char bytes[8192];
    int result;

    strcpy(bytes, path);
    errno = 1234;
    result = al_replace(bytes, contents, strlen(contents));
    ck_assert_int_eq(errno, 1234);
    ck_assert_str_eq(bytes, path);
    return result;
}

static unsigned entries_of(const char *path)
{
    DIR *directory = opendir(path);
    unsigned count = 0;

    while (readdir(directory))
        count++;
    closedir(directory);
    return count - 2;
}

static struct stat status_of(const char *path)
{
    struct stat status;

    ck_assert_int_eq(lstat(path, &status), 0);
    return status;
}

START_TEST(a_file_is_made)
{
    ck_assert_int_eq(replace("file", "contents\n"), 0);
    ck_assert_str_eq(unit_read_path("file"), "contents\n");
    ck_assert_int_eq(replace("./file2", ""), 0);
    ck_assert_str_eq(unit_read_path("file2"), "");
    ck_assert_uint_eq(entries_of("."), 2);
}
END_TEST

/* Who has the old one open goes on reading it. */
START_TEST(another_file_takes_the_place)
{
    struct stat before;
    int reader;

    ck_assert_int_eq(replace("file", "a first, longer one\n"), 0);
    before = status_of("file");
    reader = open("file", O_RDONLY);
    ck_assert_int_eq(replace("file", "second\n"), 0);
    ck_assert_str_eq(unit_read_path("file"), "second\n");
    ck_assert_str_eq(unit_read_fd(reader), "a first, longer one\n");
    ck_assert_uint_ne(status_of("file").st_ino, before.st_ino);
    ck_assert_uint_eq(entries_of("."), 1);
}
END_TEST

START_TEST(in_another_directory)
{
    char path[256];

    ck_assert_int_eq(mkdir("directory", 0700), 0);
    ck_assert_int_eq(replace("directory/file", "one"), 0);
    ck_assert_int_eq(replace("directory//file", "two"), 0);
    ck_assert_str_eq(unit_read_path("directory/file"), "two");
    ck_assert_ptr_nonnull(getcwd(path, 200));
    strcat(path, "/absolute");
    ck_assert_int_eq(replace(path, "three"), 0);
    ck_assert_str_eq(unit_read_path("absolute"), "three");
    ck_assert_uint_eq(entries_of("directory"), 1);
    ck_assert_uint_eq(entries_of("."), 2);
}
END_TEST

START_TEST(nobody_else_may_write_it)
{
    umask(0);
    ck_assert_int_eq(replace("public", ""), 0);
    ck_assert_int_eq(status_of("public").st_mode & 07777, 0644);
    umask(077);
    ck_assert_int_eq(replace("private", ""), 0);
    ck_assert_int_eq(status_of("private").st_mode & 07777, 0600);
}
END_TEST

START_TEST(symbolic_links_are_neither_followed_nor_replaced)
{
    ck_assert_int_eq(replace("target", "precious"), 0);
    ck_assert_int_eq(symlink("target", "link"), 0);
    ck_assert_int_eq(symlink("nowhere", "dangling"), 0);
    ck_assert_int_eq(replace("link", "new"), -ELOOP);
    ck_assert_int_eq(replace("dangling", "new"), -ELOOP);
    ck_assert_int_eq(replace("/proc/self/fd/2", "new"), -ELOOP);
    ck_assert_str_eq(unit_read_path("target"), "precious");
    ck_assert(S_ISLNK(status_of("link").st_mode));
    ck_assert_uint_eq(entries_of("."), 3);
}
END_TEST

START_TEST(what_is_no_regular_file_is_written_to)
{
    int reader;

    ck_assert_int_eq(mkfifo("fifo", 0600), 0);
    ck_assert_int_eq(replace("fifo", "unread"), -ENXIO);
    reader = open("fifo", O_RDONLY | O_NONBLOCK);
    ck_assert_int_eq(replace("fifo", "one "), 0);
    ck_assert_int_eq(replace("fifo", "two"), 0);
    ck_assert_str_eq(unit_read_fd(reader), "one two");
    ck_assert(S_ISFIFO(status_of("fifo").st_mode));
    ck_assert_int_eq(replace("/dev/null", "nothing"), 0);
    ck_assert(S_ISCHR(status_of("/dev/null").st_mode));
    ck_assert_int_eq(replace("/dev/full", "too much"), -ENOSPC);
    ck_assert_uint_eq(entries_of("."), 1);
}
END_TEST

/* `file` is a FIFO, and then another name of `kept`, without an end. */
static pid_t change_what_is_there(void)
{
    pid_t child = fork();

    if (child == 0)
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (child == 0) {
        (void)unlink("file");
        (void)mkfifo("file", 0600);
        (void)unlink("file");
        (void)link("kept", "file");
    }
    return child;
}

/* Looked at it was a FIFO, opened it is a file that somebody has led us to. */
START_TEST(what_has_become_a_file_is_not_written_to)
{
    enum { ROUNDS = 5000, ENOUGH = 2 };
    unsigned fifos = 0;
    unsigned caught = 0;
    pid_t child;

    ck_assert_int_eq(replace("kept", "precious"), 0);
    child = change_what_is_there();
    ck_assert_int_gt(child, 0);
    for (int i = 0; i < ROUNDS && caught < ENOUGH; i++) {
        int error = replace("file", "new");

        fifos += error == -ENXIO;
        caught += error == -EEXIST;
        ck_assert_str_eq(unit_read_path("kept"), "precious");
    }
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    ck_assert_uint_gt(fifos + caught, 0);
}
END_TEST

START_TEST(what_cannot_be_replaced)
{
    ck_assert_int_eq(replace("", ""), -ENOENT);
    ck_assert_int_eq(replace("missing/file", ""), -ENOENT);
    ck_assert_int_eq(replace(".", ""), -EISDIR);
    ck_assert_int_eq(replace("..", ""), -EISDIR);
    ck_assert_int_eq(replace("./", ""), -EISDIR);
    ck_assert_int_eq(replace("/", ""), -EISDIR);
    ck_assert_int_eq(replace("/dev/null/file", ""), -ENOTDIR);
    ck_assert_int_eq(replace(unit_repeat('n', 256), ""), -ENAMETOOLONG);
    ck_assert_int_eq(replace(unit_repeat('/', 5000), ""), -EISDIR);
    ck_assert_uint_eq(entries_of("."), 0);
}
END_TEST

/* The name beside it is short, whatever the file's own is. */
START_TEST(the_longest_names)
{
    char *name = unit_repeat('n', 255);
    char *path = unit_repeat('/', 4095);

    ck_assert_int_eq(replace(name, "one"), 0);
    ck_assert_str_eq(unit_read_path(name), "one");
    /* A path of as many bytes as the kernel takes. */
    path[0] = '.';
    path[4094] = 'p';
    ck_assert_int_eq(replace(path, "two"), 0);
    ck_assert_str_eq(unit_read_path("p"), "two");
    ck_assert_uint_eq(entries_of("."), 2);
}
END_TEST

/* It is the directory that is changed, and must be one that may be; to read it is not needed. */
START_TEST(what_may_not_be_written)
{
    ck_assert_int_eq(mkdir("blind", 0755), 0);
    ck_assert_int_eq(mkdir("fixed", 0755), 0);
    ck_assert_int_eq(replace("blind/constant", "one"), 0);
    ck_assert_int_eq(replace("fixed/file", "precious"), 0);
    ck_assert_int_eq(chmod("blind/constant", 0444), 0);
    ck_assert_int_eq(chmod("fixed/file", 0666), 0);
    ck_assert_int_eq(chmod("blind", 0333), 0);
    ck_assert_int_eq(chmod("fixed", 0555), 0);
    if (geteuid() == 0) {
        ck_assert_int_eq(chmod(".", 0755), 0);
        ck_assert_int_eq(seteuid(65534), 0);
    }
    ck_assert_int_eq(replace("blind/file", "one"), 0);
    ck_assert_str_eq(unit_read_path("blind/file"), "one");
    ck_assert_int_eq(replace("blind/constant", "two"), 0);
    ck_assert_str_eq(unit_read_path("blind/constant"), "two");
    ck_assert_int_eq(replace("fixed/file", "three"), -EACCES);
    ck_assert_str_eq(unit_read_path("fixed/file"), "precious");
    if (getuid() == 0)
        ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(chmod("blind", 0755), 0);
    ck_assert_int_eq(chmod("fixed", 0755), 0);
    ck_assert_uint_eq(entries_of("blind"), 2);
    ck_assert_uint_eq(entries_of("fixed"), 1);
}
END_TEST

/* Nothing is begun that cannot be finished: the old file stays, and no other does. */
START_TEST(a_limit_in_the_middle)
{
    struct rlimit limit = {4096, 4096};

    ck_assert_int_eq(replace("file", "precious"), 0);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_int_eq(replace("file", unit_repeat('x', 8000)), -EFBIG);
    ck_assert_str_eq(unit_read_path("file"), "precious");
    ck_assert_uint_eq(entries_of("."), 1);
    ck_assert_int_eq(replace("file", "short"), 0);
}
END_TEST

START_TEST(no_descriptor_is_left_open)
{
    struct rlimit few = {0, 0};
    int before = dup(0);
    int after;

    close(before);
    ck_assert_int_eq(mkdir("directory", 0700), 0);
    ck_assert_int_eq(replace("directory/file", "one"), 0);
    ck_assert_int_eq(replace("directory/missing/file", "one"), -ENOENT);
    ck_assert_int_eq(symlink("file", "directory/link"), 0);
    ck_assert_int_eq(replace("directory/link", "one"), -ELOOP);
    after = dup(0);
    ck_assert_int_eq(after, before);
    close(after);
    /* Room for the directory, and for nothing in it. */
    few.rlim_cur = few.rlim_max = (rlim_t)before + 1;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    ck_assert_int_eq(replace("directory/file", "two"), -EMFILE);
    ck_assert_int_eq(dup(0), before);
    ck_assert_int_eq(replace("directory/file", "two"), -EMFILE);
}
END_TEST

/* Somebody who looks all the time sees one whole text or another, never none and never a mix. */
START_TEST(many_at_once)
{
    enum { WRITERS = 4, ROUNDS = 300, SIZE = 5000 };
    pid_t writer[WRITERS];
    unsigned left = WRITERS;

    ck_assert_int_eq(replace("file", unit_repeat('0', SIZE)), 0);
    for (int i = 0; i < WRITERS; i++) {
        writer[i] = fork();
        if (writer[i] == 0) {
            char *contents = unit_repeat((char)('a' + i), SIZE);
            char path[] = "file";

            for (int round = 0; round < ROUNDS; round++)
                if (al_replace(path, contents, SIZE))
                    _exit(1);
            _exit(0);
        }
    }
    while (left) {
        char *seen = unit_read_path("file");
        int status;

        ck_assert_uint_eq(strlen(seen), SIZE);
        ck_assert_uint_eq(strspn(seen, (char[]){seen[0], '\0'}), SIZE);
        if (waitpid(-1, &status, WNOHANG) > 0) {
            ck_assert_int_eq(status, 0);
            left--;
        }
    }
    ck_assert_uint_eq(entries_of("."), 1);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("replace");

    unit_in_directory(tests);
    tcase_add_checked_fixture(tests, begin, NULL);
    tcase_add_test(tests, a_file_is_made);
    tcase_add_test(tests, another_file_takes_the_place);
    tcase_add_test(tests, in_another_directory);
    tcase_add_test(tests, nobody_else_may_write_it);
    tcase_add_test(tests, symbolic_links_are_neither_followed_nor_replaced);
    tcase_add_test(tests, what_is_no_regular_file_is_written_to);
    tcase_add_test(tests, what_has_become_a_file_is_not_written_to);
    tcase_add_test(tests, what_cannot_be_replaced);
    tcase_add_test(tests, the_longest_names);
    tcase_add_test(tests, what_may_not_be_written);
    tcase_add_test(tests, a_limit_in_the_middle);
    tcase_add_test(tests, no_descriptor_is_left_open);
    tcase_add_test(tests, many_at_once);
    return unit_run(tests);
}
