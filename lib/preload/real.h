/*
 * The functions behind ours: the next definition in the order in which the loader searches, which
 * is libc's or that of another preloaded library.
 *
 * The mapping functions, and what else is a bare system call, work at any time: until they are
 * resolved they are system calls, because asking the loader from inside an allocator's mmap would
 * come back into that allocator. All others need al_real_resolve() to have returned true.
 */
#ifndef AL_REAL_H
#define AL_REAL_H

#include "hidden.h"

#include <linux/capability.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

/* glibc makes its type of the resource an enum in C. */
#if defined(__GLIBC__)
#    define AL_RLIMIT_RESOURCE __rlimit_resource_t
#else
#    define AL_RLIMIT_RESOURCE int
#endif

/* AL_REAL(result, name, arguments) */
#define AL_REAL_HEAP                                                                               \
    AL_REAL(void *, malloc, (size_t))                                                              \
    AL_REAL(void *, calloc, (size_t, size_t))                                                      \
    AL_REAL(void *, realloc, (void *, size_t))                                                     \
    AL_REAL(void, free, (void *))                                                                  \
    AL_REAL(void *, memalign, (size_t, size_t))                                                    \
    AL_REAL(void *, aligned_alloc, (size_t, size_t))                                               \
    AL_REAL(int, posix_memalign, (void **, size_t, size_t))                                        \
    AL_REAL(void *, valloc, (size_t))                                                              \
    AL_REAL(void *, pvalloc, (size_t))                                                             \
    AL_REAL(size_t, malloc_usable_size, (void *))

#define AL_REAL_MAP                                                                                \
    AL_REAL(void *, mmap, (void *, size_t, int, int, int, off_t))                                  \
    AL_REAL(int, munmap, (void *, size_t))                                                         \
    AL_REAL(void *, mremap, (void *, size_t, size_t, int, ...))                                    \
    AL_REAL(int, mprotect, (void *, size_t, int))                                                  \
    AL_REAL(int, pkey_mprotect, (void *, size_t, int, int))                                        \
    AL_REAL(int, madvise, (void *, size_t, int))                                                   \
    AL_REAL(int, msync, (void *, size_t, int))                                                     \
    AL_REAL(int, mlock, (const void *, size_t))                                                    \
    AL_REAL(int, mlock2, (const void *, size_t, unsigned))                                         \
    AL_REAL(int, munlock, (const void *, size_t))                                                  \
    AL_REAL(int, mlockall, (int))                                                                  \
    AL_REAL(int, munlockall, (void))                                                               \
    AL_REAL(int, prctl, (int, unsigned long, unsigned long, unsigned long, unsigned long))         \
    AL_REAL(long, syscall, (long, long, long, long, long, long, long))                             \
    AL_REAL(int, execve, (const char *, char *const *, char *const *))                             \
    AL_REAL(int, execveat, (int, const char *, char *const *, char *const *, int))

#define AL_REAL_OTHER                                                                              \
    AL_REAL(int, brk, (void *))                                                                    \
    AL_REAL(void *, sbrk, (intptr_t))                                                              \
    AL_REAL(void *, shmat, (int, const void *, int))                                               \
    AL_REAL(int, shmdt, (const void *))                                                            \
    AL_REAL(int, setuid, (uid_t))                                                                  \
    AL_REAL(int, seteuid, (uid_t))                                                                 \
    AL_REAL(int, setreuid, (uid_t, uid_t))                                                         \
    AL_REAL(int, setresuid, (uid_t, uid_t, uid_t))                                                 \
    AL_REAL(int, capset, (cap_user_header_t, const cap_user_data_t))                               \
    AL_REAL(int, unshare, (int))                                                                   \
    AL_REAL(int, setns, (int, int))                                                                \
    AL_REAL(int, setrlimit, (AL_RLIMIT_RESOURCE, const struct rlimit *))                           \
    AL_REAL(int, prlimit, (pid_t, AL_RLIMIT_RESOURCE, const struct rlimit *, struct rlimit *))     \
    AL_REAL(pid_t, fork, (void))                                                                   \
    AL_REAL(pid_t, _Fork, (void))                                                                  \
    AL_REAL(int, execv, (const char *, char *const *))                                             \
    AL_REAL(int, execvp, (const char *, char *const *))                                            \
    AL_REAL(int, execvpe, (const char *, char *const *, char *const *))                            \
    AL_REAL(int, fexecve, (int, char *const *, char *const *))                                     \
    AL_REAL(void, __assert_fail, (const char *, const char *, unsigned, const char *))             \
    AL_REAL(void, abort, (void))                                                                   \
    AL_REAL(void, quick_exit, (int))                                                               \
    AL_REAL(void, _exit, (int))                                                                    \
    AL_REAL(void, _Exit, (int))                                                                    \
    AL_REAL(void *, dlopen, (const char *, int))                                                   \
    AL_REAL(int, dlclose, (void *))                                                                \
    AL_REAL(int, pthread_create, (pthread_t *, const pthread_attr_t *, void *(*)(void *), void *)) \
    AL_REAL(int, pthread_key_create, (pthread_key_t *, void (*)(void *)))                          \
    AL_REAL(int, pthread_setspecific, (pthread_key_t, const void *))                               \
    AL_REAL(int, __register_atfork, (void (*)(void), void (*)(void), void (*)(void), void *))

struct al_real {
#define AL_REAL(result, name, arguments) result(*name) arguments;
    AL_REAL_HEAP
    AL_REAL_MAP
    AL_REAL_OTHER
#undef AL_REAL
#if !defined(__LP64__)
    void *(*mmap64)(void *, size_t, int, int, int, int64_t);
#endif
};

extern struct al_real al_real AL_HIDDEN;

/*
 * Makes al_real whole. Returns false while another call, in this thread or another, is still at it:
 * then memory must come from the boot heap. Entries that the process does not have are NULL, but
 * for the malloc family, whose gaps are filled with what is there.
 */
bool al_real_resolve(void);

/*
 * A function that few processes have, or NULL. Not in the table above because asking for what does
 * not exist makes the loader allocate, and everybody would pay for that.
 */
void *al_real_find(const char *name);

/* Looks once more for the functions that appear only when libpthread is loaded (glibc < 2.34). */
void al_real_resolve_threads(void);

#endif
