/*
 * The memory limit of the process's cgroup, version 1, 2 or both side by side.
 */
#ifndef AL_CGROUP_H
#define AL_CGROUP_H

#include <stdint.h>

#define AL_CGROUP_UNLIMITED UINT64_MAX

/*
 * The smallest memory limit of the process's cgroup and those above it, as far as they are seen
 * from here, in bytes; AL_CGROUP_UNLIMITED if there is none or it cannot be found out. `root` is
 * put before every file name: "" but in tests. Some 16 KiB of stack. Async-signal safe.
 */
uint64_t al_cgroup_limit(const char *root);

#endif
