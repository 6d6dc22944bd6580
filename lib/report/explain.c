#include "explain.h"

#include <errno.h>
#include <string.h>

/* The smallest part of the mappings from which on locks in pieces may lack some: lock_alloc.c. */
enum { MAPPINGS_SHARE = 8 };

/* A limit holds, or seems to: whose fault is that? */
static enum al_cause cause_of_limit(const struct al_failure *failure)
{
    if (!failure->capable)
        return failure->soft_limit ? AL_CAUSE_LIMIT : AL_CAUSE_LIMIT_ZERO;
    if (failure->user_namespace)
        return AL_CAUSE_NAMESPACE;
    if (!failure->probe_error)
        return AL_CAUSE_CAPABILITY;
    if (failure->seccomp == 2)
        return AL_CAUSE_SECCOMP;
    return failure->probe_error == -ENOSYS ? AL_CAUSE_NO_MLOCK2 : AL_CAUSE_REFUSED;
}

/* What the kernel by itself does not answer here. */
static enum al_cause cause_of_refusal(const struct al_failure *failure)
{
    return failure->seccomp == 2 ? AL_CAUSE_SECCOMP : AL_CAUSE_REFUSED;
}

static enum al_cause cause_of_enomem(const struct al_failure *failure)
{
    bool too_much = !failure->wanted || failure->wanted > failure->soft_limit;

    if (!failure->exempt && too_much)
        return cause_of_limit(failure);
    if (failure->mappings_max && failure->mappings >= failure->mappings_max / MAPPINGS_SHARE)
        return AL_CAUSE_MAPPINGS;
    return AL_CAUSE_MEMORY;
}

enum al_cause al_explain_cause(const struct al_failure *failure)
{
    switch (-failure->error) {
    case 0:
        return cause_of_limit(failure);
    case EPERM:
        /* The kernel says it of a limit of 0 only. */
        if (!failure->exempt && !failure->soft_limit)
            return cause_of_limit(failure);
        return cause_of_refusal(failure);
    case ENOSYS:
        return cause_of_refusal(failure);
    case ENOMEM:
        return cause_of_enomem(failure);
    case EAGAIN:
        return AL_CAUSE_MEMORY;
    case EINVAL:
        if (failure->flags & AL_FLAG_ONFAULT && failure->seccomp != 2)
            return AL_CAUSE_NO_ONFAULT;
        return cause_of_refusal(failure);
    default:
        return failure->proc ? AL_CAUSE_OTHER : AL_CAUSE_NO_PROC;
    }
}

void al_explain_errno(struct al_text *text, int error)
{
    static const struct {
        int error;
        char name[8];
    } names[] = {{EPERM, "EPERM"},   {ENOMEM, "ENOMEM"}, {EAGAIN, "EAGAIN"}, {ENOSYS, "ENOSYS"},
                 {EINVAL, "EINVAL"}, {ENOENT, "ENOENT"}, {EACCES, "EACCES"}};

    if (error < 0)
        error = -error;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].error == error) {
            al_text_string(text, names[i].name);
            return;
        }
    }
    al_text_string(text, "errno ");
    al_text_i64(text, error);
}

static const char *outcome_words(enum al_outcome outcome)
{
    switch (outcome) {
    case AL_OUTCOME_CURRENT:
        return "only what exists now is locked";
    case AL_OUTCOME_FUTURE:
        return "what exists now is not locked";
    case AL_OUTCOME_PART:
        return "only a part is locked";
    case AL_OUTCOME_NOTHING:
        break;
    }
    return "nothing is locked";
}

static void add_limit(struct al_text *text, const struct al_failure *failure)
{
    al_text_string(text, "the limit of locked memory is ");
    al_text_size(text, failure->soft_limit);
    if (failure->hard_limit > failure->soft_limit && failure->hard_limit != UINT64_MAX) {
        al_text_string(text, " (hard limit ");
        al_text_size(text, failure->hard_limit);
        al_text_char(text, ')');
    }
    if (failure->wanted > failure->soft_limit) {
        al_text_string(text, ", needed are ");
        al_text_size(text, failure->wanted);
    }
}

/* "mlockall (EPERM)" */
static void add_call(struct al_text *text, const struct al_failure *failure)
{
    /* With ENOMEM it was the limit, which only the refused probe made hold. */
    bool probe = !failure->error || (failure->error == -ENOMEM && failure->probe_error);

    al_text_string(text, probe ? "mlock2" : failure->call);
    al_text_string(text, " (");
    al_explain_errno(text, probe ? failure->probe_error : failure->error);
    al_text_char(text, ')');
}

void al_explain_words(struct al_text *text, const struct al_failure *failure, enum al_cause cause)
{
    switch (cause) {
    case AL_CAUSE_LIMIT:
        add_limit(text, failure);
        break;
    case AL_CAUSE_LIMIT_ZERO:
        al_text_string(text, "the limit of locked memory is 0, and CAP_IPC_LOCK is missing");
        break;
    case AL_CAUSE_NAMESPACE:
        al_text_string(text, "CAP_IPC_LOCK does not count in this user namespace, and ");
        add_limit(text, failure);
        break;
    case AL_CAUSE_CAPABILITY:
        al_text_string(text, "CAP_IPC_LOCK does not count here (a security module or a user "
                             "namespace), and ");
        add_limit(text, failure);
        break;
    case AL_CAUSE_SECCOMP:
        al_text_string(text, "a seccomp filter refuses ");
        add_call(text, failure);
        break;
    case AL_CAUSE_REFUSED:
        al_text_string(text, "a sandbox or security module refuses ");
        add_call(text, failure);
        break;
    case AL_CAUSE_NO_ONFAULT:
        al_text_string(text, "this kernel does not know onfault (Linux 4.4 does)");
        break;
    case AL_CAUSE_NO_MLOCK2:
        al_text_string(text, "this kernel has no mlock2 (Linux 4.4 has) to show that CAP_IPC_LOCK "
                             "counts, and ");
        add_limit(text, failure);
        break;
    case AL_CAUSE_MAPPINGS:
        al_text_string(text, "the program has ");
        al_text_count(text, failure->mappings);
        al_text_string(text, " of at most ");
        al_text_count(text, failure->mappings_max);
        al_text_string(text, " mappings, and locks in pieces take more");
        break;
    case AL_CAUSE_MEMORY:
        al_text_string(text, "the memory of the machine or the cgroup is used up (");
        al_explain_errno(text, failure->error);
        al_text_char(text, ')');
        /* Of the pages behind a file's end mlock says the same. */
        if (failure->error == -ENOMEM && strcmp(failure->call, "mlockall") != 0)
            al_text_string(text, ", or a mapping is longer than its file");
        break;
    case AL_CAUSE_NO_PROC:
        al_text_string(text, "/proc is not mounted, so what exists cannot be looked up");
        break;
    case AL_CAUSE_OTHER:
        al_text_string(text, "the kernel refuses ");
        add_call(text, failure);
        break;
    }
}

void al_explain(struct al_text *text, const struct al_failure *failure)
{
    enum al_cause cause = al_explain_cause(failure);

    al_text_string(text, "libautolock: ");
    al_text_printable(text, failure->program, 64);
    al_text_string(text, ": ");
    al_text_string(text, outcome_words(failure->outcome));
    al_text_string(text, ": ");
    al_explain_words(text, failure, cause);
    al_explain_fix(text, failure, cause);
    al_text_char(text, '\n');
}
