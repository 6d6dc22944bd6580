/*
 * What becomes of a system call: it is made, fails, or does less than was asked for.
 */
#include "injector.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

enum { SITES = 8192, CALLS_MOST = 1024 };

struct site {
    bool used;
    long call;
    uint64_t offset;
    unsigned long times, failed;
};

static struct site sites[SITES];
static unsigned long others[CALLS_MOST];

/* xorshift64: the same faults from the same seed. */
static uint64_t next_random(void)
{
    injector_wish.random ^= injector_wish.random << 13;
    injector_wish.random ^= injector_wish.random >> 7;
    injector_wish.random ^= injector_wish.random << 17;
    return injector_wish.random;
}

static struct site *site_of(long call, uint64_t offset)
{
    size_t at = ((size_t)call * 2654435761u + offset * 40503u) % SITES;

    while (sites[at].used && (sites[at].call != call || sites[at].offset != offset))
        at = (at + 1) % SITES;
    sites[at].used = true;
    sites[at].call = call;
    sites[at].offset = offset;
    return &sites[at];
}

static const struct fault *fault_of(long call)
{
    for (int i = 0; i < injector_wish.count; i++)
        if (injector_wish.faults[i].call == call)
            return &injector_wish.faults[i];
    return NULL;
}

static bool is_time(void)
{
    static unsigned long times;

    times++;
    switch (injector_wish.when) {
    case EACH:
        return true;
    case OTHER:
        return times % 2;
    case ONE:
        return times == injector_wish.nth;
    case RANDOM:
        return next_random() % 1000 < injector_wish.permille;
    }
    return false;
}

static void write_locked(pid_t id)
{
    char path[64], line[256];
    unsigned long kib;
    FILE *status;

    (void)snprintf(path, sizeof(path), "/proc/%d/status", id);
    status = fopen(path, "re");
    if (!status)
        return;
    while (fgets(line, sizeof(line), status)) {
        if (sscanf(line, "Tgid: %d", &id) == 1)
            continue;
        if (sscanf(line, "VmLck: %lu", &kib) == 1)
            (void)fprintf(injector_log, "locked %d %lu\n", id, kib);
    }
    (void)fclose(status);
}

/*
 * How a call that is made is changed: of less than asked for; or told to have failed, as close,
 * after which the descriptor is closed whatever the answer; or brk, which tells where the heap
 * still ends and no errno. False: the call is not made.
 */
static bool is_made(struct process *process, struct user_regs_struct *registers, int error)
{
    process->kept = *registers;
    process->told = 0;
    if (registers->orig_rax == SYS_close)
        process->told = error;
    else if (registers->orig_rax == SYS_brk)
        registers->rdi = 0;
    else if (!error)
        registers->rdx /= 2;
    else
        return false;
    return true;
}

/* The kernel changes no register but that of the result, and neither may we. */
void injector_at_end_of_call(pid_t id)
{
    struct process *process = injector_process(id);
    struct user_regs_struct registers;

    if (ptrace(PTRACE_GETREGS, id, 0, &registers))
        return;
    registers.rdi = process->kept.rdi;
    registers.rdx = process->kept.rdx;
    if (process->told)
        registers.rax = (unsigned long long)-(long long)process->told;
    (void)ptrace(PTRACE_SETREGS, id, 0, &registers);
}

/* Only who waits is to try again: a wake that were lost would leave somebody waiting for ever. */
static bool cannot_be(const struct user_regs_struct *registers, int error)
{
    return registers->orig_rax == SYS_futex && (error == EAGAIN || error == EINTR) &&
           (registers->rsi & (unsigned)FUTEX_CMD_MASK) != FUTEX_WAIT;
}

/* Whether its end is to be waited for. */
bool injector_at_call(pid_t id)
{
    struct user_regs_struct registers;
    const struct fault *fault;
    struct site *site;
    uint64_t offset;
    long call;
    bool made;
    int error;

    if (ptrace(PTRACE_GETREGS, id, 0, &registers))
        return false;
    call = (long)registers.orig_rax;
    if (!injector_is_judged(id, registers.rip, registers.rsp, &offset)) {
        if (call >= 0 && call < CALLS_MOST)
            others[call]++;
        return false;
    }
    if (call == SYS_write && injector_log && injector_wish.has_library && !injector_wish.behind)
        write_locked(id);
    site = site_of(call, offset);
    site->times++;
    fault = fault_of(call);
    if (!fault || (injector_wish.only && offset != injector_wish.only) || !is_time())
        return false;
    error = fault->errnos[fault->count > 1 ? next_random() % (unsigned)fault->count : 0];
    if ((!error && registers.rdx < 2) || cannot_be(&registers, error))
        return false;
    made = is_made(injector_process(id), &registers, error);
    if (!made) {
        registers.orig_rax = (unsigned long long)-1;
        registers.rax = (unsigned long long)-(long long)error;
    }
    if (ptrace(PTRACE_SETREGS, id, 0, &registers))
        return false;
    site->failed++;
    return made;
}

void injector_write_seen(void)
{
    for (size_t i = 0; i < SITES; i++)
        if (sites[i].used)
            (void)fprintf(injector_log, "call %ld %" PRIx64 " %lu %lu\n", sites[i].call,
                          sites[i].offset, sites[i].times, sites[i].failed);
    for (long i = 0; i < CALLS_MOST; i++)
        if (others[i])
            (void)fprintf(injector_log, "other %ld %lu\n", i, others[i]);
}
