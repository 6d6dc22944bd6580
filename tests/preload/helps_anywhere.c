/*
 * A program that uses autolock/autolock.h in all threads, in signal handlers, and where the library
 * does nothing.
 *
 *     helps_anywhere SCENARIO
 */
#include "helps.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>

static atomic_int interrupted;
static atomic_bool done;

static void expect_plausible(const struct autolock_stats *stats)
{
    expect_equal(stats->known_bytes, sizeof(*stats));
    expect(stats->faults_minor_after_mark <= stats->faults_minor_after_lock);
    expect(stats->faults_major_after_mark <= stats->faults_major_after_lock);
    expect(stats->faults_minor_after_lock <= stats->faults_minor);
    expect(stats->locked_kernel_bytes <= stats->locked_peak_kernel_bytes);
}

static void handle(int number)
{
    struct autolock_stats stats;

    (void)number;
    autolock_mark("handler");
    expect_equal(autolock_snapshot(&stats, sizeof(stats)), 0);
    expect_plausible(&stats);
    atomic_fetch_add(&interrupted, 1);
}

static void *mark_and_look(void *unused)
{
    for (int i = 0; i < 500; i++) {
        struct autolock_stats stats = snapshot();

        expect_plausible(&stats);
        mark("thread");
        free(used(malloc(5000)));
    }
    return unused;
}

static void *interrupt(void *thread)
{
    while (!atomic_load(&done)) {
        int before = atomic_load(&interrupted);

        expect(pthread_kill(*(pthread_t *)thread, SIGUSR1) == 0);
        while (atomic_load(&interrupted) == before && !atomic_load(&done))
            sched_yield();
    }
    return NULL;
}

static void threads_and_handlers(void)
{
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    pthread_t self = pthread_self();
    pthread_t thread[4];
    pthread_t other;

    expect(sigaction(SIGUSR1, &action, NULL) == 0);
    expect(pthread_create(&other, NULL, interrupt, &self) == 0);
    for (int i = 0; i < 4; i++)
        expect(pthread_create(&thread[i], NULL, mark_and_look, NULL) == 0);
    do
        (void)mark_and_look(NULL);
    while (atomic_load(&interrupted) < 100);
    for (int i = 0; i < 4; i++)
        expect(pthread_join(thread[i], NULL) == 0);
    atomic_store(&done, true);
    expect(pthread_join(other, NULL) == 0);
}

/* -- where the library does nothing ----------------------------------------------------------- */

static void expect_inert(void)
{
    struct autolock_stats stats = {.known_bytes = 4711};

    mark("nobody listens");
    errno = ERRNO_UNTOUCHED;
    expect_equal(autolock_snapshot(&stats, sizeof(stats)), -ENOSYS);
    expect_equal(errno, ERRNO_UNTOUCHED);
    expect_equal(stats.known_bytes, 4711);
    expect(strchr(autolock_version(), '.'));
}

static void sandboxed(void)
{
    /* None of ours is on the list: whoever makes one is killed. */
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog listed = {sizeof(filter) / sizeof(filter[0]), filter};

    (void)snapshot();
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &listed, 0, 0))
        skip("this kernel has no seccomp filters");
    expect_inert();
}

int main(int argc, char *argv[])
{
    static const struct scenario scenarios[] = {
        {"threads_and_handlers", threads_and_handlers},
        {"inert", expect_inert},
        {"sandboxed", sandboxed},
    };

    run_scenario(scenarios, sizeof(scenarios) / sizeof(scenarios[0]), argc == 2 ? argv[1] : NULL);
    return 0;
}
