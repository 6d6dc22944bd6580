/*
 * In front of every program where libc is another one than this machine's: what glibc before 2.34,
 * or a libc that is not glibc, does not have. What the library itself brings is called all the
 * same; a test that cannot be told without the rest is skipped by name.
 */
#ifndef OTHER_LIBC_H
#define OTHER_LIBC_H

#include <limits.h>
#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Linux 5.7 */
#if !defined(MREMAP_DONTUNMAP)
#    define MREMAP_DONTUNMAP 4
#endif

/* x86 alone; elsewhere it asks for nothing. */
#if !defined(MAP_32BIT)
#    define MAP_32BIT 0
#endif

/* 32-bit processors count its offset, here 0, in pages; the older one of x86 reads its arguments
 * from memory. */
#if defined(SYS_mmap2)
#    undef SYS_mmap
#    define SYS_mmap SYS_mmap2
#endif

#if defined(__GLIBC__)
#    define OTHER_LIBC_HAS_EXECVEAT __GLIBC_PREREQ(2, 34)
#else
#    define OTHER_LIBC_HAS_EXECVEAT 0
#endif

#if !OTHER_LIBC_HAS_EXECVEAT

/* Exported by the library, whether libc has them or not. */
extern int execveat(int directory, const char *path, char *const argv[], char *const envp[],
                    int flags) __attribute__((weak));
extern pid_t _Fork(void) __attribute__((weak));

static inline int other_libc_execveat(int directory, const char *path, char *const argv[],
                                      char *const envp[], int flags)
{
    if (execveat)
        return execveat(directory, path, argv, envp, flags);
    return (int)syscall(SYS_execveat, directory, path, argv, envp, flags);
}

#    if !defined(OTHER_LIBC_DEFINES)
#        define execveat other_libc_execveat
#    endif

#endif

#if !defined(__GLIBC__)

/* Exported by the library, whether libc has them or not; without it they are made of the rest. */
extern void *pvalloc(size_t size) __attribute__((weak));
extern int pkey_mprotect(void *start, size_t length, int protection, int key) __attribute__((weak));

static inline void *other_libc_pvalloc(size_t size)
{
    const size_t mask = (size_t)sysconf(_SC_PAGESIZE) - 1;

    if (pvalloc)
        return pvalloc(size);
    return valloc(size > SIZE_MAX - mask ? SIZE_MAX : (size + mask) & ~mask);
}

static inline int other_libc_pkey_mprotect(void *start, size_t length, int protection, int key)
{
    if (pkey_mprotect)
        return pkey_mprotect(start, length, protection, key);
    return key == -1 ? mprotect(start, length, protection)
                     : (int)syscall(SYS_pkey_mprotect, start, length, protection, key);
}

#    if !defined(OTHER_LIBC_DEFINES)
#        define pvalloc       other_libc_pvalloc
#        define pkey_mprotect other_libc_pkey_mprotect
#    endif

static inline int __attribute__((noreturn)) other_libc_lacks(const char *what)
{
    dprintf(STDERR_FILENO, "skipped: this libc has no %s\n", what);
    _exit(77);
}

/* One more thing to do for a test that does many. */
static inline int malloc_trim(size_t pad)
{
    return pad != 0;
}

#    define M_TRIM_THRESHOLD            (-1)
#    define M_MMAP_THRESHOLD            (-3)
#    define M_ARENA_MAX                 (-8)
#    define mallopt(option, value)      other_libc_lacks("mallopt")

#    define LM_ID_BASE                  0
#    define dlmopen(space, name, flags) ((void *)(intptr_t)other_libc_lacks("dlmopen"))

#endif
#endif
