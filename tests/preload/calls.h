/*
 * A table of calls, printed a line each: what was called, its result and errno. The same program
 * prints the same without the library.
 */
#ifndef CALLS_H
#define CALLS_H

#include "expect.h"

#include <inttypes.h>

/* Calls, remembering the result, with an errno that shows whether it was touched. */
#define SHOW_INT(call)                                                                             \
    do {                                                                                           \
        long long shown_;                                                                          \
        int errno_;                                                                                \
        errno = ERRNO_UNTOUCHED;                                                                   \
        shown_ = (long long)(call);                                                                \
        errno_ = errno;                                                                            \
        printf("%s = %lld, errno %d\n", #call, shown_, errno_);                                    \
    } while (0)

#define SHOW_VOID(call)                                                                            \
    do {                                                                                           \
        int errno_;                                                                                \
        errno = ERRNO_UNTOUCHED;                                                                   \
        call;                                                                                      \
        errno_ = errno;                                                                            \
        printf("%s, errno %d\n", #call, errno_);                                                   \
    } while (0)

/* Of a pointer only what must be the same in every run: whether there is one, and its alignment. */
static inline void *show_pointer(const char *call, void *pointer, int error, uintptr_t alignment)
{
    if (!pointer)
        printf("%s = NULL, errno %d\n", call, error);
    else if (pointer == MAP_FAILED)
        printf("%s = -1, errno %d\n", call, error);
    else
        printf("%s = pointer%s, errno %d\n", call,
               (uintptr_t)pointer % alignment ? " BADLY ALIGNED" : "", error);
    return pointer;
}

#define SHOW_POINTER(pointer, call, alignment)                                                     \
    do {                                                                                           \
        errno = ERRNO_UNTOUCHED;                                                                   \
        (pointer) = used(call);                                                                    \
        show_pointer(#call, (pointer), errno, (alignment));                                        \
    } while (0)

/* A call that fails, and the kernel's own answer to the same, which must be alike. */
#define SHOW_FAILURE(call, ...)                                                                    \
    do {                                                                                           \
        long long ours_;                                                                           \
        int our_errno_;                                                                            \
        errno = ERRNO_UNTOUCHED;                                                                   \
        ours_ = (long)(call);                                                                      \
        our_errno_ = errno;                                                                        \
        errno = ERRNO_UNTOUCHED;                                                                   \
        expect_equal(ours_, syscall(__VA_ARGS__));                                                 \
        expect_equal(our_errno_, errno);                                                           \
        printf("%s = %lld, errno %d\n", #call, ours_, our_errno_);                                 \
    } while (0)

#endif
