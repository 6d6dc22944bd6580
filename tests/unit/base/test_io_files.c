#include "io.h"
#include "sys.h"
#include "unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

static bool made;

static void make_file(const char *path, const char *contents)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    ck_assert_int_eq(write(fd, contents, strlen(contents)), (ssize_t)strlen(contents));
    close(fd);
}

static mode_t mode_of(const char *path)
{
    struct stat status;

    ck_assert_int_eq(lstat(path, &status), 0);
    return status.st_mode & 07777;
}

START_TEST(a_file_is_read_whole)
{
    char buffer[16];

    make_file("short", "contents");
    errno = 1234;
    ck_assert_int_eq(al_io_read_file("short", buffer, sizeof(buffer)), 8);
    ck_assert_int_eq(errno, 1234);
    ck_assert_str_eq(buffer, "contents");
}
END_TEST

START_TEST(a_file_is_read_until_the_buffer_is_full)
{
    char buffer[16] = "################";

    make_file("longer", "0123456789");
    ck_assert_int_eq(al_io_read_file("longer", buffer, 11), 10);
    ck_assert_str_eq(buffer, "0123456789");
    ck_assert_int_eq(al_io_read_file("longer", buffer, 10), 9);
    ck_assert_str_eq(buffer, "012345678");
    ck_assert_int_eq(al_io_read_file("longer", buffer, 1), 0);
    ck_assert_str_eq(buffer, "");
    ck_assert_int_eq(buffer[11], '#');
}
END_TEST

START_TEST(an_empty_file)
{
    char buffer[4] = "###";

    make_file("empty", "");
    ck_assert_int_eq(al_io_read_file("empty", buffer, sizeof(buffer)), 0);
    ck_assert_str_eq(buffer, "");
}
END_TEST

START_TEST(a_file_is_read_from_a_place_on)
{
    char buffer[16];

    make_file("places", "one two three four five two");
    ck_assert_int_eq(al_io_read_file_from("places", "two", buffer, sizeof(buffer)), 15);
    ck_assert_str_eq(buffer, "two three four ");
    ck_assert_int_eq(al_io_read_file_from("places", "ve", buffer, sizeof(buffer)), 6);
    ck_assert_str_eq(buffer, "ve two");
    ck_assert_int_eq(al_io_read_file_from("places", "one", buffer, sizeof(buffer)), 15);
    ck_assert_int_eq(al_io_read_file_from("places", "six", buffer, sizeof(buffer)), 0);
    ck_assert_str_eq(buffer, "");
    ck_assert_int_eq(al_io_read_file_from("missing", "six", buffer, sizeof(buffer)), -ENOENT);
}
END_TEST

/* Wherever the place lies in relation to the pieces in which the file is read. */
START_TEST(a_place_in_a_long_file)
{
    char buffer[32];

    for (size_t before = 0; before < 100; before++) {
        char *contents = unit_repeat('a', before + 200);

        memcpy(contents + before, "abcd", 4);
        unlink("long");
        make_file("long", contents);
        ck_assert_int_eq(al_io_read_file_from("long", "abcd", buffer, sizeof(buffer)), 31);
        ck_assert_str_eq(buffer, "abcdaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    }
}
END_TEST

START_TEST(what_cannot_be_read)
{
    char buffer[4];

    errno = 1234;
    ck_assert_int_eq(al_io_read_file("missing", buffer, sizeof(buffer)), -ENOENT);
    ck_assert_int_eq(al_io_read_file(".", buffer, sizeof(buffer)), -EISDIR);
    ck_assert_int_eq(errno, 1234);
}
END_TEST

START_TEST(reading_leaves_no_descriptor_open)
{
    char buffer[4];
    int before = dup(0);
    int after;

    close(before);
    (void)al_io_read_file(".", buffer, sizeof(buffer));
    (void)al_io_read_file("/proc/self/stat", buffer, sizeof(buffer));
    after = dup(0);
    ck_assert_int_eq(after, before);
}
END_TEST

START_TEST(appending_creates_and_appends)
{
    for (int i = 0; i < 2; i++) {
        int fd = al_io_open_append("appended", &made);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(made, i == 0);
        ck_assert_int_eq(write(fd, "line\n", 5), 5);
        ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        al_io_close(fd);
        ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
    }
    ck_assert_str_eq(unit_read_path("appended"), "line\nline\n");
}
END_TEST

START_TEST(nobody_else_may_write_what_is_created)
{
    umask(0);
    al_io_close(al_io_open_append("public", &made));
    ck_assert_int_eq(mode_of("public"), 0644);
    umask(077);
    al_io_close(al_io_open_append("private", &made));
    ck_assert_int_eq(mode_of("private"), 0600);
}
END_TEST

START_TEST(symbolic_links_are_not_followed)
{
    make_file("target", "untouched");
    ck_assert_int_eq(symlink("target", "link"), 0);
    ck_assert_int_eq(symlink("nowhere", "dangling"), 0);
    ck_assert_int_eq(al_io_open_append("link", &made), -ELOOP);
    ck_assert_int_eq(al_io_open_append("dangling", &made), -ELOOP);
    ck_assert_int_eq(access("nowhere", F_OK), -1);
}
END_TEST

/* Who may put names into a directory has led it there. */
START_TEST(a_file_with_two_names_is_left_alone)
{
    make_file("one", "untouched");
    ck_assert_int_eq(link("one", "two"), 0);
    ck_assert_int_eq(al_io_append("two", "report", 6), -EMLINK);
    ck_assert_str_eq(unit_read_path("one"), "untouched");
    ck_assert_int_eq(unlink("one"), 0);
    ck_assert_int_eq(al_io_append("two", ", now", 5), 0);
    ck_assert_str_eq(unit_read_path("two"), "untouched, now");
}
END_TEST

static size_t size_of(const char *path)
{
    struct stat status;

    ck_assert_int_eq(stat(path, &status), 0);
    return (size_t)status.st_size;
}

static bool ended;

static void *give_and_take_the_name(void *unused)
{
    while (!__atomic_load_n(&ended, __ATOMIC_RELAXED)) {
        (void)link("one", "two");
        (void)unlink("two");
    }
    return unused;
}

/* Opened by a name that is gone when it is looked at how many it has. */
START_TEST(a_file_whose_second_name_comes_and_goes_is_left_alone)
{
    pthread_t other;

    make_file("one", "untouched");
    ck_assert_int_eq(pthread_create(&other, NULL, give_and_take_the_name, NULL), 0);
    for (int i = 0; i < 20000; i++)
        (void)al_io_append("two", "report", 6);
    __atomic_store_n(&ended, true, __ATOMIC_RELAXED);
    ck_assert_int_eq(pthread_join(other, NULL), 0);
    ck_assert_uint_eq(size_of("one"), strlen("untouched"));
}
END_TEST

START_TEST(a_fifo_is_not_waited_for)
{
    int reader;
    int fd;

    ck_assert_int_eq(mkfifo("fifo", 0600), 0);
    ck_assert_int_eq(al_io_open_append("fifo", &made), -ENXIO);
    reader = open("fifo", O_RDONLY | O_NONBLOCK);
    fd = al_io_open_append("fifo", &made);
    ck_assert_int_eq(al_io_write(fd, "report", 6), 0);
    ck_assert_str_eq(unit_read_fd(reader), "report");
}
END_TEST

START_TEST(what_cannot_be_opened)
{
    struct rlimit none = {0, 0};

    errno = 1234;
    ck_assert_int_eq(al_io_open_append("missing/file", &made), -ENOENT);
    ck_assert_int_eq(al_io_open_append(".", &made), -EISDIR);
    ck_assert_int_eq(al_io_open_append(unit_repeat('n', 256), &made), -ENAMETOOLONG);
    ck_assert_int_eq(errno, 1234);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    ck_assert_int_eq(al_io_open_append("late", &made), -EMFILE);
}
END_TEST

START_TEST(identity_is_the_file_not_the_number)
{
    int first = al_io_open_append("first", &made);
    int second = al_io_open_append("second", &made);
    struct al_io_identity identity = al_io_identify(first);

    ck_assert(identity.known);
    ck_assert(identity.regular);
    ck_assert(al_io_same(identity, al_io_identify(first)));
    ck_assert(al_io_same(identity, al_io_identify(dup(first))));
    ck_assert(!al_io_same(identity, al_io_identify(second)));
    dup2(second, first);
    ck_assert(!al_io_same(identity, al_io_identify(first)));
}
END_TEST

START_TEST(what_is_unknown_is_never_the_same)
{
    struct al_io_identity none;

    errno = 1234;
    none = al_io_identify(-1);
    ck_assert_int_eq(errno, 1234);
    ck_assert(!none.known);
    ck_assert(!none.regular);
    ck_assert(!al_io_same(none, none));
}
END_TEST

START_TEST(a_file_by_its_name)
{
    int fd = al_io_open_append("named", &made);
    struct al_io_identity named;

    ck_assert_int_eq(symlink("named", "link_to_named"), 0);
    errno = 1234;
    named = al_io_look(AT_FDCWD, "named");
    ck_assert(named.known && named.regular && !named.link);
    ck_assert_uint_eq(named.inode, al_io_identify(fd).inode);
    named = al_io_look(AT_FDCWD, "link_to_named");
    ck_assert(named.known && !named.regular && named.link);
    ck_assert(!al_io_look(AT_FDCWD, "unnamed").known);
    ck_assert_int_eq(errno, 1234);
}
END_TEST

START_TEST(only_files_are_regular)
{
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert(al_io_identify(ends[0]).known);
    ck_assert(!al_io_identify(ends[0]).regular);
    ck_assert(!al_io_identify(open("/dev/null", O_WRONLY)).regular);
}
END_TEST

/* Whoever writes next to a pipe that was full for too long begins a line of his own. */
START_TEST(a_pipe_gets_whole_lines)
{
    enum { LINE = 3000, LINES = 4 };
    static char text[LINE * LINES + 1];
    static char got[sizeof(text)];
    ssize_t length;
    int ends[2];

    memset(text, 'x', sizeof(text));
    for (size_t line = 1; line <= LINES; line++)
        text[line * LINE - 1] = '\n';
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_gt(fcntl(ends[1], F_SETPIPE_SZ, 8192), 0);
    ck_assert_int_eq(al_io_write(ends[1], text, LINE * LINES), -EAGAIN);
    length = read(ends[0], got, sizeof(got));
    ck_assert_int_gt(length, 0);
    ck_assert_int_eq(length % LINE, 0);
    ck_assert_mem_eq(got, text, (size_t)length);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("io_files");

    unit_in_directory(tests);
    tcase_add_test(tests, a_file_is_read_whole);
    tcase_add_test(tests, a_file_is_read_until_the_buffer_is_full);
    tcase_add_test(tests, an_empty_file);
    tcase_add_test(tests, a_file_is_read_from_a_place_on);
    tcase_add_test(tests, a_place_in_a_long_file);
    tcase_add_test(tests, what_cannot_be_read);
    tcase_add_test(tests, reading_leaves_no_descriptor_open);
    tcase_add_test(tests, appending_creates_and_appends);
    tcase_add_test(tests, nobody_else_may_write_what_is_created);
    tcase_add_test(tests, symbolic_links_are_not_followed);
    tcase_add_test(tests, a_file_with_two_names_is_left_alone);
    tcase_add_test(tests, a_file_whose_second_name_comes_and_goes_is_left_alone);
    tcase_add_test(tests, a_fifo_is_not_waited_for);
    tcase_add_test(tests, what_cannot_be_opened);
    tcase_add_test(tests, identity_is_the_file_not_the_number);
    tcase_add_test(tests, what_is_unknown_is_never_the_same);
    tcase_add_test(tests, a_file_by_its_name);
    tcase_add_test(tests, only_files_are_regular);
    tcase_add_test(tests, a_pipe_gets_whole_lines);
    return unit_run(tests);
}
