/*
 * How much this process may lock, by its privileges and limits as they are now.
 */
#ifndef AL_PRIVILEGE_H
#define AL_PRIVILEGE_H

#include <stdbool.h>
#include <stdint.h>

#define AL_UNLIMITED UINT64_MAX

struct al_privilege {
    uint64_t soft_limit; /* bytes of RLIMIT_MEMLOCK, AL_UNLIMITED if there is none */
    uint64_t hard_limit;
    bool capable; /* CAP_IPC_LOCK is in the effective set */
    bool exempt;  /* no limit holds, as the kernel itself showed */
};

/*
 * Asks the kernel. A capability that is seen need not be one that counts (in a user namespace it
 * does not), so where there is a limit, exemption is tried out on an inaccessible mapping that is
 * larger than the limit: no memory is used, and the mapping is gone afterwards.
 */
struct al_privilege al_privilege_read(void);

#endif
