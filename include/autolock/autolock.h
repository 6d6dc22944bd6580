/*
 * libautolock, for programs that want to help.
 *
 * The library is preloaded, never linked. Everything here is weak: a program that uses it is linked
 * against nothing, and runs the same where libautolock.so is not preloaded. Then the functions do
 * not exist and their names are NULL, so each call asks first:
 *
 *     if (autolock_mark)
 *         autolock_mark("warm");
 *
 * In a program that is not position-independent (-no-pie) the linker decides by itself that they do
 * not exist, unless they are called as functions of a library. gcc is told so here; clang has to be
 * told by -fno-plt.
 *
 * None of them allocates or changes errno, and each may be called in any thread and in any signal
 * handler.
 */
#ifndef AUTOLOCK_AUTOLOCK_H
#define AUTOLOCK_AUTOLOCK_H

#include <stddef.h>
#include <stdint.h>

#if defined(__has_attribute)
#    if __has_attribute(noplt)
#        define AUTOLOCK_WEAK __attribute__((weak, noplt))
#    endif
#endif
#ifndef AUTOLOCK_WEAK
#    define AUTOLOCK_WEAK __attribute__((weak))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The version of the preloaded library, such as "0.1.0": a string that is never freed. It exists
 * also where the library does nothing (AUTOLOCK_MODE=off).
 */
const char *autolock_version(void) AUTOLOCK_WEAK;

/*
 * The warm-up is over: faults "after the mark", here and in the report, are counted from this
 * moment (getrusage(2), of all threads). Of several marks the last one holds. A forked child begins
 * without a mark.
 *
 * `phase` says to people what begins or has ended: with AUTOLOCK_LOG=info or debug one line with it
 * is written to standard error, and else nothing. It is read during the call only, up to 128 bytes
 * of it are shown, and it may be NULL.
 *
 * Takes two system calls, about a microsecond, and waits for nobody, unless there is a line to be
 * written. Does nothing where the library does nothing, before its start (constructors of other
 * libraries), and in a vfork child.
 */
void autolock_mark(const char *phase) AUTOLOCK_WEAK;

/*
 * The figures of the report, now. They have the report's names, objects and keys joined by an
 * underscore, and its meaning: docs/report.md. Those ending in _bytes are bytes, in _time_ns
 * nanoseconds, all others counts. UINT64_MAX is "unlimited".
 *
 * New members are added at the end, and none is ever moved or taken away.
 */
struct autolock_stats {
    /* How many bytes of this struct the preloaded library knows; the members behind are 0. */
    uint64_t known_bytes;

    /* VmLck of /proc/self/status: address space marked as locked; the most seen so far. */
    uint64_t locked_kernel_bytes;
    uint64_t locked_peak_kernel_bytes;
    /* What the hooks hold locked, and in how many runs of pages; 0 where the kernel does it alone
     * (mlockall). */
    uint64_t locked_tracked_bytes;
    uint64_t locked_peak_tracked_bytes;
    uint64_t locked_regions;

    /* Since the start, or the fork: the library's own locking calls that failed, by any errno;
     * regions left unlocked, for any reason, and those past the budget among them; what became less
     * than was asked for (that the program has an allocator of its own, only the report finds out).
     */
    uint64_t failures_total;
    uint64_t skipped_total;
    uint64_t skipped_budget;
    uint64_t downgrades;

    /* getrusage(2): page faults of all threads, served without reading (minor) and by reading
     * (major). After the lock at start; after the last mark, or without one after the lock. */
    uint64_t faults_minor;
    uint64_t faults_major;
    uint64_t faults_minor_after_lock;
    uint64_t faults_major_after_lock;
    uint64_t faults_minor_after_mark;
    uint64_t faults_major_after_mark;

    /* VmRSS and VmSwap of /proc/self/status; what is resident and not locked; the soft memlock
     * limit at start. */
    uint64_t memory_rss_bytes;
    uint64_t memory_swap_bytes;
    uint64_t memory_unlocked_resident_bytes;
    uint64_t memory_limit_bytes;

    /* The library's own system calls and the time they took (CLOCK_MONOTONIC). mlock counts as
     * mlock2, munlockall as munlock. */
    uint64_t syscalls_mlock2_count;
    uint64_t syscalls_mlock2_time_ns;
    uint64_t syscalls_munlock_count;
    uint64_t syscalls_munlock_time_ns;
    uint64_t syscalls_mlockall_count;
    uint64_t syscalls_mlockall_time_ns;

    /* Stretches in the program's own calls that locked or unlocked, and the time they took. */
    uint64_t hooks_slow_count;
    uint64_t hooks_slow_time_ns;

    /* The program's calls, as the hooks count them in all threads. */
    uint64_t calls_malloc;
    uint64_t calls_free;
    uint64_t calls_mmap;
    uint64_t calls_munmap;
};

/*
 * Fills `ret_stats`, of which the caller's header knows `size` bytes: sizeof(struct
 * autolock_stats). So a program and a library of different age understand each other: members that
 * the library does not know are 0 (see known_bytes), and it writes none that the caller does not
 * have.
 *
 *     struct autolock_stats stats;
 *     if (autolock_snapshot && autolock_snapshot(&stats, sizeof(stats)) == 0)
 *         ...
 *
 * Takes some system calls, as it reads /proc/self/status: a tenth of a millisecond, not for the hot
 * path. Waits for another thread only where that is making a report or a snapshot itself; signals
 * of the calling thread wait meanwhile.
 *
 * Returns 0 or a negative errno, and `ret_stats` is untouched then:
 *     -EINVAL  it is NULL, or too small to hold known_bytes
 *     -ENOSYS  the library does nothing here: AUTOLOCK_MODE=off, a program that is not in
 *              AUTOLOCK_PROGRAMS, one under a seccomp filter; before its start; in a vfork child
 *     -EBUSY   another thread has been making a report for more than a second
 *     others   /proc/self/status cannot be read: -ENOENT where /proc is not mounted, -EMFILE …
 */
int autolock_snapshot(struct autolock_stats *ret_stats, size_t size) AUTOLOCK_WEAK;

#ifdef __cplusplus
}
#endif

#undef AUTOLOCK_WEAK

#endif
