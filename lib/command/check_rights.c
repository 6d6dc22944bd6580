#include "check_call.h"

#include "budget.h"

#include <string.h>

/* -- settings ------------------------------------------------------------------------------- */

static void judge_problems(struct check_findings *findings, const struct al_config *config,
                           const char *problems)
{
    bool fatal = config->on_failure == AL_ON_FAILURE_FAIL;

    while (*problems) {
        static const char by[] = "libautolock: ";
        size_t length = strcspn(problems, "\n");
        size_t skip = strncmp(problems, by, strlen(by)) == 0 ? strlen(by) : 0;

        check_find(findings, fatal ? CHECK_NONE : CHECK_NOTE, "settings", NULL, "%.*s%s",
                   (int)(length - skip), problems + skip,
                   fatal ? "; with AUTOLOCK_ON_FAILURE=fail no program is started" : "");
        problems += length + (problems[length] == '\n');
    }
}

void check_judge_settings(struct check_findings *findings, const struct al_config *config,
                          const char *problems)
{
    judge_problems(findings, config, problems);
    if (config->mode == AL_MODE_OFF)
        check_find(findings, CHECK_NONE, "settings", "unset AUTOLOCK_MODE",
                   "AUTOLOCK_MODE=off: the library is inert");
    if (config->mode == AL_MODE_OBSERVE)
        check_find(findings, CHECK_NONE, "settings", "unset AUTOLOCK_MODE",
                   "AUTOLOCK_MODE=observe: nothing is locked, it is only reported what would be");
}

/* -- what the kernel lets be locked --------------------------------------------------------- */

static bool by_mlockall(const struct al_config *config)
{
    return config->mode == AL_MODE_ALL &&
           (config->budget.sort == AL_BUDGET_AUTO || config->budget.sort == AL_BUDGET_UNLIMITED);
}

static void find_failure(struct check_findings *findings, enum check_level level,
                         const char *subject, const struct al_failure *failure, enum al_cause cause,
                         const char *consequence)
{
    char words[400];
    char fix[600];
    struct al_text text = al_text_over(words, sizeof(words));

    al_explain_words(&text, failure, cause);
    check_fix_for(fix, sizeof(fix), failure, cause);
    check_find(findings, level, subject, fix, "%s: %s", words, consequence);
}

static void judge_exemption(struct check_findings *findings, const struct check_surroundings *here)
{
    if (here->soft_limit == UINT64_MAX)
        check_find(findings, CHECK_GOOD, "limit", NULL, "there is no limit of locked memory");
    else if (here->limit_that_holds == UINT64_MAX)
        check_find(findings, CHECK_GOOD, "limit", NULL,
                   "the limit of locked memory is %s, and the library may raise it without end",
                   check_size(here->soft_limit).text);
    else
        check_find(findings, CHECK_GOOD, "limit", NULL,
                   "the limit of locked memory is %s, and does not hold: CAP_IPC_LOCK counts here",
                   check_size(here->soft_limit).text);
}

static void judge_refusal(struct check_findings *findings, struct al_failure failure)
{
    enum al_cause cause = al_explain_cause(&failure);
    bool filtered = cause == AL_CAUSE_SECCOMP || cause == AL_CAUSE_REFUSED;

    find_failure(findings, CHECK_NONE, filtered ? "seccomp" : "limit", &failure, cause,
                 "nothing can be locked");
}

static void judge_exempt(struct check_findings *findings, const struct check_surroundings *here,
                         const struct al_config *config)
{
    struct al_failure failure = check_failure(here, config);

    if (by_mlockall(config) && !here->lockall_error) {
        judge_exemption(findings, here);
    } else if (here->lock_error) {
        judge_refusal(findings, failure);
    } else {
        judge_exemption(findings, here);
        if (by_mlockall(config)) {
            failure.call = "mlockall";
            failure.error = here->lockall_error;
            find_failure(findings, CHECK_NOTE, "seccomp", &failure, al_explain_cause(&failure),
                         "each region is locked by itself, which takes time");
        }
    }
}

static void judge_limit(struct check_findings *findings, const struct check_surroundings *here,
                        const struct al_config *config)
{
    struct al_failure failure = check_failure(here, config);

    if (here->lock_error) {
        judge_refusal(findings, failure);
        return;
    }
    find_failure(findings, CHECK_PART, "limit", &failure, al_explain_cause(&failure),
                 "what is past it stays unlocked");
}

/* How the capability could be had: explained only where the limit's words do not name it. */
static void judge_capability(struct check_findings *findings, const struct check_surroundings *here)
{
    char fix[200] = "";

    if (!here->proc || here->cap_effective >> CHECK_IPC_LOCK & 1)
        return;
    if (here->user_namespace) {
        check_find(findings, CHECK_NOTE, "capability", NULL,
                   "CAP_IPC_LOCK is not effective, and would not count in this user namespace");
        return;
    }
    if (!(here->cap_bounding >> CHECK_IPC_LOCK & 1)) {
        check_find(findings, CHECK_NOTE, "capability", NULL,
                   "CAP_IPC_LOCK cannot be had here: it is not in the bounding set");
        return;
    }
    if (here->place.kind == AL_PLACE_SYSTEMD)
        (void)snprintf(fix, sizeof(fix), "AmbientCapabilities=CAP_IPC_LOCK in [Service]");
    else
        (void)snprintf(fix, sizeof(fix),
                       "as root `setpriv --reuid=%u --regid=%u --init-groups --inh-caps=+ipc_lock "
                       "--ambient-caps=+ipc_lock PROGRAM`",
                       here->user, here->group);
    check_find(findings, CHECK_NOTE, "capability", fix,
               "CAP_IPC_LOCK is not effective, and in the bounding set: as an ambient capability "
               "it lifts the limit (as one of the program's file it would make the loader ignore "
               "LD_PRELOAD)");
}

static bool before_onfault(const struct check_surroundings *here)
{
    return here->kernel_major &&
           (here->kernel_major < 4 || (here->kernel_major == 4 && here->kernel_minor < 4));
}

static void judge_locks(struct check_findings *findings, const struct check_surroundings *here,
                        const struct al_config *config)
{
    if (here->killed_by) {
        struct al_failure failure = check_failure(here, config);
        char fix[600];

        check_fix_for(fix, sizeof(fix), &failure, AL_CAUSE_SECCOMP);
        check_find(findings, CHECK_NONE, "seccomp", fix,
                   "who locks memory here is killed by signal %d: so would the program be with "
                   "the library",
                   here->killed_by);
        return;
    }
    if (config->flags & AL_FLAG_ONFAULT && before_onfault(here)) {
        struct al_failure failure = check_failure(here, config);
        bool instead = by_mlockall(config) && here->exempt;

        find_failure(findings, instead ? CHECK_NOTE : CHECK_NONE, "kernel", &failure,
                     AL_CAUSE_NO_ONFAULT,
                     instead ? "all pages are brought in" : "nothing can be locked");
        if (!instead)
            return;
    }
    if (here->exempt)
        judge_exempt(findings, here, config);
    else
        judge_limit(findings, here, config);
}

/* -- what else decides ---------------------------------------------------------------------- */

static void judge_proc(struct check_findings *findings, const struct check_surroundings *here,
                       const struct al_config *config)
{
    static const char fix[] = "mount -t proc proc /proc";

    if (here->proc)
        return;
    if (here->exempt && by_mlockall(config))
        check_find(findings, CHECK_NOTE, "proc", fix,
                   "/proc is not mounted: the report will have no figures of locked memory");
    else
        check_find(findings, CHECK_PART, "proc", fix,
                   "/proc is not mounted: what exists at the program's start cannot be looked up, "
                   "and is not locked");
}

static void judge_cgroup(struct check_findings *findings, const struct check_surroundings *here,
                         const struct al_config *config)
{
    const struct al_privilege privilege = {.exempt = true};
    struct al_budget budget = {.cgroup_bytes = here->cgroup_limit,
                               .machine_bytes = here->memory_total};
    struct al_failure failure = check_failure(here, config);
    uint64_t limit = here->cgroup_limit;
    uint64_t used = here->cgroup_used;
    bool full = used != CHECK_UNKNOWN && (used >= limit || limit - used < limit / 10);
    char in_use[64] = "";
    char fix[600];

    /* One that is larger than the machine decides nothing. */
    if (limit == UINT64_MAX || limit >= here->memory_total)
        return;
    if (used != CHECK_UNKNOWN)
        (void)snprintf(in_use, sizeof(in_use), ", of which %s are used", check_size(used).text);
    al_budget_decide(&budget, &config->budget, &privilege);
    failure.place = here->place;
    check_fix_for(fix, sizeof(fix), &failure, AL_CAUSE_MEMORY);
    if (full)
        check_find(findings, CHECK_PART, "cgroup", fix,
                   "the cgroup's memory limit is %s%s: there is hardly room for more, locked "
                   "memory cannot make room, and who asks for it is killed",
                   check_size(limit).text, in_use);
    else if (budget.bytes == UINT64_MAX)
        check_find(findings, CHECK_NOTE, "cgroup", "AUTOLOCK_BUDGET=auto",
                   "the cgroup's memory limit is %s%s, and AUTOLOCK_BUDGET=unlimited does not keep "
                   "to it: a program that locks all of it is killed",
                   check_size(limit).text, in_use);
    else
        check_find(findings, CHECK_NOTE, "cgroup", fix,
                   "the cgroup's memory limit is %s%s: at most %s are locked, what is past that "
                   "stays unlocked",
                   check_size(limit).text, in_use, check_size(budget.bytes).text);
}

void check_judge_rights(struct check_findings *findings, const struct check_surroundings *here,
                        const struct al_config *config)
{
    judge_locks(findings, here, config);
    if (!here->exempt && !here->killed_by)
        judge_capability(findings, here);
    judge_proc(findings, here, config);
    judge_cgroup(findings, here, config);
}
