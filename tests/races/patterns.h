/*
 * Memory with a pattern in it that says whose it is, so that bytes that got lost, or came from
 * others, are noticed.
 */
#ifndef PATTERNS_H
#define PATTERNS_H

#include "../preload/alloc/policy.h"
#include "../preload/expect.h"

struct piece {
    unsigned char *start; /* NULL: none */
    size_t length;
    bool mapping; /* by mmap; else by malloc */
    unsigned char mark;
};

/* A new piece, of a size and sort that the number decides, filled. */
struct piece piece_make(unsigned long number, unsigned char mark);

/* All of it is as it was made. */
void piece_check(const struct piece *piece);

/* Checks it, and gives it back. */
void piece_end(struct piece *piece);

/* `rounds` times a piece is made, changed and given back, while up to a few others live. */
void pieces_turn(unsigned long first, unsigned long rounds, unsigned char mark);

/* Whether the kernel has all of it marked as locked; without allocating, and in any thread. */
bool is_all_locked(const void *start, size_t length);

/* Whether memory of that kind is to be locked, by the environment; false in modes off and observe.
 */
bool is_wanted(enum kind kind);

/* need_privilege(), but under valgrind, which does not know the system call that it tries. */
void need_privilege_here(void);

/*
 * Locked bytes that the books do not know of: the library's own tables. In mode all nothing is
 * tracked, and it is all that is locked. What libc has unmapped unseen has been found out, as a
 * report is made. -1: the library does nothing here, or valgrind runs it, for which that is a read
 * of all memory.
 */
long long locked_beyond_books(void);

/*
 * In mode alloc: between two of those figures nothing has come to them but tables, of which each of
 * libc's heaps may take some.
 */
enum { TABLES_MOST = 1 << 20 };
void expect_books(long long before, long long after);

#endif
