#include "crew.h"

#include "sys.h"

#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

/* More are of no use: the memory is not quicker. */
enum { CREW_MAX = 64, STACK_BYTES = 16384 };

#if (defined(__x86_64__) && defined(__LP64__)) || defined(__aarch64__)
#    define CAN_CLONE 1
#else
#    define CAN_CLONE 0
#endif

struct member {
    int there; /* 1; the kernel clears it when the thread has left our memory */
    long id;
};

/*
 * clone(2) with a stack on which the function and its argument stand, lowest first. In the new
 * thread: calls it and ends. The caller's thread-local memory is shared, and not to be written to.
 */
static long start_thread(void (*work)(void *data), void *data, char *stack_end, int *there)
{
#if CAN_CLONE
    const long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                       CLONE_SYSVSEM | CLONE_CHILD_CLEARTID;
    void **stack = (void **)(void *)stack_end - 2;
    long result;

    stack[0] = (void *)work;
    stack[1] = data;
#    if defined(__x86_64__)
    register long r10 __asm__("r10") = (long)there;
    register long r8 __asm__("r8") = 0;
    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "pop %%rax\n\t"
                     "pop %%rdi\n\t"
                     "call *%%rax\n\t"
                     "mov %[exit], %%eax\n\t"
                     "xor %%edi, %%edi\n\t"
                     "syscall\n\t"
                     "hlt\n"
                     "1:"
                     : "=a"(result)
                     : "a"((long)SYS_clone), "D"(flags), "S"(stack), "d"(0L), "r"(r10),
                       "r"(r8), [exit] "i"(SYS_exit)
                     : "rcx", "r11", "memory");
#    else
    register long x8 __asm__("x8") = SYS_clone;
    register long x0 __asm__("x0") = flags;
    register void **x1 __asm__("x1") = stack;
    register long x2 __asm__("x2") = 0;
    register long x3 __asm__("x3") = 0;
    register int *x4 __asm__("x4") = there;
    __asm__ volatile("svc 0\n\t"
                     "cbnz x0, 1f\n\t"
                     "mov x29, xzr\n\t"
                     "ldp x1, x0, [sp], #16\n\t"
                     "blr x1\n\t"
                     "mov x8, %[exit]\n\t"
                     "mov x0, xzr\n\t"
                     "svc 0\n\t"
                     "brk #1\n"
                     "1:"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), [exit] "i"(SYS_exit)
                     : "memory");
    result = x0;
#    endif
    return result;
#else
    (void)work;
    (void)data;
    (void)stack_end;
    (void)there;
    return -ENOSYS;
#endif
}

/*
 * It is gone when the kernel no longer knows its number: only then has the process one thread less,
 * which programs may look at. That is a matter of microseconds, unless a debugger leaves the thread
 * lying there, or the number is another one's by now.
 */
static void wait_for(struct member *member)
{
    enum { LOOKS = 200, YIELDS = 20 };
    long process = al_sys0(SYS_getpid);

    while (__atomic_load_n(&member->there, __ATOMIC_ACQUIRE))
        al_sys4(SYS_futex, &member->there, FUTEX_WAIT, 1, 0);
    for (int i = 0; i < LOOKS && al_sys3(SYS_tgkill, process, member->id, 0) == 0; i++) {
        struct timespec short_while = {.tv_nsec = 1000000};

        if (i < YIELDS)
            al_sys0(SYS_sched_yield);
        else
            al_sys6(SYS_ppoll, 0, 0, (long)&short_while, 0, sizeof(uint64_t), 0);
    }
}

/* How many of `members` came to be; they begin at once. */
static unsigned start_threads(struct member *members, unsigned count, char *stacks,
                              void (*work)(void *data), void *data)
{
    unsigned started = 0;

    for (; started < count; started++) {
        struct member *member = &members[started];

        member->there = 1;
        member->id =
            start_thread(work, data, stacks + (size_t)(started + 1) * STACK_BYTES, &member->there);
        if (member->id < 0)
            break;
    }
    return started;
}

/* Of a thread with a priority that others do not inherit (SCHED_RESET_ON_FORK), helpers might wait
 * for a processor for as long as it lets them, and it for them. */
static bool has_equals(void)
{
    long policy = al_sys1(SYS_sched_getscheduler, 0);

    return policy < 0 || !(policy & SCHED_RESET_ON_FORK);
}

static uint64_t bit_of(int signal_number)
{
    return (uint64_t)1 << (signal_number - 1);
}

/* Those that an instruction or a system call raises in its own thread: blocked, they would kill. */
static const int raised[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};

static uint64_t all_but_raised(void)
{
    uint64_t all = ~(uint64_t)0;

    for (size_t i = 0; i < sizeof(raised) / sizeof(raised[0]); i++)
        all &= ~bit_of(raised[i]);
    return all;
}

void al_crew_run(unsigned count, void (*work)(void *data), void *data)
{
    const uint64_t all = ~(uint64_t)0;
    const uint64_t most = all_but_raised();
    struct member members[CREW_MAX];
    uint64_t before = 0;
    uint64_t held;
    unsigned others = count > CREW_MAX ? CREW_MAX : count;
    size_t bytes = (size_t)others * STACK_BYTES;
    unsigned started;
    long stacks;

    if (!CAN_CLONE || others < 2 || !has_equals()) {
        work(data);
        return;
    }
    stacks = al_sys_mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (al_sys_failed(stacks)) {
        work(data);
        return;
    }
    /* The others work with what is on this stack: no handler may leave it by siglongjmp meanwhile,
     * and no cancellation. */
    al_sys4(SYS_rt_sigprocmask, SIG_BLOCK, &all, &before, sizeof(all));
    started = start_threads(members, others - 1, (char *)stacks, work, data);
    held = before | most;
    al_sys4(SYS_rt_sigprocmask, SIG_SETMASK, &held, 0, sizeof(held));
    work(data);
    for (unsigned i = 0; i < started; i++)
        wait_for(&members[i]);
    al_sys2(SYS_munmap, stacks, bytes);
    al_sys4(SYS_rt_sigprocmask, SIG_SETMASK, &before, 0, sizeof(before));
}

unsigned al_crew_processors(void)
{
    uint64_t mask[16] = {0}; /* 1,024 processors */
    long bytes = al_sys3(SYS_sched_getaffinity, 0, sizeof(mask), mask);
    unsigned count = 0;

    for (long i = 0; i < bytes / (long)sizeof(mask[0]); i++)
        count += (unsigned)__builtin_popcountll(mask[i]);
    return count ? count : 1;
}
