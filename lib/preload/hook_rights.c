/*
 * Rights and limits that the program gives up: what is locked has to keep to those that are left.
 * Each has done what the program asked for before we look.
 */
#include "backend.h"
#include "export.h"
#include "process.h"
#include "real.h"
#include "sys.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

static int changed(int result, const char *reason)
{
    if (result == 0)
        al_backend_rights_changed(reason);
    return result;
}

/* Not in every libc. */
#define AL_GIVE_UP(name, parameters, arguments, reason)                                            \
    AL_EXPORT int name parameters                                                                  \
    {                                                                                              \
        if (!al_real_resolve() || !al_real.name) {                                                 \
            errno = ENOSYS;                                                                        \
            return -1;                                                                             \
        }                                                                                          \
        return changed(al_real.name arguments, reason);                                            \
    }

static const char another_user[] = "the program became another user, and a memlock limit holds: "
                                   "each region is locked by itself";
static const char fewer_rights[] = "the program gave up rights, and a memlock limit holds: each "
                                   "region is locked by itself";
#if defined(__LP64__)
static int limit_changed(int result)
{
    if (result == 0)
        al_backend_limit_set(
            "the program lowered its memlock limit: each region is locked by itself");
    return result;
}
#endif

AL_GIVE_UP(setuid, (uid_t user), (user), another_user)
AL_GIVE_UP(seteuid, (uid_t user), (user), another_user)
AL_GIVE_UP(setreuid, (uid_t real, uid_t effective), (real, effective), another_user)
AL_GIVE_UP(setresuid, (uid_t real, uid_t effective, uid_t saved), (real, effective, saved),
           another_user)

AL_EXPORT int capset(cap_user_header_t header, const cap_user_data_t data);
AL_GIVE_UP(capset, (cap_user_header_t header, const cap_user_data_t data), (header, data),
           fewer_rights)
AL_GIVE_UP(unshare, (int flags), (flags), fewer_rights)
AL_GIVE_UP(setns, (int fd, int type), (fd, type), fewer_rights)

#if defined(__LP64__)
AL_EXPORT int setrlimit(AL_RLIMIT_RESOURCE resource, const struct rlimit *limit)
{
    int result;

    if (!al_real_resolve() || !al_real.setrlimit) {
        errno = ENOSYS;
        return -1;
    }
    result = al_real.setrlimit(resource, limit);
    return resource == RLIMIT_MEMLOCK ? limit_changed(result) : result;
}

AL_EXPORT int prlimit(pid_t pid, AL_RLIMIT_RESOURCE resource, const struct rlimit *limit,
                      struct rlimit *old_limit)
{
    int result;

    if (!al_real_resolve() || !al_real.prlimit) {
        errno = ENOSYS;
        return -1;
    }
    result = al_real.prlimit(pid, resource, limit, old_limit);
    /* Mostly it is a question, or about another process. */
    if (resource != RLIMIT_MEMLOCK || !limit || !al_process.locks ||
        (pid && pid != (pid_t)al_sys0(SYS_getpid)))
        return result;
    return limit_changed(result);
}

/* One limit type: the two names are one function. */
AL_EXPORT int setrlimit64(AL_RLIMIT_RESOURCE resource, const struct rlimit64 *limit)
    __attribute__((alias("setrlimit")));
AL_EXPORT int prlimit64(pid_t pid, AL_RLIMIT_RESOURCE resource, const struct rlimit64 *limit,
                        struct rlimit64 *old_limit) __attribute__((alias("prlimit")));
#endif
