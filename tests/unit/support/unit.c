#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Generous: a sanitizer on a busy machine takes its time, and a test that hangs is found anyway. */
static const double timeout_s = 60;

static char directory[PATH_MAX];

int unit_run(TCase *tests)
{
    Suite *suite = suite_create("unit");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tests, timeout_s);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static void enter_directory(void)
{
    const char *parent = getenv("TMPDIR");
    static const char name[] = "/autolock-unit-XXXXXX";

    if (!parent || !*parent || strlen(parent) > sizeof(directory) - sizeof(name))
        parent = "/tmp";
    memcpy(stpcpy(directory, parent), name, sizeof(name));
    if (!mkdtemp(directory) || chdir(directory))
        abort();
}

static void enter_tests_own(void)
{
    char name[] = "XXXXXX";

    if (!mkdtemp(name) || chdir(name))
        abort();
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

static void leave_directory(void)
{
    if (chdir("/") || nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS))
        abort();
}

void unit_in_directory(TCase *tests)
{
    tcase_add_unchecked_fixture(tests, enter_directory, leave_directory);
    tcase_add_checked_fixture(tests, enter_tests_own, NULL);
}

char *unit_read_fd(int fd)
{
    size_t size = 1 << 16;
    size_t length = 0;
    char *bytes = malloc(size);
    ssize_t got;

    ck_assert_ptr_nonnull(bytes);
    while ((got = read(fd, bytes + length, size - 1 - length)) > 0) {
        length += (size_t)got;
        if (length == size - 1) {
            size *= 2;
            bytes = realloc(bytes, size);
            ck_assert_ptr_nonnull(bytes);
        }
    }
    bytes[length] = '\0';
    return bytes;
}

char *unit_read_path(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *bytes;

    ck_assert_msg(fd >= 0, "%s cannot be read", path);
    bytes = unit_read_fd(fd);
    close(fd);
    return bytes;
}

void unit_write_path(const char *path, const char *text)
{
    char *folder = strdup(path);
    FILE *stream;

    for (char *at = folder; (at = strchr(at + 1, '/'));) {
        *at = '\0';
        ck_assert(mkdir(folder, 0755) == 0 || errno == EEXIST);
        *at = '/';
    }
    free(folder);
    stream = fopen(path, "w");
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_ge(fputs(text, stream), 0);
    ck_assert_int_eq(fclose(stream), 0);
}

char *unit_repeat(char c, size_t count)
{
    char *string = malloc(count + 1);

    ck_assert_ptr_nonnull(string);
    memset(string, c, count);
    string[count] = '\0';
    return string;
}

void unit_full_pipe(int ret_ends[2])
{
    static const char byte = 'x';
    int flags;

    ck_assert_int_eq(pipe2(ret_ends, O_CLOEXEC), 0);
    flags = fcntl(ret_ends[1], F_GETFL);
    fcntl(ret_ends[1], F_SETFL, flags | O_NONBLOCK);
    while (write(ret_ends[1], &byte, 1) == 1)
        continue;
    fcntl(ret_ends[1], F_SETFL, flags);
}

int unit_catch_stderr(void)
{
    int ends[2];

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    ck_assert_int_ge(fcntl(ends[1], F_SETPIPE_SZ, 1 << 20), 1 << 20);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    close(ends[1]);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return ends[0];
}
