#include "check_call.h"

#include "cgroup.h"
#include "cgroup_parse.h"

#include <stdlib.h>
#include <string.h>

/* A cgroup's folder, and what its files are called in this version. */
struct folder {
    const char *root;
    const char *mount;
    const char *path;
    size_t length; /* of the path */
    bool v2;
};

static FILE *open_in(const struct folder *folder, const char *name)
{
    char path[2 * PATH_MAX];

    if (snprintf(path, sizeof(path), "%s%s%.*s/%s", folder->root, folder->mount,
                 (int)folder->length, folder->path, name) >= (int)sizeof(path))
        return NULL;
    return fopen(path, "re");
}

static uint64_t number_in(const struct folder *folder, const char *name)
{
    FILE *file = open_in(folder, name);
    char text[64] = "";
    uint64_t value = CHECK_UNKNOWN;

    if (!file)
        return value;
    /* "max" is none. */
    if (fgets(text, sizeof(text), file))
        value = al_cgroup_parse_limit(text);
    (void)fclose(file);
    return value;
}

/* Of files: what the kernel drops before it swaps. */
static uint64_t droppable_in(const struct folder *folder)
{
    const char *prefix = folder->v2 ? "" : "total_";
    FILE *file = open_in(folder, "memory.stat");
    char line[128];
    uint64_t sum = 0;

    while (file && fgets(line, sizeof(line), file)) {
        const char *name = line;

        if (strncmp(name, prefix, strlen(prefix)) != 0)
            continue;
        name += strlen(prefix);
        if (strncmp(name, "inactive_file ", 14) == 0 || strncmp(name, "active_file ", 12) == 0)
            sum += strtoull(strchr(name, ' '), NULL, 10);
    }
    if (file)
        (void)fclose(file);
    return sum;
}

static uint64_t limit_in(const struct folder *folder)
{
    uint64_t limit = number_in(folder, folder->v2 ? "memory.max" : "memory.limit_in_bytes");
    uint64_t high = folder->v2 ? number_in(folder, "memory.high") : CHECK_UNKNOWN;

    return high < limit ? high : limit;
}

static bool used_at(const struct folder *folder, struct check_surroundings *ret)
{
    uint64_t limit = limit_in(folder);
    uint64_t used = number_in(folder, folder->v2 ? "memory.current" : "memory.usage_in_bytes");
    uint64_t droppable;

    if (limit != ret->cgroup_limit || used == CHECK_UNKNOWN)
        return false;
    droppable = droppable_in(folder);
    ret->cgroup_used = used > droppable ? used - droppable : 0;
    return true;
}

/* The cgroup that has the limit: this one, or one above it. */
static bool used_above(struct folder folder, struct check_surroundings *ret)
{
    for (;;) {
        if (used_at(&folder, ret))
            return true;
        if (!folder.length)
            return false;
        do
            folder.length--;
        while (folder.length && folder.path[folder.length] != '/');
    }
}

static void find_cgroup(const char *root, struct al_cgroup *ret_cgroup)
{
    char path[PATH_MAX];
    char *line = NULL;
    size_t size = 0;
    FILE *file;

    memset(ret_cgroup, 0, sizeof(*ret_cgroup));
    (void)snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
    file = fopen(path, "re");
    while (file && getline(&line, &size, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        al_cgroup_parse_line(line, ret_cgroup);
    }
    free(line);
    if (file)
        (void)fclose(file);
}

void check_read_cgroup(struct check_surroundings *ret, const char *root)
{
    static const char *const mounts[] = {"/sys/fs/cgroup/memory", "/sys/fs/cgroup",
                                         "/sys/fs/cgroup/unified"};
    struct al_cgroup cgroup;

    ret->cgroup_limit = al_cgroup_limit(root);
    ret->cgroup_used = CHECK_UNKNOWN;
    if (ret->cgroup_limit == AL_CGROUP_UNLIMITED)
        return;
    find_cgroup(root, &cgroup);
    for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
        struct folder folder = {.root = root,
                                .mount = mounts[i],
                                .path = cgroup.path,
                                .length = strlen(cgroup.path),
                                .v2 = cgroup.version == AL_CGROUP_V2};

        if (used_above(folder, ret))
            return;
    }
}
