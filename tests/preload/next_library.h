/* What next_library.c replaces; its counters are found by dlsym. */
#ifndef NEXT_LIBRARY_H
#define NEXT_LIBRARY_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* NEXT(result, name, parameters, arguments) */
#define NEXT_TABLE                                                                                 \
    NEXT(void *, malloc, (size_t a), (a))                                                          \
    NEXT(void *, calloc, (size_t a, size_t b), (a, b))                                             \
    NEXT(void *, realloc, (void *a, size_t b), (a, b))                                             \
    NEXT(void, free, (void *a), (a))                                                               \
    NEXT(int, posix_memalign, (void **a, size_t b, size_t c), (a, b, c))                           \
    NEXT(void *, aligned_alloc, (size_t a, size_t b), (a, b))                                      \
    NEXT(void *, memalign, (size_t a, size_t b), (a, b))                                           \
    NEXT(void *, valloc, (size_t a), (a))                                                          \
    NEXT(void *, pvalloc, (size_t a), (a))                                                         \
    NEXT(size_t, malloc_usable_size, (void *a), (a))                                               \
    NEXT(void *, mmap, (void *a, size_t b, int c, int d, int e, off_t f), (a, b, c, d, e, f))      \
    NEXT(int, munmap, (void *a, size_t b), (a, b))                                                 \
    NEXT(int, mprotect, (void *a, size_t b, int c), (a, b, c))                                     \
    NEXT(int, madvise, (void *a, size_t b, int c), (a, b, c))                                      \
    NEXT(int, brk, (void *a), (a))                                                                 \
    NEXT(void *, sbrk, (intptr_t a), (a))                                                          \
    NEXT(void *, shmat, (int a, const void *b, int c), (a, b, c))                                  \
    NEXT(int, shmdt, (const void *a), (a))                                                         \
    NEXT(int, mlock, (const void *a, size_t b), (a, b))                                            \
    NEXT(int, mlock2, (const void *a, size_t b, unsigned c), (a, b, c))                            \
    NEXT(int, munlock, (const void *a, size_t b), (a, b))                                          \
    NEXT(int, mlockall, (int a), (a))                                                              \
    NEXT(int, msync, (void *a, size_t b, int c), (a, b, c))                                        \
    NEXT(int, munlockall, (void), ())                                                              \
    NEXT(pid_t, fork, (void), ())                                                                  \
    NEXT(void *, dlopen, (const char *a, int b), (a, b))                                           \
    NEXT(int, pthread_create,                                                                      \
         (pthread_t * a, const pthread_attr_t *b, void *(*c)(void *), void *d), (a, b, c, d))

enum next_function {
#define NEXT(result, name, parameters, arguments) NEXT_##name,
    NEXT_TABLE
#undef NEXT
        NEXT_mremap,
    NEXT_FUNCTIONS
};

extern unsigned long next_calls[NEXT_FUNCTIONS];

#endif
