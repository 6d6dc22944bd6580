/*
 * System calls without libc: no errno, no cancellation point, no interposed symbol.
 *
 * Every function here returns the kernel's own answer, a negative errno on failure. Safe in signal
 * handlers, before libc is initialised and from any thread. The processors below have their calling
 * sequence written out; any other goes through syscall(2) with errno put back.
 */
#ifndef AL_SYS_H
#define AL_SYS_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline long al_sys6(long nr, long a, long b, long c, long d, long e, long f)
{
#if defined(__x86_64__) && defined(__LP64__)
    long ret;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return ret;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = nr;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
#else
    int saved = errno;
    long ret = syscall(nr, a, b, c, d, e, f);
    if (ret == -1)
        ret = -errno;
    errno = saved;
    return ret;
#endif
}

#define al_sys0(nr)             al_sys6((nr), 0, 0, 0, 0, 0, 0)
#define al_sys1(nr, a)          al_sys6((nr), (long)(a), 0, 0, 0, 0, 0)
#define al_sys2(nr, a, b)       al_sys6((nr), (long)(a), (long)(b), 0, 0, 0, 0)
#define al_sys3(nr, a, b, c)    al_sys6((nr), (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define al_sys4(nr, a, b, c, d) al_sys6((nr), (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)

/* The highest errno the kernel returns; results in [-4095, -1] are failures, also as pointers. */
#define AL_MAX_ERRNO            4095

static inline int al_sys_failed(long result)
{
    return (unsigned long)result >= (unsigned long)-AL_MAX_ERRNO;
}

/* mmap(2) on every processor: 32-bit ones count the offset in pages of 4096 bytes. */
static inline long al_sys_mmap(void *address, size_t length, int protection, int flags, int fd,
                               int64_t offset)
{
#if defined(SYS_mmap2)
    if (offset & 4095)
        return -EINVAL;
    return al_sys6(SYS_mmap2, (long)address, (long)length, protection, flags, fd,
                   (long)(offset >> 12));
#else
    return al_sys6(SYS_mmap, (long)address, (long)length, protection, flags, fd, (long)offset);
#endif
}

/* The size of a page in bytes; asked of libc once, then remembered. Always a power of two. */
size_t al_page_size(void);

/*
 * Nanoseconds of CLOCK_MONOTONIC. Through libc, which reads the clock in the process itself (vDSO):
 * a system call only where the kernel's clock source cannot be read so.
 */
uint64_t al_now_ns(void);

#endif
