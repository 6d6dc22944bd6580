/*
 * Takes page faults after its warm-up, each sort in a function of its own. What it is told to do is
 * its first argument; what cannot be done here ends with 77.
 *
 * A line whose number the tests ask for has a comment that begins with "here:".
 */
#include <autolock/autolock.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 64, MANY = 50000, SKIP = 77 };

#if defined(__clang__)
#    define KEEP __attribute__((noinline))
#else
#    define KEEP __attribute__((noinline, noclone))
#endif

static void warm(void)
{
    if (autolock_mark)
        autolock_mark("warm");
}

/* -- what is touched ----------------------------------------------------------------------------
 */

KEEP static void touch_fresh(char *bytes, size_t pages)
{
    for (volatile char *at = bytes; pages--; at += PAGE)
        *at = 1; /* here: fresh */
}

KEEP static char *take_fresh(size_t size)
{
    char *bytes = malloc(size); /* here: allocate */

    for (size_t i = 0; i < size; i += PAGE)
        ((volatile char *)bytes)[i] = 1; /* here: take */
    return bytes;
}

/* By a function of the C library. */
KEEP static char *fill_fresh(size_t size)
{
    char *bytes = malloc(size);

    memset(bytes, 1, size); /* here: fill */
    __asm__ volatile("" : : "r"(bytes) : "memory");
    return bytes;
}

KEEP static char read_all(const char *bytes, size_t pages)
{
    char sum = 0;

    for (const volatile char *at = bytes; pages--; at += PAGE)
        sum = (char)(sum + *at); /* here: read */
    return sum;
}

KEEP static void write_again(char *bytes, size_t pages)
{
    for (volatile char *at = bytes; pages--; at += PAGE)
        *at = 2; /* here: again */
}

KEEP static void go_deep(void)
{
    volatile char frame[PAGES * PAGE];

    for (size_t i = PAGES; i-- > 0;)
        frame[i * PAGE] = 1; /* here: deep */
    (void)frame[0];
}

/* -- what it is told to do ----------------------------------------------------------------------
 */

/* Below the size from which malloc has a mapping of its own, so that it is the heap. */
static int heap(char *(*take)(size_t size))
{
    warm();
    for (int i = 0; i < 4; i++)
        if (!take((size_t)PAGES / 4 * PAGE))
            return 1;
    return 0;
}

static int anonymous(size_t pages)
{
    char *bytes =
        mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    warm();
    touch_fresh(bytes, pages);
    return 0;
}

static void *worker(void *unused)
{
    (void)unused;
    (void)pthread_setname_np(pthread_self(), "worker");
    go_deep();
    return NULL;
}

static int thread(void)
{
    pthread_t other;

    warm();
    return pthread_create(&other, NULL, worker, NULL) || pthread_join(other, NULL);
}

/* Of a file that is not in memory. */
static int file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *bytes;

    if (fd < 0 || fsync(fd) || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED))
        return SKIP;
    bytes = mmap(NULL, (size_t)PAGES * PAGE, PROT_READ, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED)
        return SKIP;
    (void)madvise(bytes, (size_t)PAGES * PAGE, MADV_RANDOM);
    warm();
    return read_all(bytes, PAGES) == 'x';
}

/* While a child is there, what is written has to be copied. */
static int forked(void)
{
    char *bytes = mmap(NULL, (size_t)PAGES * PAGE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int ends[2];
    pid_t child;
    int status;

    touch_fresh(bytes, PAGES);
    if (pipe(ends))
        return 1;
    warm();
    child = fork();
    if (child == 0) {
        char byte;

        (void)close(ends[1]);
        _exit(read(ends[0], &byte, 1) != 0);
    }
    write_again(bytes, PAGES);
    (void)close(ends[1]);
    return waitpid(child, &status, 0) != child || status != 0;
}

/* A child of its own that touches, and does nothing itself. */
static int child(void)
{
    char *bytes = mmap(NULL, (size_t)PAGES * PAGE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        touch_fresh(bytes, PAGES);
        _exit(0);
    }
    return waitpid(pid, &status, 0) != pid || status != 0;
}

int main(int count, char **arguments)
{
    const char *what = count > 1 ? arguments[1] : "";

    if (strcmp(what, "heap") == 0)
        return heap(take_fresh);
    if (strcmp(what, "fill") == 0)
        return heap(fill_fresh);
    if (strcmp(what, "anonymous") == 0)
        return anonymous(PAGES);
    if (strcmp(what, "many") == 0)
        return anonymous(MANY);
    if (strcmp(what, "thread") == 0)
        return thread();
    if (strcmp(what, "stack") == 0) {
        warm();
        go_deep();
        return 0;
    }
    if (strcmp(what, "file") == 0)
        return file(arguments[2]);
    if (strcmp(what, "fork") == 0)
        return forked();
    if (strcmp(what, "child") == 0)
        return child();
    if (strcmp(what, "nothing") == 0) {
        warm();
        return 0;
    }
    if (strcmp(what, "exec") == 0) {
        touch_fresh(malloc((size_t)PAGES * PAGE), PAGES);
        (void)execv(arguments[0], (char *[]){arguments[0], "heap", NULL});
    }
    return 1;
}
