/* What the kernel says to a file is foretold: each case is tried as well. */
#include "executable.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void make(const char *name, const char *text, size_t length, mode_t mode)
{
    FILE *stream = fopen(name, "w");

    ck_assert_ptr_nonnull(stream);
    ck_assert_uint_eq(fwrite(text, 1, length, stream), length);
    ck_assert_int_eq(fclose(stream), 0);
    ck_assert_int_eq(chmod(name, mode), 0);
}

static void make_text(const char *name, const char *text)
{
    make(name, text, strlen(text), 0755);
}

/* Whether it is executed, by a call of ours and by the kernel. */
static bool runs(int directory, const char *path, int flags)
{
    bool told = al_executable(directory, path, flags, AL_TEXT_FAILS);
    char *const argv[] = {(char *)"name", NULL};
    int status;
    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        execveat(directory, path, argv, argv + 1, flags);
        _exit(111);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(told, !(WIFEXITED(status) && WEXITSTATUS(status) == 111));
    return told;
}

static bool runs_here(const char *path)
{
    return runs(AT_FDCWD, path, 0);
}

START_TEST(programs)
{
    ck_assert(runs_here("/bin/true"));
    ck_assert(!runs_here("/there/is/nothing"));
    ck_assert(!runs_here(""));
    ck_assert(!runs_here("/"));
    ck_assert(!runs_here("/dev/null"));
    ck_assert(!runs_here("/bin/true/true"));
    ck_assert(!runs_here((const char *)1));
    make("forbidden", "#!/bin/true\n", 12, 0644);
    ck_assert(!runs_here("forbidden"));
}
END_TEST

START_TEST(scripts)
{
    char long_line[600] = "#!/bin/true ";

    make_text("script", "#!/bin/true\n");
    make_text("blanks", "#! \t /bin/true\t-x y\n");
    make_text("no_newline", "#!/bin/true");
    memset(long_line + 12, 'x', 500);
    make_text("long", long_line);
    make_text("no_interpreter", "#!/there/is/nothing\n");
    make_text("no_name", "#!  \n/bin/true\n");
    make_text("of_text", "#!text\n");
    make_text("text", "exit 3\n");
    ck_assert(runs_here("script"));
    ck_assert(runs_here("blanks"));
    ck_assert(runs_here("no_newline"));
    ck_assert(runs_here("long"));
    ck_assert(!runs_here("no_interpreter"));
    ck_assert(!runs_here("no_name"));
    ck_assert(!runs_here("of_text"));
}
END_TEST

START_TEST(scripts_of_scripts)
{
    make_text("s0", "#!/bin/true\n");
    for (int i = 1; i < 8; i++) {
        char name[] = {'s', (char)('0' + i), '\0'};
        char text[] = "#!s0\n";

        text[3] = (char)('0' + i - 1);
        make_text(name, text);
        (void)runs_here(name);
    }
    ck_assert(runs_here("s1"));
    ck_assert(!runs_here("s7"));
}
END_TEST

START_TEST(other_files)
{
    make_text("text", "exit 3\n");
    make_text("short", "a");
    make_text("empty", "");
    ck_assert(!runs_here("text"));
    ck_assert(!runs_here("short"));
    ck_assert(!runs_here("empty"));
    ck_assert(al_executable(AT_FDCWD, "text", 0, AL_TEXT_RUNS));
    ck_assert(al_executable(AT_FDCWD, "empty", 0, AL_TEXT_RUNS));
    ck_assert(!al_executable(AT_FDCWD, "nothing", 0, AL_TEXT_RUNS));
    /* Somebody may be registered for it. */
    make("binary", "\x01\x02\x03\x04", 4, 0755);
    ck_assert(al_executable(AT_FDCWD, "binary", 0, AL_TEXT_FAILS));
}
END_TEST

START_TEST(by_descriptor)
{
    int file = open("/bin/true", O_RDONLY);
    int place = open("/bin/true", O_PATH);
    int directory = open("/bin", O_RDONLY | O_DIRECTORY);
    int text;

    ck_assert(runs(file, "", AT_EMPTY_PATH));
    ck_assert(runs(place, "", AT_EMPTY_PATH));
    ck_assert(!runs(file, "", 0));
    ck_assert(runs(directory, "true", 0));
    ck_assert(!runs(directory, "there is nothing", 0));
    ck_assert(!runs(directory, "", AT_EMPTY_PATH));
    ck_assert(!runs(-5, "true", 0));
    ck_assert(!runs(-5, "", AT_EMPTY_PATH));
    make_text("text", "exit 3\n");
    text = open("text", O_RDONLY);
    ck_assert(!runs(text, "", AT_EMPTY_PATH));
    ck_assert_int_eq(lseek(text, 0, SEEK_CUR), 0);
    ck_assert_int_eq(symlink("/bin/true", "link"), 0);
    ck_assert(runs_here("link"));
    ck_assert(!runs(AT_FDCWD, "link", AT_SYMLINK_NOFOLLOW));
}
END_TEST

START_TEST(by_name)
{
    char name[300];

    ck_assert_int_eq(mkdir("one", 0755), 0);
    ck_assert_int_eq(mkdir("two", 0755), 0);
    make_text("two/found", "#!/bin/true\n");
    make("one/found", "#!/bin/true\n", 12, 0644);
    make_text("here", "#!/bin/true\n");
    ck_assert(al_executable_in("one:two", "found"));
    ck_assert(al_executable_in("two", "found"));
    ck_assert(!al_executable_in("one", "found"));
    ck_assert(!al_executable_in("one:two", "lost"));
    ck_assert(al_executable_in("one:", "here"));
    ck_assert(al_executable_in(":one", "here"));
    ck_assert(al_executable_in("", "here"));
    ck_assert(!al_executable_in("one", "here"));
    ck_assert(al_executable_in("one", "two/found"));
    ck_assert(!al_executable_in("two", "one/found"));
    ck_assert(!al_executable_in("two", ""));
    ck_assert(al_executable_in(NULL, "true"));
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    ck_assert(!al_executable_in("one:two", name));
}
END_TEST

START_TEST(a_long_search_path)
{
    static char search[100000];

    memset(search, 'x', sizeof(search) - 1);
    memcpy(search + 50000, ":/bin:", 6);
    ck_assert(al_executable_in(search, "true"));
    ck_assert(!al_executable_in(search, "there is nothing"));
}
END_TEST

START_TEST(nothing_is_left)
{
    int before = dup(0);

    close(before);
    errno = 12345;
    ck_assert(al_executable(AT_FDCWD, "/bin/true", 0, AL_TEXT_FAILS));
    ck_assert(!al_executable(AT_FDCWD, "/there/is/nothing", 0, AL_TEXT_FAILS));
    ck_assert_int_eq(errno, 12345);
    ck_assert_int_eq(dup(0), before);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("executable");

    unit_in_directory(tests);
    tcase_add_test(tests, programs);
    tcase_add_test(tests, scripts);
    tcase_add_test(tests, scripts_of_scripts);
    tcase_add_test(tests, other_files);
    tcase_add_test(tests, by_descriptor);
    tcase_add_test(tests, by_name);
    tcase_add_test(tests, a_long_search_path);
    tcase_add_test(tests, nothing_is_left);
    return unit_run(tests);
}
