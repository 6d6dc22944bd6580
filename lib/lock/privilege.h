/*
 * How much this process may lock, by its privileges and limits as they are now.
 */
#ifndef AL_PRIVILEGE_H
#define AL_PRIVILEGE_H

#include <stdbool.h>
#include <stdint.h>

#define AL_UNLIMITED UINT64_MAX

struct al_privilege {
    uint64_t
        soft_limit; /* bytes of RLIMIT_MEMLOCK, AL_UNLIMITED if there is none, or none is known */
    uint64_t hard_limit;
    bool capable;  /* CAP_IPC_LOCK is in the effective set, or not needed: no limit holds */
    bool resource; /* CAP_SYS_RESOURCE is; not looked at where no limit holds */
    bool exempt;   /* no limit holds, as the kernel itself showed */
    int forbidden; /* the negative errno of a lock of no bytes: none can be had at all (seccomp:
                      -EPERM, -ENOSYS); 0: locks can be had, or only a limit of 0 stands against it
                    */
};

/*
 * Asks the kernel. A capability that is seen need not be one that counts (in a user namespace it
 * does not), so where there is a limit, exemption is tried out on an inaccessible mapping that is
 * larger than the limit: no memory is used, and the mapping is gone afterwards. No failure is
 * counted.
 */
struct al_privilege al_privilege_read(void);

/*
 * Where a limit holds: raises the soft limit to the hard one, and the hard one where that is
 * allowed, and brings `privilege` up to date. The program and those that it starts get the limit.
 */
void al_privilege_raise(struct al_privilege *privilege);

#endif
