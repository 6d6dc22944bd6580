/*
 * What the kernel says of cgroups, parsed. All work on any text; async-signal safe.
 */
#ifndef AL_CGROUP_PARSE_H
#define AL_CGROUP_PARSE_H

#include "cgroup.h"

#include <limits.h>
#include <stddef.h>

enum al_cgroup_version { AL_CGROUP_NONE, AL_CGROUP_V2, AL_CGROUP_V1 };

/* Where the memory of the process is accounted. */
struct al_cgroup {
    enum al_cgroup_version version;
    char path[PATH_MAX]; /* below the mount: "/a/b"; "" is the mount's own root */
};

/*
 * A line of /proc/self/cgroup: fills `cgroup` if the line tells where memory is accounted, and
 * better than what is known already (version 1 has the controller wherever it is named there). A
 * path that leads out of the mount ("..") or is too long becomes that of the mount's root.
 */
void al_cgroup_parse_line(const char *line, struct al_cgroup *cgroup);

/* The same with less place for the path. False if that was too little. */
bool al_cgroup_parse_line_to(const char *line, enum al_cgroup_version *version, char *path,
                             size_t size);

/* The number in the file of a limit: "max", the page counter's largest value and nonsense are
 * AL_CGROUP_UNLIMITED. */
uint64_t al_cgroup_parse_limit(const char *text);

/*
 * A line of /proc/self/mountinfo, which is changed: its mount point, in `line` itself, if that is a
 * mount of version 2, or one of version 1 with the controller of memory; otherwise NULL.
 */
char *al_cgroup_parse_mount(char *line, enum al_cgroup_version version);

#endif
