/*
 * What the program under test knows of itself: its own count of every call that the library hooks,
 * and a journal of what became of its memory, in the order in which it became so. Nothing of it is
 * allocated.
 */
#ifndef RECORD_H
#define RECORD_H

#include <stddef.h>
#include <stdint.h>

#define CALLS(X)                                                                                   \
    X(malloc)                                                                                      \
    X(calloc)                                                                                      \
    X(realloc)                                                                                     \
    X(free)                                                                                        \
    X(memalign)                                                                                    \
    X(malloc_usable_size)                                                                          \
    X(mmap)                                                                                        \
    X(munmap)                                                                                      \
    X(mremap)                                                                                      \
    X(mprotect)                                                                                    \
    X(madvise)                                                                                     \
    X(brk)                                                                                         \
    X(pthread_create)                                                                              \
    X(dlopen)                                                                                      \
    X(dlclose)                                                                                     \
    X(fork)

enum call {
#define X(name) CALL_##name,
    CALLS(X)
#undef X
        CALL_TOTAL
};

extern const char *const call_names[CALL_TOTAL];

/* Of all threads. */
extern uint64_t calls[CALL_TOTAL];

static inline void count(enum call call)
{
    __atomic_fetch_add(&calls[call], 1, __ATOMIC_RELAXED);
}

/*
 * One line of the journal. What takes memory away is entered before the call, what brings it after
 * it: so two threads' lines about one address stand in the order in which the kernel did it.
 */
struct entry {
    const char *what;
    uint64_t a;
    uint64_t b;
    uint64_t c;
    uint64_t d;
};

enum { JOURNAL_MAX = 6000 };

extern struct entry journal[JOURNAL_MAX];
extern size_t journal_length;

void note(const char *what, uint64_t a, uint64_t b, uint64_t c, uint64_t d);

/* Ends the program, which a call has failed that could not fail without the library. */
void must(int condition, const char *what);

#endif
