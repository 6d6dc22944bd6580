#include "faults_cause.h"

#include <string.h>

static const struct {
    const char *key;
    const char *text;
} words[RUN_FAULT_CAUSES] = {
    [RUN_FAULT_NOT_LOCKED] = {"not_locked", "not locked"},
    [RUN_FAULT_NOT_LOCKED_OR_COPY] = {"not_locked_or_copy", "not locked, or copy after fork"},
    [RUN_FAULT_BEFORE_LOCK] = {"before_lock", "touched before its lock"},
    [RUN_FAULT_FIRST_TOUCH] = {"first_touch", "on fault: first touch"},
    [RUN_FAULT_FIRST_TOUCH_OR_COPY] = {"first_touch_or_copy", "first touch, or copy after fork"},
    [RUN_FAULT_GROWTH] = {"stack_growth", "the stack grows"},
    [RUN_FAULT_COPY] = {"copy_after_fork", "copy after fork"},
    [RUN_FAULT_BROUGHT] = {"brought_in", "brought in by a call"},
    [RUN_FAULT_MIGRATION] = {"migration", "migration"},
    [RUN_FAULT_UNKNOWN] = {"unknown", "unknown"},
};

const char *faults_cause_text(enum run_fault_cause cause)
{
    return words[cause].text;
}

const char *faults_cause_key(enum run_fault_cause cause)
{
    return words[cause].key;
}

/* The lock at the time of the fault; UNKNOWN also where it came between two looks. */
static enum faults_lock lock_then(const struct faults_circumstances *now, bool *ret_later)
{
    const struct faults_region *before = now->before;
    bool locked_now = now->after && now->after->lock != FAULTS_LOCK_NONE;

    *ret_later = false;
    if (!before)
        return now->after ? now->after->lock : FAULTS_LOCK_UNKNOWN;
    /* What was mapped as locked may have been unlocked at once, or is so on fault. */
    if (before->lock != FAULTS_LOCK_NONE)
        return before->fresh && now->after ? now->after->lock : before->lock;
    if (locked_now && now->after->lock == FAULTS_LOCKED_ON_FAULT)
        return FAULTS_LOCKED_ON_FAULT;
    *ret_later = locked_now;
    if (locked_now || !before->fresh || (now->looked && now->after))
        return FAULTS_LOCK_NONE;
    /* Nobody has seen it since it was made: the hooks may have locked it by then. */
    return now->by_hooks ? FAULTS_LOCK_UNKNOWN : FAULTS_LOCK_NONE;
}

enum run_fault_cause faults_cause(const struct faults_circumstances *now)
{
    const struct faults_region *region = now->before ? now->before : now->after;
    bool may_be_copy = region && region->is_private && region->writable && now->forked_ns &&
                       now->kind == FAULTS_MINOR;
    bool later;

    if (now->kind == FAULTS_BROUGHT)
        return RUN_FAULT_BROUGHT;
    if (may_be_copy && region->populated_ns && region->populated_ns < now->forked_ns)
        return RUN_FAULT_COPY;
    switch (lock_then(now, &later)) {
    case FAULTS_LOCK_NONE:
        if (later)
            return RUN_FAULT_BEFORE_LOCK;
        return may_be_copy ? RUN_FAULT_NOT_LOCKED_OR_COPY : RUN_FAULT_NOT_LOCKED;
    case FAULTS_LOCKED_ON_FAULT:
        return may_be_copy ? RUN_FAULT_FIRST_TOUCH_OR_COPY : RUN_FAULT_FIRST_TOUCH;
    case FAULTS_LOCKED:
        if (strcmp(region->name, "[stack]") == 0 && now->kind == FAULTS_MINOR)
            return RUN_FAULT_GROWTH;
        return now->moved && now->kind == FAULTS_MINOR ? RUN_FAULT_MIGRATION : RUN_FAULT_UNKNOWN;
    default:
        return RUN_FAULT_UNKNOWN;
    }
}
