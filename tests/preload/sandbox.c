/*
 * A program that gives up all system calls but a few by seccomp, and is killed for any other.
 *
 *     sandbox HOW
 *
 *     prctl, seccomp     by a filter, in the one way or the other
 *     strict             read, write and exit alone
 *     refused            the kernel refuses the filter: it goes on
 *     asked              asks only whether there are filters
 *     vfork              a child that shares our memory does it
 *     first              by a filter, before it has mapped anything
 *     sparse             by a filter; then it reserves memory
 */
#include "expect.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define ALLOW(number)                                                                              \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

#if defined(SYS_newfstatat)
#    define STAT SYS_newfstatat
#else
#    define STAT SYS_fstat
#endif

static struct sock_filter filter[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    /* What libc needs for malloc, stdio and the end; no madvise, mlock, futex, getpid. */
    ALLOW(SYS_read),
    ALLOW(SYS_write),
    ALLOW(SYS_exit),
    ALLOW(SYS_exit_group),
    ALLOW(SYS_rt_sigreturn),
    ALLOW(SYS_brk),
    ALLOW(SYS_mmap),
    ALLOW(SYS_munmap),
    ALLOW(SYS_mremap),
    ALLOW(SYS_mprotect),
    ALLOW(STAT),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
};

static struct sock_fprog listed = {sizeof(filter) / sizeof(filter[0]), filter};
static struct sock_fprog empty = {0, filter};

static void work(void)
{
    char *block = malloc(300000);
    char *area;

    expect(block);
    memset(used(block), 1, 300000);
    block = realloc(block, 3000000);
    expect(block);
    free(block);
    for (int i = 0; i < 1000; i++)
        free(used(malloc((size_t)i * 100)));
    area = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    expect(area != MAP_FAILED);
    expect(mprotect(area, PAGE, PROT_NONE) == 0);
    expect(mprotect(area, PAGE, PROT_READ | PROT_WRITE) == 0);
    area = mremap(area, 1 << 20, 2 << 20, MREMAP_MAYMOVE);
    expect(area != MAP_FAILED);
    area[5] = 1;
    expect(munmap(area, 2 << 20) == 0);
}

static void restrict_calls(void)
{
    expect(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &listed) == 0);
}

/* What looks at how much there is, or at what has been locked, has had no occasion before. */
static void work_first(void)
{
    char *own = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    expect(own != MAP_FAILED && mlock(own, PAGE) == 0);
    free(used(malloc(100))); /* libc asks for random bytes the first time */
    restrict_calls();
    expect(mmap(NULL, SIZE_MAX / 4, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    expect(munmap(own, PAGE) == 0);
    work();
}

static size_t resident(int statm)
{
    char text[128];
    ssize_t length = read(statm, text, sizeof(text) - 1);

    expect(length > 0);
    text[length] = '\0';
    return strtoul(strchr(text, ' '), NULL, 10) * PAGE;
}

/* Files of /proc are made when they are first read. */
static void reserve_memory(void)
{
    const size_t size = (size_t)128 << 20;
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    int statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    char *area;

    expect(statm >= 0);
    restrict_calls();
    area = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    expect(area != MAP_FAILED);
    area[5] = 1;
    expect(resident(statm) < size);
}

static void sandbox_in_child(void)
{
    int status = 0;
    pid_t child = vfork();

    /* Not by _exit(), which asks whose end it is. */
    if (child == 0)
        syscall(SYS_exit, prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &listed) ? 1 : 5);
    expect(child > 0 && waitpid(child, &status, 0) == child);
    expect_equal(status, 5 << 8);
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";

    if (!getenv("EXPECT_NO_LIBRARY"))
        prove_loaded();
    if (strcmp(how, "first") != 0)
        work();
    expect(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    if (strcmp(how, "prctl") == 0)
        restrict_calls();
    else if (strcmp(how, "seccomp") == 0)
        expect(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &listed) == 0);
    else if (strcmp(how, "strict") == 0)
        expect(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0);
    else if (strcmp(how, "refused") == 0)
        expect(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &empty) == -1 && errno == EINVAL);
    else if (strcmp(how, "asked") == 0)
        expect(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL) == -1 && errno == EFAULT &&
               prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) == -1 && errno == EFAULT);
    else if (strcmp(how, "vfork") == 0)
        sandbox_in_child();
    else if (strcmp(how, "first") == 0)
        work_first();
    else if (strcmp(how, "sparse") == 0)
        reserve_memory();
    else
        expect(false);
    if (strcmp(how, "strict") == 0) {
        free(used(malloc(100)));
        expect(write(STDOUT_FILENO, "done\n", 5) == 5);
        syscall(SYS_exit, 0);
    }
    work();
    expect(write(STDOUT_FILENO, "done\n", 5) == 5);
    return 0;
}
