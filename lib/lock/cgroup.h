/*
 * The memory limit of the process's cgroup, version 1, 2 or both side by side.
 */
#ifndef AL_CGROUP_H
#define AL_CGROUP_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#define AL_CGROUP_UNLIMITED UINT64_MAX

/* The cgroup whose limit it is: its own, or one above it. */
struct al_cgroup_home {
    bool v2;
    char directory[PATH_MAX + 256];
};

/*
 * The smallest memory limit of the process's cgroup and those above it, as far as they are seen
 * from here, in bytes; AL_CGROUP_UNLIMITED if there is none or it cannot be found out. `root` is
 * put before every file name: "" but in tests. Some 4 KiB of stack; where paths are longer than
 * 512 bytes some 16 KiB. Async-signal safe.
 */
uint64_t al_cgroup_limit(const char *root);

/*
 * The same, and where that limit is. Without one `ret_home` is not touched. Of version 1 the limit
 * may be one above what is seen from here: then it is the process's own cgroup.
 */
uint64_t al_cgroup_find(const char *root, struct al_cgroup_home *ret_home);

#endif
