/*
 * Has another program take its place, or tries to: itself, which shows what it was given.
 *
 *     execs HOW FILE          HOW: an exec function; FILE: what to execute
 *     execs vfork FILE        in a child of vfork, FILE and what is not there
 *     execs thread FILE       in a thread, while others are busy
 *     execs redirected FILE   in a child whose standard error is FILE, by that name with .err
 *     execs wait HOW          when standard input ends
 *     execs show …            shows its arguments and SHOWN of its environment
 */
#include "expect.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>

static const char *file;

/* Points nowhere; the compiler must not know. */
static char **volatile bad_argv = (char **)1;

static void show(char **argv)
{
    for (int i = 0; argv[i]; i++)
        printf("%d %s\n", i, argv[i]);
    printf("SHOWN %s\n", getenv("SHOWN") ? getenv("SHOWN") : "is not set");
}

#define FEW  "name", "show", "two", ""
#define MANY FEW, "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17", "18"

/* The environment as it is, but for SHOWN. */
static char **changed_environment(void)
{
    static char *changed[200];
    size_t count = 0;

    changed[count++] = (char *)"SHOWN=changed";
    for (char **variable = environ; *variable && count < 199; variable++)
        if (strncmp(*variable, "SHOWN=", 6) != 0)
            changed[count++] = *variable;
    return changed;
}

static bool execute(const char *how)
{
    char *few[] = {(char *)"name", (char *)"show", (char *)"two", (char *)"", NULL};
    char *const *changed = changed_environment();

    if (strcmp(how, "execve") == 0)
        execve(file, few, changed);
    else if (strcmp(how, "execveat") == 0)
        execveat(AT_FDCWD, file, few, changed, 0);
    else if (strcmp(how, "execveat_fd") == 0)
        execveat(open(file, O_PATH), "", few, changed, AT_EMPTY_PATH);
    else if (strcmp(how, "execveat_nofollow") == 0)
        execveat(AT_FDCWD, file, few, changed, AT_SYMLINK_NOFOLLOW);
    else if (strcmp(how, "execveat_flags") == 0)
        execveat(AT_FDCWD, file, few, changed, 1 << 30);
    else if (strcmp(how, "fexecve") == 0)
        fexecve(open(file, O_RDONLY), few, changed);
    else if (strcmp(how, "execv") == 0)
        execv(file, few);
    else if (strcmp(how, "execvp") == 0)
        execvp(file, few);
    else if (strcmp(how, "execvpe") == 0)
        execvpe(file, few, changed);
    else if (strcmp(how, "execl") == 0)
        execl(file, MANY, (char *)NULL);
    else if (strcmp(how, "execlp") == 0)
        execlp(file, MANY, (char *)NULL);
    else if (strcmp(how, "execle") == 0)
        execle(file, MANY, (char *)NULL, changed);
    else if (strcmp(how, "bad_path") == 0)
        execve((char *)1, few, changed);
    else if (strcmp(how, "bad_argv") == 0)
        execve(file, bad_argv, changed);
    else
        return false;
    return true;
}

static pid_t reap(pid_t child)
{
    int status = -1;

    expect(child > 0);
    expect(waitpid(child, &status, 0) == child);
    expect_equal(status, 0);
    return child;
}

static void in_vfork(void)
{
    pid_t child;

    errno = 0;
    child = vfork();
    if (child == 0) {
        execl("/there/is/nothing", "nothing", (char *)NULL);
        execv("/there/is/nothing", bad_argv);
        execlp(file, "name", "show", (char *)NULL);
        _exit(1);
    }
    reap(child);
    free(used(calloc(1, 1)));
    child = vfork();
    if (child == 0)
        _exit(0);
    reap(child);
}

static void *allocate(void *unused)
{
    for (;;)
        free(used(malloc(3000)));
    return unused;
}

static void *execute_it(void *unused)
{
    execl(file, "name", "show", (char *)NULL);
    return unused;
}

static void in_thread(void)
{
    pthread_t thread;

    for (int i = 0; i < 4; i++)
        expect(pthread_create(&thread, NULL, allocate, NULL) == 0);
    expect(pthread_create(&thread, NULL, execute_it, NULL) == 0);
    expect(pthread_join(thread, NULL) == 0);
}

static void in_redirected_child(void)
{
    char *name = NULL;
    pid_t child;

    expect(asprintf(&name, "%s.err", file) > 0);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        expect(dup2(open(name, O_WRONLY | O_CREAT | O_APPEND, 0600), STDERR_FILENO) == 2);
        execl(file, "name", "show", (char *)NULL);
        _exit(1);
    }
    reap(child);
}

static void when_input_ends(const char *how)
{
    char byte;

    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    if (strcmp(how, "_exit") == 0)
        _exit(0);
    if (strcmp(how, "quick_exit") == 0)
        quick_exit(0);
    if (strcmp(how, "exec") == 0)
        execl("/proc/self/exe", "name", "show", (char *)NULL);
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";

    file = argc > 2 ? argv[2] : "";
    if (!getenv("EXPECT_NO_LIBRARY"))
        prove_loaded();
    if (strcmp(how, "show") == 0) {
        show(argv);
    } else if (strcmp(how, "vfork") == 0) {
        in_vfork();
    } else if (strcmp(how, "thread") == 0) {
        in_thread();
    } else if (strcmp(how, "redirected") == 0) {
        in_redirected_child();
    } else if (strcmp(how, "wait") == 0) {
        when_input_ends(file);
    } else {
        errno = ERRNO_UNTOUCHED;
        expect(execute(how));
        printf("failed with %d\n", errno);
    }
    return 0;
}
