/*
 * The program gives up system calls by seccomp. Those that it does not list end it, and ours are
 * not on its list: from here on the library makes none. Or it gives up rights by syscall(), as
 * servers do that are another user in each thread.
 *
 * All other calls go on as a jump, with their arguments where they are, so that what depends on the
 * caller's frame (vfork, clone) works.
 */
#include "backend.h"
#include "export.h"
#include "process.h"
#include "real.h"

#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/syscall.h>

enum { NEW_LISTENER = 1 << 3 }; /* SECCOMP_FILTER_FLAG_NEW_LISTENER, Linux 5.0 */

int prctl(int option, unsigned long b, unsigned long c, unsigned long d, unsigned long e);

static void settle(bool sandboxed)
{
    if (sandboxed)
        al_process_sandboxed();
    else
        al_process_not_sandboxed();
}

/* A filter that is not there is no filter: so programs ask the kernel whether it has seccomp. */
static bool is_sandbox_by_prctl(int option, unsigned long mode, unsigned long filter)
{
    return option == PR_SET_SECCOMP &&
           (mode == SECCOMP_MODE_STRICT || (mode == SECCOMP_MODE_FILTER && filter));
}

AL_EXPORT int prctl(int option, unsigned long b, unsigned long c, unsigned long d, unsigned long e)
{
    bool ours;
    int result;

    if (__builtin_expect(!is_sandbox_by_prctl(option, b, c), 1))
        return al_real.prctl(option, b, c, d, e);
    ours = al_process_sandboxing();
    result = al_real.prctl(option, b, c, d, e);
    if (ours)
        settle(result == 0);
    return result;
}

/*
 * syscall() is variadic. What is named here are the arguments that come in registers, and only
 * those: one on the stack would be written back to where it came from, and that place is the
 * caller's own, which another thread may be changing, if he passed fewer. Where all come on the
 * stack, or it is not known, the function is not replaced.
 */
#if defined(__x86_64__) && defined(__LP64__)
#    define IN_REGISTERS(before) before a, before b, before c, before d, before e
#elif defined(__aarch64__)
#    define IN_REGISTERS(before) before a, before b, before c, before d, before e, before f
#endif

#if defined(IN_REGISTERS)
static bool is_sandbox_by_seccomp(long operation, long filter)
{
    return operation == SECCOMP_SET_MODE_STRICT || (operation == SECCOMP_SET_MODE_FILTER && filter);
}

static __attribute__((noinline)) long install(long operation, long flags, long filter)
{
    bool ours = al_process_sandboxing();
    long result;

    result = al_real.syscall(SYS_seccomp, operation, flags, filter, 0L, 0L, 0L);
    /* A number is a descriptor where one was asked for; else a thread that could not follow
     * (SECCOMP_FILTER_FLAG_TSYNC), and then there is no filter. */
    if (ours)
        settle(result == 0 || (result > 0 && flags & NEW_LISTENER));
    return result;
}

static bool gives_up_rights(long number)
{
    switch (number) {
    case SYS_setuid:
    case SYS_setreuid:
    case SYS_setresuid:
    case SYS_capset:
    case SYS_unshare:
    case SYS_setns:
        return true;
    default:
        return false;
    }
}

static __attribute__((noinline)) long give_up_rights(long number, IN_REGISTERS(long))
{
    long (*real)(long, IN_REGISTERS(long));
    long result;

    *(void **)&real = (void *)al_real.syscall;
    result = real(number, IN_REGISTERS());
    if (result == 0)
        al_backend_rights_changed("the program gave up rights, and a memlock limit holds: each "
                                  "region is locked by itself");
    return result;
}

long syscall(long number, IN_REGISTERS(long));

AL_EXPORT long syscall(long number, IN_REGISTERS(long))
{
    long (*real)(long, IN_REGISTERS(long));

    if (__builtin_expect(number == SYS_seccomp, 0) && is_sandbox_by_seccomp(a, c))
        return install(a, b, c);
    if (__builtin_expect(gives_up_rights(number), 0))
        return give_up_rights(number, IN_REGISTERS());
    *(void **)&real = (void *)al_real.syscall;
    return real(number, IN_REGISTERS());
}
#endif
