#include "hold.h"

#include "sys.h"

#include <signal.h>

/* Changed only while signals wait, so that who is torn out has either begun or not. */
static __thread volatile unsigned depth __attribute__((tls_model("initial-exec")));
static __thread uint64_t mask_before __attribute__((tls_model("initial-exec")));

static uint64_t bit_of(int signal_number)
{
    return (uint64_t)1 << (signal_number - 1);
}

/*
 * All signals, those that libc keeps for itself (cancellation) included, but not those that an
 * instruction or a system call raises in its own thread: blocked, they would kill. SIGSYS may be
 * how the program answers a system call of ours.
 */
static uint64_t all_signals(void)
{
    return ~(bit_of(SIGSEGV) | bit_of(SIGBUS) | bit_of(SIGILL) | bit_of(SIGFPE) | bit_of(SIGTRAP) |
             bit_of(SIGSYS));
}

void al_hold_begin(void)
{
    if (!depth) {
        const uint64_t all = all_signals();
        uint64_t before = 0;

        al_sys4(SYS_rt_sigprocmask, SIG_BLOCK, &all, &before, sizeof(before));
        mask_before = before;
    }
    depth = depth + 1;
}

void al_hold_end(void)
{
    const uint64_t before = mask_before;

    depth = depth - 1;
    if (!depth)
        al_sys4(SYS_rt_sigprocmask, SIG_SETMASK, &before, 0, sizeof(before));
}
