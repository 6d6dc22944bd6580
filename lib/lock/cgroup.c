#include "cgroup.h"

#include "cgroup_parse.h"
#include "io.h"
#include "lines.h"
#include "sys.h"
#include "text.h"

#include <fcntl.h>
#include <string.h>

/*
 * A program may fork, map memory or give up rights on a stack of 16 KiB, its own share included. So
 * paths of usual length are looked for with little; only if one was too long, again with what the
 * longest takes.
 */
enum { SHORT_PATH_BYTES = 512 };

/* More than a path: the mount point, and the file; or of /proc/self/cgroup number and controllers.
 */
enum { MORE_BYTES = 256 };

_Static_assert(PATH_MAX + MORE_BYTES == sizeof(((struct al_cgroup_home *)NULL)->directory),
               "the longest path has place in it");

/* Of memory.stat, up to behind the limit, so that one read is enough. */
enum { VALUE_BYTES = 1024 };

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
    bool cut; /* something was too long */
    char *name;
    size_t name_bytes;
    char *line; /* a line of /proc/self/cgroup, or of mountinfo */
    size_t line_bytes;
    char *path; /* the cgroup's */
    size_t path_bytes;
};

/* mount + path + "/" + file; false if that is too long. */
static bool make_name(struct place *place, const char *mount, const char *path, size_t length,
                      const char *file)
{
    struct al_text text = al_text_over(place->name, place->name_bytes);

    al_text_string(&text, place->root);
    al_text_string(&text, mount);
    al_text_bytes(&text, path, length);
    al_text_char(&text, '/');
    al_text_string(&text, file);
    place->cut |= text.cut;
    return !text.cut;
}

/* A number alone in its file, if that is there. */
static bool read_number(struct place *place, const char *mount, const char *path, size_t length,
                        const char *file, uint64_t *ret_number)
{
    char value[32];

    if (!make_name(place, mount, path, length, file) ||
        al_io_read_file(place->name, value, sizeof(value)) < 0)
        return false;
    *ret_number = al_cgroup_parse_limit(value);
    return true;
}

/* Past memory.high nobody is killed, but slowed down so much that he might as well be. */
static bool read_limit_v2(struct place *place, const char *mount, const char *path, size_t length,
                          uint64_t *ret_limit)
{
    uint64_t high;

    if (!read_number(place, mount, path, length, "memory.max", ret_limit))
        return false;
    if (read_number(place, mount, path, length, "memory.high", &high) && high < *ret_limit)
        *ret_limit = high;
    return true;
}

/* Reads one limit; false if there is no such file. */
static bool read_limit(struct place *place, const char *mount, const char *path, size_t length,
                       uint64_t *ret_limit)
{
    char value[VALUE_BYTES];
    long got = -ENAMETOOLONG;

    if (place->version == AL_CGROUP_V2)
        return read_limit_v2(place, mount, path, length, ret_limit);
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
    return read_number(place, mount, path, length, "memory.limit_in_bytes", ret_limit);
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

/* Its own, of version 1 without those above. */
static bool read_own_limit(struct place *place, const char *mount, const char *path, size_t length,
                           uint64_t *ret_limit)
{
    if (place->version == AL_CGROUP_V2)
        return read_limit_v2(place, mount, path, length, ret_limit);
    return read_number(place, mount, path, length, "memory.limit_in_bytes", ret_limit);
}

/* The nearest one on the way up that has this limit itself. */
static size_t length_of_home(struct place *place, const char *mount, const char *path,
                             uint64_t limit)
{
    size_t length = strlen(path);
    uint64_t own;

    do {
        if (read_own_limit(place, mount, path, length, &own) && own == limit)
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
    memcpy(place->home->directory, place->name, strlen(place->name) + 1);
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
    uint64_t limit;
    bool found;
};

static bool ask_mount(char *line, void *data)
{
    struct mount_query *query = data;
    char *point;

    query->place->cut |= strlen(line) + 1 == query->place->line_bytes;
    point = al_cgroup_parse_mount(line, query->place->version);
    if (point)
        query->found = limit_at(query->place, point, query->place->path, &query->limit) ||
                       limit_at(query->place, point, "", &query->limit);
    return !query->found;
}

/* The mount is somewhere else. */
static uint64_t limit_by_mountinfo(struct place *place)
{
    struct mount_query query = {.place = place, .limit = AL_CGROUP_UNLIMITED};

    char bytes[512]; /* the place's own name is needed for each mount */
    struct al_text name = al_text_over(bytes, sizeof(bytes));

    al_text_string(&name, place->root);
    al_text_string(&name, "/proc/self/mountinfo");
    if (!name.cut)
        (void)al_lines_each(bytes, AL_LINES_LIST, place->line, place->line_bytes, ask_mount,
                            &query);
    return query.limit;
}

static bool parse_line(char *line, void *data)
{
    struct place *place = data;

    place->cut |= strlen(line) + 1 == place->line_bytes ||
                  !al_cgroup_parse_line_to(line, &place->version, place->path, place->path_bytes);
    return place->version != AL_CGROUP_V1; /* nothing is better */
}

static bool limit_at_any(struct place *place, const char *path, uint64_t *ret_limit)
{
    bool v1 = place->version == AL_CGROUP_V1;

    for (unsigned i = v1 ? 0 : MOUNTS_V1; i < (v1 ? MOUNTS_V1 : MOUNTS); i++)
        if (limit_at(place, mounts[i], path, ret_limit))
            return true;
    return false;
}

static uint64_t find(struct place *place)
{
    uint64_t limit;

    place->version = AL_CGROUP_NONE;
    if (make_name(place, "/proc/self", "", 0, "cgroup"))
        (void)al_lines_each(place->name, AL_LINES_TEXT, place->line, place->line_bytes, parse_line,
                            place);
    if (place->version == AL_CGROUP_NONE)
        return AL_CGROUP_UNLIMITED;
    if (limit_at_any(place, place->path, &limit))
        return limit;
    /* In a container without a cgroup namespace the mount's root is the container's cgroup. */
    if (*place->path && limit_at_any(place, "", &limit))
        return limit;
    return limit_by_mountinfo(place);
}

/* Of a buffer for two names and a path. */
#define BUFFER_BYTES(path_bytes) (3 * (path_bytes) + 2 * MORE_BYTES)

static uint64_t find_by(const char *root, struct al_cgroup_home *home, char *buffer,
                        size_t path_bytes, bool *ret_cut)
{
    const size_t name_bytes = path_bytes + MORE_BYTES;
    struct place place = {.root = root,
                          .home = home,
                          .name = buffer,
                          .name_bytes = name_bytes,
                          .line = buffer + name_bytes,
                          .line_bytes = name_bytes,
                          .path = buffer + 2 * name_bytes,
                          .path_bytes = path_bytes};
    uint64_t limit = find(&place);

    *ret_cut = place.cut;
    return limit;
}

/* Not inlined: the caller would have both buffers on its stack at once. */
static uint64_t __attribute__((noinline))
find_short(const char *root, struct al_cgroup_home *home, bool *ret_cut)
{
    char buffer[BUFFER_BYTES(SHORT_PATH_BYTES)];

    return find_by(root, home, buffer, SHORT_PATH_BYTES, ret_cut);
}

static uint64_t __attribute__((noinline))
find_long(const char *root, struct al_cgroup_home *home, bool *ret_cut)
{
    char buffer[BUFFER_BYTES(PATH_MAX)];

    return find_by(root, home, buffer, PATH_MAX, ret_cut);
}

uint64_t al_cgroup_find(const char *root, struct al_cgroup_home *ret_home)
{
    bool cut;
    uint64_t limit = find_short(root, ret_home, &cut);

    return cut ? find_long(root, ret_home, &cut) : limit;
}

uint64_t al_cgroup_limit(const char *root)
{
    return al_cgroup_find(root, NULL);
}
