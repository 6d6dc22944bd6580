#include "privilege.h"

#include "kernel.h"
#include "sys.h"

#include <linux/capability.h>
#include <string.h>
#include <sys/resource.h>

/* Of address space, so that it costs nothing: nobody has a finite limit of so much. */
#define BEYOND_ANY_LIMIT ((uint64_t)1 << (sizeof(size_t) > 4 ? 42 : 30))

/* struct rlimit64 of the kernel. */
struct kernel_rlimit {
    uint64_t soft;
    uint64_t hard;
};

static void read_capabilities(struct al_privilege *privilege)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

    memset(data, 0, sizeof(data));
    if (al_sys2(SYS_capget, &header, data))
        return;
    privilege->capable = data[CAP_IPC_LOCK / 32].effective >> CAP_IPC_LOCK % 32 & 1;
    privilege->resource = data[CAP_SYS_RESOURCE / 32].effective >> CAP_SYS_RESOURCE % 32 & 1;
}

/* By the older call as well: some sandboxes know only that one. False: it cannot be known. */
static bool read_limit(struct kernel_rlimit *ret_limit)
{
    if (al_sys4(SYS_prlimit64, 0, RLIMIT_MEMLOCK, 0, ret_limit) == 0)
        return true;
#if defined(__LP64__) && defined(SYS_getrlimit)
    if (al_sys2(SYS_getrlimit, RLIMIT_MEMLOCK, ret_limit) == 0)
        return true;
#endif
    *ret_limit = (struct kernel_rlimit){AL_UNLIMITED, AL_UNLIMITED};
    return false;
}

static bool locks_beyond(uint64_t limit)
{
    size_t length = (size_t)limit + al_page_size();

    return length > limit && al_kernel_try_locked(length) == 0;
}

/* Of no bytes, so that there need be no memory for it: the kernel asks first whether it may. */
static int lock_of_nothing(void)
{
    int error = al_kernel_try_mlock2(NULL, 0, AL_MLOCK_ONFAULT);

    if (error == -ENOSYS)
        error = al_kernel_try_mlock2(NULL, 0, 0); /* before Linux 4.4 */
    return error;
}

struct al_privilege al_privilege_read(void)
{
    struct al_privilege privilege = {0};
    struct kernel_rlimit limit = {0};
    bool known = read_limit(&limit);

    privilege.soft_limit = limit.soft;
    privilege.hard_limit = limit.hard;
    if (known)
        privilege.exempt = limit.soft == AL_UNLIMITED || locks_beyond(limit.soft);
    else
        privilege.exempt = locks_beyond(BEYOND_ANY_LIMIT);
    privilege.capable = privilege.exempt;
    if (!privilege.exempt)
        read_capabilities(&privilege);
    /* Who has just locked more than the limit may lock. */
    if (!privilege.exempt || privilege.soft_limit == AL_UNLIMITED)
        privilege.forbidden = lock_of_nothing();
    if (privilege.soft_limit == 0 && privilege.forbidden == -EPERM)
        privilege.forbidden = 0;
    return privilege;
}

static bool set_limit(struct al_privilege *privilege, uint64_t soft, uint64_t hard)
{
    struct kernel_rlimit limit = {.soft = soft, .hard = hard};

    if (al_sys4(SYS_prlimit64, 0, RLIMIT_MEMLOCK, &limit, 0))
        return false;
    privilege->soft_limit = soft;
    privilege->hard_limit = hard;
    privilege->exempt = soft == AL_UNLIMITED;
    return true;
}

void al_privilege_raise(struct al_privilege *privilege)
{
    uint64_t hard = privilege->hard_limit;

    if (privilege->exempt)
        return;
    /* In a user namespace the capability is there and does not count. */
    if (privilege->resource && hard != AL_UNLIMITED &&
        set_limit(privilege, AL_UNLIMITED, AL_UNLIMITED))
        return;
    if (privilege->soft_limit < hard)
        (void)set_limit(privilege, hard, hard);
}
