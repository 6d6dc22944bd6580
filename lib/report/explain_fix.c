#include "explain.h"

static const uint64_t unlimited = UINT64_MAX;

/*
 * The limit that would do. What is to come is locked only where no limit holds, because a limit
 * would make the program's own calls fail.
 */
static uint64_t limit_that_does(const struct al_failure *failure)
{
    const uint64_t mib = 1 << 20;

    if (failure->flags & AL_FLAG_FUTURE || !failure->wanted)
        return unlimited;
    return (failure->wanted / mib + 1) * mib;
}

static void add_number(struct al_text *text, uint64_t limit, unsigned unit, const char *none)
{
    if (limit == unlimited)
        al_text_string(text, none);
    else
        al_text_u64(text, limit / unit);
}

static void fix_limit_in_shell(struct al_text *text, const struct al_failure *failure,
                               uint64_t limit)
{
    if (failure->hard_limit >= limit) {
        al_text_string(text, "`ulimit -S -l ");
        add_number(text, limit, 1024, "unlimited");
        al_text_string(text, "` before it is started");
        return;
    }
    al_text_string(text, "as root `ulimit -l ");
    add_number(text, limit, 1024, "unlimited");
    al_text_string(text, "` before it is started, or `:");
    al_text_u64(text, failure->user);
    al_text_string(text, " - memlock ");
    add_number(text, limit, 1024, "unlimited");
    al_text_string(text, "` in /etc/security/limits.d/memlock.conf and a new login");
}

static void add_unit(struct al_text *text, const struct al_place *place)
{
    al_text_string(text, " of ");
    al_text_printable(text, *place->unit ? place->unit : "the service", sizeof(place->unit));
}

/* There is no field for the limit: it is that of what starts the containers, on the node. */
static void fix_limit_in_pod(struct al_text *text, bool counts, bool root)
{
    if (!counts || !root)
        al_text_string(text, "a higher LimitMEMLOCK= of the node's container runtime (a pod has no "
                             "field for it)");
    if (!counts)
        return;
    al_text_string(text, root ? "securityContext: {" : ", or securityContext: {runAsUser: 0, ");
    al_text_string(text, "capabilities: {add: [IPC_LOCK]}} of the container");
}

/* `counts`: the capability, given to root there, would do as well. */
static void fix_limit(struct al_text *text, const struct al_failure *failure, bool counts)
{
    uint64_t limit = limit_that_does(failure);
    /* Only root gets a container's capabilities into its effective set. */
    bool root = failure->user == 0;

    switch (failure->place.kind) {
    case AL_PLACE_SHELL:
        fix_limit_in_shell(text, failure, limit);
        break;
    case AL_PLACE_SYSTEMD:
        al_text_string(text, "LimitMEMLOCK=");
        add_number(text, limit, 1, "infinity");
        al_text_string(text, " in [Service]");
        add_unit(text, &failure->place);
        break;
    case AL_PLACE_DOCKER:
    case AL_PLACE_PODMAN:
        al_text_string(text, failure->place.kind == AL_PLACE_DOCKER ? "docker" : "podman");
        al_text_string(text, " run --ulimit memlock=");
        add_number(text, limit, 1, "-1");
        al_text_char(text, ':');
        add_number(text, limit, 1, "-1");
        al_text_string(text, counts && root ? " or --cap-add IPC_LOCK" : "");
        break;
    case AL_PLACE_KUBERNETES:
        fix_limit_in_pod(text, counts, root);
        break;
    }
}

static void fix_refusal(struct al_text *text, const struct al_failure *failure)
{
    const char *calls = "mlock, mlock2 and mlockall";

    switch (failure->place.kind) {
    case AL_PLACE_SHELL:
        al_text_string(text, "let the sandbox that it is started in allow ");
        al_text_string(text, calls);
        break;
    case AL_PLACE_SYSTEMD:
        al_text_string(text, "SystemCallFilter=@memlock in [Service]");
        add_unit(text, &failure->place);
        break;
    case AL_PLACE_DOCKER:
    case AL_PLACE_PODMAN:
        al_text_string(text, failure->place.kind == AL_PLACE_DOCKER ? "docker" : "podman");
        al_text_string(text, " run --security-opt seccomp=PROFILE with one that allows ");
        al_text_string(text, calls);
        break;
    case AL_PLACE_KUBERNETES:
        al_text_string(text, "a securityContext.seccompProfile that allows ");
        al_text_string(text, calls);
        break;
    }
}

static void fix_memory(struct al_text *text, const struct al_failure *failure)
{
    switch (failure->place.kind) {
    case AL_PLACE_SHELL:
        al_text_string(text, "more memory");
        break;
    case AL_PLACE_SYSTEMD:
        al_text_string(text, "a higher MemoryMax=");
        add_unit(text, &failure->place);
        break;
    case AL_PLACE_DOCKER:
    case AL_PLACE_PODMAN:
        al_text_string(text, "a higher --memory of the container");
        break;
    case AL_PLACE_KUBERNETES:
        al_text_string(text, "higher resources.limits.memory of the container");
        break;
    }
    if (!(failure->flags & AL_FLAG_ONFAULT))
        al_text_string(text, ", or onfault in AUTOLOCK_FLAGS");
}

void al_explain_fix(struct al_text *text, const struct al_failure *failure, enum al_cause cause)
{
    if (cause == AL_CAUSE_OTHER)
        return;
    al_text_string(text, "; what helps: ");
    switch (cause) {
    case AL_CAUSE_LIMIT:
    case AL_CAUSE_LIMIT_ZERO:
        fix_limit(text, failure, true);
        break;
    case AL_CAUSE_NAMESPACE:
        if (failure->place.kind == AL_PLACE_SHELL)
            al_text_string(text, "outside of it, ");
        fix_limit(text, failure, false);
        break;
    case AL_CAUSE_CAPABILITY:
    case AL_CAUSE_NO_MLOCK2:
        fix_limit(text, failure, false);
        break;
    case AL_CAUSE_SECCOMP:
    case AL_CAUSE_REFUSED:
        fix_refusal(text, failure);
        break;
    case AL_CAUSE_NO_ONFAULT:
        al_text_string(text, "AUTOLOCK_FLAGS without onfault");
        break;
    case AL_CAUSE_MAPPINGS:
        al_text_string(text, "sysctl -w vm.max_map_count=");
        al_text_u64(text, failure->mappings_max * 4);
        break;
    case AL_CAUSE_MEMORY:
        fix_memory(text, failure);
        break;
    case AL_CAUSE_NO_PROC:
        al_text_string(text, "mount -t proc proc /proc");
        break;
    case AL_CAUSE_OTHER:
        break;
    }
}
