#include "run.h"

#include "command.h"
#include "text.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool set_limit(rlim_t soft, rlim_t hard)
{
    const struct rlimit limit = {.rlim_cur = soft, .rlim_max = hard};

    return setrlimit(RLIMIT_MEMLOCK, &limit) == 0;
}

static bool is_more(rlim_t a, rlim_t b)
{
    return b != RLIM_INFINITY && (a == RLIM_INFINITY || a > b);
}

/* The hard limit takes CAP_SYS_RESOURCE in the machine's first user namespace: it is tried. */
static void raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_MEMLOCK, &limit) || set_limit(RLIM_INFINITY, RLIM_INFINITY))
        return;
    (void)set_limit(limit.rlim_max, limit.rlim_max);
}

/* Both limits: the library raises the soft one to the hard one. */
static void set_limit_to(uint64_t bytes)
{
    rlim_t wanted = bytes >= RLIM_INFINITY ? RLIM_INFINITY : (rlim_t)bytes;
    char size_bytes[32];
    struct al_text size = al_text_over(size_bytes, sizeof(size_bytes));
    struct rlimit limit;
    int error;

    if (set_limit(wanted, wanted))
        return;
    error = errno;
    if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0) {
        if (is_more(wanted, limit.rlim_max))
            (void)set_limit(limit.rlim_max, limit.rlim_max);
        al_text_size(&size, limit.rlim_max);
    }
    complain("--memlock: the limit of locked memory stays at %s: %s", size.at, strerror(error));
}

/*
 * A capability of the file would have the loader ignore LD_PRELOAD; an ambient one does not. It has
 * to be permitted and inheritable.
 */
static void give_ambient(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    const unsigned bit = 1U << CAP_IPC_LOCK % 32;

    memset(data, 0, sizeof(data));
    if (syscall(SYS_capget, &header, data) == 0 && data[CAP_IPC_LOCK / 32].permitted & bit) {
        data[CAP_IPC_LOCK / 32].inheritable |= bit;
        if (syscall(SYS_capset, &header, data) == 0 &&
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_IPC_LOCK, 0, 0) == 0)
            return;
        complain("--ambient: CAP_IPC_LOCK cannot be passed on: %s", strerror(errno));
        return;
    }
    complain("--ambient: this process does not have CAP_IPC_LOCK, and cannot pass it on");
}

void run_rights_raise(const struct run_options *options)
{
    if (options->memlock == RUN_MEMLOCK_RAISE)
        raise_limit();
    else if (options->memlock == RUN_MEMLOCK_SET)
        set_limit_to(options->memlock_bytes);
    if (options->ambient)
        give_ambient();
}
