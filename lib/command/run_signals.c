#include "run_signals.h"

#include "command.h"

#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

static struct {
    int file;
    sigset_t mask_at_start;
    struct sigaction child_at_start;
} taken = {.file = -1};

void run_signals_hold_writing(void)
{
    sigset_t writing;

    (void)sigemptyset(&writing);
    (void)sigaddset(&writing, SIGPIPE);
    (void)sigaddset(&writing, SIGXFSZ);
    (void)sigprocmask(SIG_BLOCK, &writing, &taken.mask_at_start);
}

bool run_signals_take(int (*move)(int fd))
{
    const struct sigaction by_default = {.sa_handler = SIG_DFL};
    sigset_t all;

    (void)sigfillset(&all);
    /* Ignored, children would vanish with their status. */
    if (sigaction(SIGCHLD, &by_default, &taken.child_at_start) ||
        sigprocmask(SIG_SETMASK, &all, NULL))
        return false;
    taken.file = move(signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK));
    return taken.file >= 0;
}

void run_signals_restore(void)
{
    (void)sigaction(SIGCHLD, &taken.child_at_start, NULL);
    (void)sigprocmask(SIG_SETMASK, &taken.mask_at_start, NULL);
}

int run_signals_file(void)
{
    return taken.file;
}

/*
 * A hang-up is told to the leader of the session alone; the others of its group are told when it
 * ends, which is what it is waiting for.
 */
static bool is_of_terminal(int number)
{
    switch (number) {
    case SIGHUP:
    case SIGCONT:
        return getsid(0) != getpid();
    case SIGINT:
    case SIGQUIT:
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU:
    case SIGWINCH:
        return true;
    default:
        return false;
    }
}

bool run_signals_next(struct run_signal *ret_signal)
{
    struct signalfd_siginfo info;

    do {
        if (read(taken.file, &info, sizeof(info)) != (ssize_t)sizeof(info))
            return false;
        /* What our own writing to a closed pipe raises is not for the program. */
    } while (info.ssi_code == SI_USER && info.ssi_pid == (uint32_t)getpid());
    memset(ret_signal, 0, sizeof(*ret_signal));
    ret_signal->number = (int)info.ssi_signo;
    if (info.ssi_code == SI_USER || info.ssi_code == SI_QUEUE || info.ssi_code == SI_TKILL)
        ret_signal->sender = (pid_t)info.ssi_pid;
    ret_signal->of_terminal = info.ssi_code == SI_KERNEL && is_of_terminal(ret_signal->number);
    ret_signal->queued = info.ssi_code == SI_QUEUE;
    ret_signal->value.sival_ptr = (void *)(uintptr_t)info.ssi_ptr;
    return true;
}

void run_signals_pass_on(const struct run_signal *signal, pid_t pid)
{
    if (signal->queued)
        (void)sigqueue(pid, signal->number, signal->value);
    else
        (void)kill(pid, signal->number);
}

/* -- stopping and ending as the program did -----------------------------------------------------
 */

static void let_in(int number, int how)
{
    sigset_t one;

    (void)sigemptyset(&one);
    (void)sigaddset(&one, number);
    (void)sigprocmask(how, &one, NULL);
}

void run_signals_prepare_stop(int number)
{
    if (number != SIGSTOP)
        (void)kill(getpid(), number);
}

void run_signals_forget(int number)
{
    const struct timespec at_once = {0};
    sigset_t one;

    (void)sigemptyset(&one);
    (void)sigaddset(&one, number);
    (void)sigtimedwait(&one, NULL, &at_once);
}

void run_signals_stop(int number)
{
    const struct sigaction by_default = {.sa_handler = SIG_DFL};
    struct sigaction before;

    if (number == SIGSTOP) {
        (void)kill(getpid(), SIGSTOP);
    } else if (sigaction(number, &by_default, &before) == 0) {
        let_in(number, SIG_UNBLOCK);
        let_in(number, SIG_BLOCK);
        (void)sigaction(number, &before, NULL);
    }
    run_signals_forget(SIGCONT);
}

void run_signals_end_by(int number)
{
    const struct sigaction by_default = {.sa_handler = SIG_DFL};

    /* The program has left one, if any was to be left. */
    (void)prctl(PR_SET_DUMPABLE, 0);
    (void)sigaction(number, &by_default, NULL);
    let_in(number, SIG_UNBLOCK);
    (void)kill(getpid(), number);
    _exit(STATUS_SIGNALLED + number);
}
