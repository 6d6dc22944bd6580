/*
 * The policy that the library was told by its environment, as the test understands it.
 */
#ifndef POLICY_H
#define POLICY_H

#include <stdbool.h>
#include <stddef.h>

enum kind { KIND_HEAP, KIND_ANON, KIND_FILE, KIND_SHARED, KIND_STACK, KIND_IMAGE, KIND_TOTAL };

struct policy {
    unsigned kinds; /* 1 << enum kind */
    size_t min_size;
    size_t max_size;
    bool current;
    bool future;
    bool onfault;
};

extern const char *const kind_name[KIND_TOTAL];

/* From AUTOLOCK_KINDS, _MIN_SIZE, _MAX_SIZE and _FLAGS, or their defaults. */
struct policy policy_read(void);

bool policy_has(const struct policy *policy, enum kind kind);

enum verdict {
    VERDICT_NO,     /* must not be locked for this one's sake */
    VERDICT_EITHER, /* the size can be understood in two ways */
    VERDICT_YES,
};

/*
 * Something that appeared after the start. Its size in bytes is one of low … high: the length of a
 * mapping that has been grown, or of a reservation that is opened part by part, may be taken either
 * way.
 */
enum verdict policy_judge(const struct policy *policy, enum kind kind, size_t low, size_t high);

#endif
