#include "privilege.h"

#include "kernel.h"
#include "sys.h"

#include <linux/capability.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

/* struct rlimit64 of the kernel. */
struct kernel_rlimit {
    uint64_t soft;
    uint64_t hard;
};

static bool has_ipc_lock(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

    memset(data, 0, sizeof(data));
    if (al_sys2(SYS_capget, &header, data))
        return false;
    return data[CAP_IPC_LOCK / 32].effective >> CAP_IPC_LOCK % 32 & 1;
}

static bool locks_beyond(uint64_t limit)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    size_t length = (size_t)limit + al_page_size();
    long start;
    bool locked;

    if (length < limit)
        return false;
    start = al_sys_mmap(NULL, length, PROT_NONE, flags, -1, 0);
    if (al_sys_failed(start))
        return false;
    locked = al_kernel_mlock2((void *)start, length, AL_MLOCK_ONFAULT) == 0;
    al_sys2(SYS_munmap, start, length);
    return locked;
}

struct al_privilege al_privilege_read(void)
{
    struct al_privilege privilege = {0};
    struct kernel_rlimit limit = {0};

    al_sys4(SYS_prlimit64, 0, RLIMIT_MEMLOCK, 0, &limit);
    privilege.soft_limit = limit.soft;
    privilege.hard_limit = limit.hard;
    privilege.capable = has_ipc_lock();
    privilege.exempt = privilege.soft_limit == AL_UNLIMITED ||
                       (privilege.capable && locks_beyond(privilege.soft_limit));
    return privilege;
}
