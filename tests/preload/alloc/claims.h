/*
 * Who claims which memory, and whether the kernel's locks agree.
 *
 * A claim is a live block or mapping of the program. VERDICT_YES: each of its pages must be locked,
 * and in memory unless locks are on fault. VERDICT_EITHER: they may be. All other locked pages of
 * the program's have no owner and must fit into the slack: those in a claim with VERDICT_NO and in
 * what claims_watch() names. What is locked elsewhere is the library's own.
 *
 * Used by one thread while all others stand still; allocates nothing that the library could see.
 */
#ifndef CLAIMS_H
#define CLAIMS_H

#include "policy.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Locked memory without an owner: at most an eighth of what is locked and 64 MB, at least 1.25 MB;
 * and what the program's own books cannot know: libc's few blocks, and the library's.
 */
enum {
    SLACK_SHARE = 8,
    SLACK_MOST = 64 << 20,
    SLACK_LEAST = 1280 << 10,
    SLACK_UNKNOWN = 128 << 10,
};

/* What the library may lock for itself: the least of it, and a share of what is locked. */
enum { FOREIGN_LEAST = 4 << 20, FOREIGN_SHARE = 100 };

/*
 * Everything that is mapped now may stay locked, or unlocked, for ever; with `current` and the kind
 * `image` or `stack`, what is of that kind must be locked from now on. To be called as main begins.
 */
void claims_begin(const struct policy *policy);

/* Forgets all claims but those of claims_begin(). */
void claims_reset(void);

/* `origin` is for the message when the claim is violated. */
void claims_add(const void *start, size_t length, enum verdict verdict, enum kind kind,
                const char *origin);

/* Addresses where the program's memory is or was. */
void claims_watch(const void *start, size_t length, const char *origin);

/* What claims_check() shows for a page that is not as it should be. */
typedef void claims_explain(uintptr_t page);

struct claims_result {
    size_t wrong;         /* stretches of pages that violate a claim */
    size_t claimed_bytes; /* in pages of claims with VERDICT_YES, each page once */
    size_t locked_bytes;  /* in mappings that are marked as locked */
    size_t ownerless_bytes;
    size_t slack_bytes;   /* what ownerless_bytes may be */
    size_t foreign_bytes; /* locked, and none of the program's */
};

/*
 * Reads the kernel's map and holds it against the claims. The first few violations are described on
 * standard error.
 */
struct claims_result claims_check(bool onfault, claims_explain *explain);

/* The largest stretches of locked memory without owner of the last check, to standard error. */
void claims_show_ownerless(claims_explain *explain);

/* … and of locked memory that is none of the program's. */
void claims_show_foreign(claims_explain *explain);

#endif
