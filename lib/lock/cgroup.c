#include "cgroup.h"

#include "cgroup_parse.h"
#include "io.h"
#include "lines.h"
#include "sys.h"
#include "text.h"

#include <fcntl.h>
#include <string.h>

/* The longest file name: root, mount point, cgroup and file together. */
enum { NAME_BYTES = sizeof(((struct al_cgroup_home *)NULL)->directory) };

/* A line of /proc/self/cgroup: number, controllers and path. */
enum { LINE_BYTES = PATH_MAX + 256 };

/* All of memory.stat, as a rule: then one read is enough. */
enum { VALUE_BYTES = 2048 };

static const char stat_limit[] = "hierarchical_memory_limit ";

enum { MOUNT_BYTES = 24 };

/* Where the mounts are on every distribution; the rest is in /proc/self/mountinfo. */
static const char mounts[][MOUNT_BYTES] = {"/sys/fs/cgroup/memory", "/sys/fs/cgroup",
                                           "/sys/fs/cgroup/unified"};

enum { MOUNTS_V1 = 1, MOUNTS = sizeof(mounts) / sizeof(mounts[0]) };

/* A mount of cgroups, and the file name that is being made of it. */
struct place {
    const char *root;
    struct al_cgroup_home *home; /* to be filled, or NULL */
    enum al_cgroup_version version;
    char name[NAME_BYTES];
};

/* mount + path + "/" + file; false if that is too long. */
static bool make_name(struct place *place, const char *mount, const char *path, size_t length,
                      const char *file)
{
    struct al_text text = al_text_over(place->name, sizeof(place->name));

    al_text_string(&text, place->root);
    al_text_string(&text, mount);
    al_text_bytes(&text, path, length);
    al_text_char(&text, '/');
    al_text_string(&text, file);
    return !text.cut;
}

/* Reads one limit; false if there is no such file. */
static bool read_limit(struct place *place, const char *mount, const char *path, size_t length,
                       uint64_t *ret_limit)
{
    bool v2 = place->version == AL_CGROUP_V2;
    char value[VALUE_BYTES];
    long got = -ENAMETOOLONG;

    if (v2) {
        if (make_name(place, mount, path, length, "memory.max"))
            got = al_io_read_file(place->name, value, sizeof(value));
        if (got >= 0)
            *ret_limit = al_cgroup_parse_limit(value);
        return got >= 0;
    }
    /* It has the limits of the cgroups above in it. */
    if (make_name(place, mount, path, length, "memory.stat"))
        got = al_io_read_file_from(place->name, stat_limit, value, sizeof(value));
    if (got > 0) {
        char *end = strchr(value, '\n');

        if (end)
            *end = '\0';
        *ret_limit = al_cgroup_parse_limit(value + sizeof(stat_limit) - 1);
        return true;
    }
    if (make_name(place, mount, path, length, "memory.limit_in_bytes"))
        got = al_io_read_file(place->name, value, sizeof(value));
    if (got >= 0)
        *ret_limit = al_cgroup_parse_limit(value);
    return got >= 0;
}

static bool exists(struct place *place, const char *mount, const char *path, const char *file)
{
    return make_name(place, mount, path, strlen(path), file) &&
           al_sys4(SYS_faccessat, AT_FDCWD, place->name, F_OK, 0) == 0;
}

/* The next one above; false if this is the mount's own. */
static bool go_up(const char *path, size_t *length)
{
    if (!*length)
        return false;
    do
        --*length;
    while (*length && path[*length] != '/');
    return true;
}

/* Version 2: a limit holds for all that is below it. */
static uint64_t smallest_above(struct place *place, const char *mount, const char *path,
                               uint64_t least)
{
    size_t length = strlen(path);

    while (go_up(path, &length)) {
        uint64_t limit;

        if (read_limit(place, mount, path, length, &limit) && limit < least)
            least = limit;
    }
    return least;
}

/* The nearest one on the way up that has this limit itself. */
static size_t length_of_home(struct place *place, const char *mount, const char *path,
                             uint64_t limit)
{
    const char *file = place->version == AL_CGROUP_V2 ? "memory.max" : "memory.limit_in_bytes";
    size_t length = strlen(path);
    char value[32];

    do {
        if (make_name(place, mount, path, length, file) &&
            al_io_read_file(place->name, value, sizeof(value)) > 0 &&
            al_cgroup_parse_limit(value) == limit)
            return length;
    } while (go_up(path, &length));
    return strlen(path);
}

static void fill_home(struct place *place, const char *mount, const char *path, uint64_t limit)
{
    size_t length = length_of_home(place, mount, path, limit);

    if (!make_name(place, mount, path, length, ""))
        return;
    place->home->v2 = place->version == AL_CGROUP_V2;
    memcpy(place->home->directory, place->name, sizeof(place->name));
}

/* The limit of the cgroup `path` below this mount; false if it is not there. */
static bool limit_at(struct place *place, const char *mount, const char *path, uint64_t *ret_limit)
{
    uint64_t limit = AL_CGROUP_UNLIMITED;
    bool there = read_limit(place, mount, path, strlen(path), &limit);

    if (place->version == AL_CGROUP_V2) {
        /* The controller may be switched off here and on above; the root has no limit of its own */
        if (!there && !exists(place, mount, path, "cgroup.controllers"))
            return false;
        limit = smallest_above(place, mount, path, limit);
        there = true;
    }
    if (there && place->home && limit != AL_CGROUP_UNLIMITED)
        fill_home(place, mount, path, limit);
    if (there)
        *ret_limit = limit;
    return there;
}

struct mount_query {
    struct place *place;
    const char *path;
    uint64_t limit;
    bool found;
};

static bool ask_mount(char *line, void *data)
{
    struct mount_query *query = data;
    char *point = al_cgroup_parse_mount(line, query->place->version);

    if (point)
        query->found = limit_at(query->place, point, query->path, &query->limit) ||
                       limit_at(query->place, point, "", &query->limit);
    return !query->found;
}

/* The mount is somewhere else. `line` is a buffer that may be used. */
static uint64_t limit_by_mountinfo(struct place *place, const char *path, char *line, size_t size)
{
    struct mount_query query = {.place = place, .path = path, .limit = AL_CGROUP_UNLIMITED};

    char bytes[512]; /* the place's own name is needed for each mount */
    struct al_text name = al_text_over(bytes, sizeof(bytes));

    al_text_string(&name, place->root);
    al_text_string(&name, "/proc/self/mountinfo");
    if (!name.cut)
        (void)al_lines_each(bytes, AL_LINES_LIST, line, size, ask_mount, &query);
    return query.limit;
}

static bool parse_line(char *line, void *data)
{
    struct al_cgroup *cgroup = data;

    al_cgroup_parse_line(line, cgroup);
    return cgroup->version != AL_CGROUP_V1; /* nothing is better */
}

static bool limit_at_any(struct place *place, const char *path, uint64_t *ret_limit)
{
    bool v1 = place->version == AL_CGROUP_V1;

    for (unsigned i = v1 ? 0 : MOUNTS_V1; i < (v1 ? MOUNTS_V1 : MOUNTS); i++)
        if (limit_at(place, mounts[i], path, ret_limit))
            return true;
    return false;
}

uint64_t al_cgroup_limit(const char *root)
{
    return al_cgroup_find(root, NULL);
}

uint64_t al_cgroup_find(const char *root, struct al_cgroup_home *ret_home)
{
    struct place place = {.root = root, .home = ret_home};
    char line[LINE_BYTES];
    struct al_cgroup cgroup;
    uint64_t limit;

    cgroup.version = AL_CGROUP_NONE;
    if (make_name(&place, "/proc/self", "", 0, "cgroup"))
        (void)al_lines_each(place.name, AL_LINES_TEXT, line, sizeof(line), parse_line, &cgroup);
    if (cgroup.version == AL_CGROUP_NONE)
        return AL_CGROUP_UNLIMITED;
    place.version = cgroup.version;
    if (limit_at_any(&place, cgroup.path, &limit))
        return limit;
    /* In a container without a cgroup namespace the mount's root is the container's cgroup. */
    if (*cgroup.path && limit_at_any(&place, "", &limit))
        return limit;
    return limit_by_mountinfo(&place, cgroup.path, line, sizeof(line));
}
