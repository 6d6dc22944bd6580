/*
 * Uses every family of functions that the library stands in front of, and says of each what came of
 * it: the same with and without the library, whatever fails in there.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, LARGE = 6 << 20, BLOCKS = 64, THREADS = 3 };

extern char **environ;

static void say(const char *family, long value)
{
    (void)printf("%s %ld\n", family, value);
    (void)fflush(stdout);
}

/* 0 where all bytes are as they should be; no page is left out. */
static long differ(const char *bytes, size_t size, char value)
{
    for (size_t i = 0; i < size; i += i + 512 < size ? 512 : 1)
        if (bytes[i] != value)
            return (long)i + 1;
    return 0;
}

/* -- the heap ------------------------------------------------------------------------------------
 */

static long heap(void)
{
    char *blocks[BLOCKS], *large, *aligned;
    long wrong = 0;

    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = i % 2 ? malloc(i * 997 + 1) : calloc(i + 1, 1009);
        if (!blocks[i])
            return -1;
        memset(blocks[i], (int)i, i * 997 + 1);
    }
    for (size_t i = 0; i < BLOCKS; i += 3) {
        blocks[i] = realloc(blocks[i], i * 2003 + 1);
        if (!blocks[i])
            return -2;
    }
    for (size_t i = 0; i < BLOCKS; i++)
        wrong += differ(blocks[i], i * 997 + 1, (char)i);
    large = malloc(LARGE);
    if (!large || posix_memalign((void **)&aligned, 65536, 3 * PAGE))
        return -3;
    memset(large, 7, LARGE);
    memset(aligned, 8, 3 * PAGE);
    large = realloc(large, 2 * LARGE);
    if (!large)
        return -4;
    wrong += differ(large, LARGE, 7) + differ(aligned, 3 * PAGE, 8);
    free(large);
    free(aligned);
    for (size_t i = 0; i < BLOCKS; i++)
        free(blocks[i]);
    (void)malloc_trim(0);
    return wrong;
}

/* -- mappings ------------------------------------------------------------------------------------
 */

static char *map(size_t size, int protection)
{
    return mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static long mappings(void)
{
    char *bytes = map(LARGE, PROT_READ | PROT_WRITE), *closed = map(8 * PAGE, PROT_NONE), *more;
    long wrong = 0;

    if (bytes == MAP_FAILED || closed == MAP_FAILED)
        return -1;
    memset(bytes, 3, LARGE);
    if (madvise(bytes, 16 * PAGE, MADV_DONTNEED))
        return -2;
    wrong += differ(bytes, 16 * PAGE, 0) + differ(bytes + 16 * PAGE, LARGE - 16 * PAGE, 3);
    more = mremap(bytes, LARGE, 2 * LARGE, MREMAP_MAYMOVE);
    if (more == MAP_FAILED)
        return -3;
    wrong += differ(more + 16 * PAGE, LARGE - 16 * PAGE, 3) + differ(more + LARGE, LARGE, 0);
    if (munmap(more + LARGE, LARGE) || munmap(more + PAGE, PAGE))
        return -4;
    if (mremap(more + 2 * PAGE, LARGE - 2 * PAGE, PAGE, 0) == MAP_FAILED)
        return -5;
    if (mprotect(closed + PAGE, 2 * PAGE, PROT_READ | PROT_WRITE))
        return -6;
    memset(closed + PAGE, 4, 2 * PAGE);
    wrong += differ(closed + PAGE, 2 * PAGE, 4);
    return wrong + munmap(more, 3 * PAGE) + munmap(closed, 8 * PAGE);
}

/* A file, private and shared. */
static long files(void)
{
    int fd = (int)syscall(SYS_memfd_create, "families", 0);
    char *shared, *private;
    long wrong;

    if (fd < 0 || ftruncate(fd, 4 * PAGE))
        return -1;
    shared = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    private = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    if (shared == MAP_FAILED || private == MAP_FAILED)
        return -2;
    memset(shared, 5, PAGE);
    memset(private + PAGE, 6, PAGE);
    if (msync(shared, 4 * PAGE, MS_SYNC | MS_INVALIDATE))
        return -3;
    wrong =
        differ(shared, PAGE, 5) + differ(shared + PAGE, PAGE, 0) + differ(private + PAGE, PAGE, 6);
    return wrong + munmap(shared, 4 * PAGE) + munmap(private, 4 * PAGE) + close(fd);
}

static long segment(void)
{
    int id = shmget(IPC_PRIVATE, 4 * PAGE, IPC_CREAT | 0600);
    char *bytes;
    long wrong;

    if (id < 0)
        return -1;
    bytes = shmat(id, NULL, 0);
    (void)shmctl(id, IPC_RMID, NULL);
    if (bytes == (void *)-1)
        return -2;
    memset(bytes, 9, 4 * PAGE);
    wrong = differ(bytes, 4 * PAGE, 9);
    return wrong + shmdt(bytes);
}

static long locks(void)
{
    char *bytes = map(4 * PAGE, PROT_READ | PROT_WRITE);

    if (bytes == MAP_FAILED)
        return -1;
    return mlock(bytes, 2 * PAGE) + mlock(bytes + 2 * PAGE, PAGE) + munlock(bytes, PAGE) +
           munmap(bytes, 4 * PAGE);
}

static long end_of_heap(void)
{
    char *before = sbrk(0), *bytes = sbrk(4 * PAGE);

    if (bytes == (void *)-1)
        return -1;
    memset(bytes, 1, 4 * PAGE);
    return sbrk(-4 * PAGE) == (void *)-1 ? -2 : before > bytes;
}

/* -- threads, libraries and signals --------------------------------------------------------------
 */

static void *work(void *argument)
{
    volatile char deep[16 * PAGE];
    long *result = argument;

    for (size_t i = 0; i < sizeof(deep); i += PAGE)
        deep[i] = 1;
    for (int i = 0; i < 50; i++) {
        char *block = malloc((size_t)i * 1031 + 1);

        if (!block)
            return NULL;
        memset(block, i, (size_t)i * 1031 + 1);
        *result += differ(block, (size_t)i * 1031 + 1, (char)i);
        free(block);
    }
    *result += deep[0] == 1 ? 1 : 100;
    return NULL;
}

static long threads(void)
{
    pthread_t others[THREADS];
    long results[THREADS] = {0}, sum = 0;

    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&others[i], NULL, work, &results[i]))
            return -1;
    for (int i = 0; i < THREADS; i++)
        if (pthread_join(others[i], NULL))
            return -2;
    for (int i = 0; i < THREADS; i++)
        sum += results[i];
    return sum;
}

static long library(void)
{
    void *handle = dlopen("libm.so.6", RTLD_NOW);
    double (*root)(double);
    long result;

    if (!handle)
        return -1;
    *(void **)&root = dlsym(handle, "sqrt");
    result = root ? (long)root(1764) : -2;
    return dlclose(handle) ? -3 : result;
}

static volatile sig_atomic_t signals;

static void on_signal(int number)
{
    (void)number;
    signals = signals + 1;
}

static long raised(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t blocked;

    (void)sigaction(SIGUSR1, &action, NULL);
    (void)raise(SIGUSR1);
    free(malloc(300000));
    (void)raise(SIGUSR1);
    (void)sigprocmask(SIG_BLOCK, NULL, &blocked);
    for (int i = 1; i < 32; i++)
        if (sigismember(&blocked, i))
            return -i;
    return signals;
}

/* -- processes -----------------------------------------------------------------------------------
 */

static long status_of(pid_t child)
{
    int status;

    if (child < 0 || waitpid(child, &status, 0) != child)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1000 - WTERMSIG(status);
}

static long forks(void)
{
    char *mine = malloc(200000);
    long wrong;
    pid_t child;

    if (!mine)
        return -1;
    memset(mine, 2, 200000);
    child = fork();
    if (child == 0) {
        char *block = malloc(100000);

        if (!block || differ(mine, 200000, 2))
            _exit(1);
        memset(block, 1, 100000);
        memset(mine, 4, 200000);
        free(block);
        say("in a child", differ(mine, 200000, 4));
        exit(21);
    }
    if (status_of(child) != 21)
        return -2;
    child = fork();
    if (child == 0)
        _exit(heap() ? 1 : 22);
    if (status_of(child) != 22)
        return -3;
    wrong = differ(mine, 200000, 2);
    free(mine);
    return wrong;
}

static long others(void)
{
    static char *const arguments[] = {"sh", "-c", "echo spawned; exit 5", NULL};
    pid_t child;
    FILE *pipe;
    int got;

    if (posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, environ))
        return -1;
    if (status_of(child) != 5)
        return -2;
    child = vfork();
    if (child == 0) {
        (void)execv("/bin/sh", (char *[]){"sh", "-c", "exit 6", NULL});
        _exit(99);
    }
    if (status_of(child) != 6)
        return -3;
    pipe = popen("echo 44", "r");
    if (!pipe || fscanf(pipe, "%d", &got) != 1)
        return -4;
    return pclose(pipe) ? -5 : got;
}

static long rights(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_CORE, &limit) || setrlimit(RLIMIT_CORE, &limit))
        return -1;
    return prctl(PR_SET_NAME, "families") + (long)(syscall(SYS_getpid) != getpid());
}

/* From here on a limit holds, also where none did. */
static long given_up(void)
{
    pid_t child = fork();

    if (child == 0) {
        char *bytes = malloc(LARGE);

        if (!bytes)
            _exit(1);
        memset(bytes, 3, LARGE);
        (void)setuid(65534);
        bytes = realloc(bytes, 3 * LARGE);
        if (!bytes || differ(bytes, LARGE, 3) || mappings() || heap())
            _exit(2);
        memset(bytes, 4, 3 * LARGE);
        _exit(differ(bytes, 3 * LARGE, 4) ? 3 : 23);
    }
    return status_of(child);
}

static long nowhere(void)
{
    (void)execv("/nowhere/at/all", (char *[]){"nowhere", NULL});
    return errno;
}

/* -- the end -------------------------------------------------------------------------------------
 */

static void at_end(void)
{
    (void)fprintf(stderr, "at the end\n");
}

/* errno is the program's: what fails inside must not show in it. */
static long quiet(void)
{
    errno = 77;
    free(malloc(500000));
    free(realloc(calloc(3, 70000), 500000));
    (void)munmap(map(64 * PAGE, PROT_READ | PROT_WRITE), 64 * PAGE);
    return errno;
}

int main(int count, char **arguments)
{
    if (count > 1 && strcmp(arguments[1], "again") == 0) {
        (void)atexit(at_end);
        say("heap again", heap());
        say("locks again", locks());
        (void)fprintf(stderr, "executed\n");
        return 7;
    }
    say("heap", heap());
    say("errno", quiet());
    say("mappings", mappings());
    say("files", files());
    say("segment", segment());
    say("locks", locks());
    say("end of heap", end_of_heap());
    say("threads", threads());
    say("library", library());
    say("signals", raised());
    say("forks", forks());
    say("others", others());
    say("rights", rights());
    say("given up", given_up());
    say("nowhere", nowhere());
    say("errno", quiet());
    if (count > 1 && strcmp(arguments[1], "abort") == 0)
        abort();
    (void)execv("/proc/self/exe", (char *[]){arguments[0], "again", NULL});
    return 99;
}
