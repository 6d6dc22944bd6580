/*
 * Counts, says so, waits until standard input ends, and ends in one of many ways.
 *
 *     live HOW [THREADS TIMES]
 *
 * With threads they have all counted, and wait as well; `ended` and `waves`: they have ended.
 */
#include "telling.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>

enum { TIMES = 1234, SHARED_BYTES = 1 << 20 };

static long times;
static pthread_barrier_t counted;
static pthread_barrier_t told;

static void *count_and_wait(void *unused)
{
    do_countable(times);
    pthread_barrier_wait(&counted);
    pthread_barrier_wait(&told);
    return unused;
}

static void *count(void *unused)
{
    do_countable(times);
    return unused;
}

/* At once, so that each needs a block of its own. */
static void in_threads(int threads, const char *how)
{
    bool waiting = strcmp(how, "threads") == 0;
    int waves = strcmp(how, "waves") == 0 ? 3 : 1;
    pthread_attr_t small;
    pthread_t *thread = calloc((size_t)threads, sizeof(*thread));

    expect(thread && pthread_attr_init(&small) == 0);
    expect(pthread_attr_setstacksize(&small, 65536) == 0);
    expect(pthread_barrier_init(&told, NULL, (unsigned)threads + 1) == 0);
    expect(pthread_barrier_init(&counted, NULL, (unsigned)threads + 1) == 0);
    for (int wave = 0; wave < waves; wave++) {
        for (int i = 0; i < threads; i++)
            expect(pthread_create(&thread[i], &small, waiting ? count_and_wait : count, NULL) == 0);
        if (waiting)
            pthread_barrier_wait(&counted);
        else
            for (int i = 0; i < threads; i++)
                expect(pthread_join(thread[i], NULL) == 0);
    }
    tell_and_wait(how, waves * threads * times);
    if (waiting)
        pthread_barrier_wait(&told);
    exit(0);
}

static void *tell_of_all(void *main_thread)
{
    expect(pthread_join(*(pthread_t *)main_thread, NULL) == 0);
    do_countable(TIMES);
    tell_and_wait("main_ends", TIMES);
    exit(0);
}

/* The kernel shows no memory of a process without its main thread, but under another's number. */
static void end_main_thread(void)
{
    static pthread_t self;
    pthread_t thread;

    self = pthread_self();
    expect(pthread_create(&thread, NULL, tell_of_all, &self) == 0);
    pthread_exit(NULL);
}

/* Afterwards it may end in any way. */
static void try_a_sandbox(void)
{
    struct sock_fprog nothing = {0};

    expect(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    for (int i = 0; i < 2; i++)
        expect(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &nothing, 0, 0) != 0);
    raise(SIGKILL);
}

static void spoil_the_heap(void)
{
    char *block = malloc(24);

    free(used(block));
    free(used(block));
}

static void use_up_memory(void)
{
    for (;;) {
        char *block =
            mmap(NULL, SHARED_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        expect(block != MAP_FAILED);
        memset(block, 1, SHARED_BYTES);
    }
}

static void fail_to_execute(void)
{
    execl("/there/is/nothing", "nothing", (char *)NULL);
    /* What only the kernel finds out: until then it seems to go on. */
    execl("/bin/true", (char *)1, (char *)NULL);
    tell_and_wait("failed", TIMES);
    for (;;)
        pause();
}

static void end(const char *how)
{
    if (strcmp(how, "segv") == 0)
        *(volatile int *)8 = 1;
    else if (strcmp(how, "double_free") == 0)
        spoil_the_heap();
    else if (strcmp(how, "memory") == 0)
        use_up_memory();
    else if (strcmp(how, "bare") == 0)
        syscall(SYS_exit_group, 0);
    else if (strncmp(how, "signal", 6) == 0)
        raise((int)strtol(how + 6, NULL, 10));
    else if (strcmp(how, "_Exit") == 0)
        _Exit(0);
    else if (strcmp(how, "refused") == 0)
        try_a_sandbox();
}

int main(int argc, char **argv)
{
    expect(argc >= 2);
    if (!getenv("EXPECT_NO_LIBRARY"))
        prove_loaded();
    if (argc == 4) {
        times = strtol(argv[3], NULL, 10);
        in_threads((int)strtol(argv[2], NULL, 10), argv[1]);
    }
    if (strcmp(argv[1], "main_ends") == 0)
        end_main_thread();
    do_countable(TIMES);
    if (strcmp(argv[1], "exec_fails") == 0)
        fail_to_execute();
    tell_and_wait(argv[1], TIMES);
    end(argv[1]);
    return 0;
}
