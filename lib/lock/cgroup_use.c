#include "cgroup_use.h"

#include "cgroup_parse.h"
#include "io.h"
#include "text.h"

#include <string.h>

enum { NAME_BYTES = sizeof(((struct al_cgroup_home *)NULL)->directory) + 64 };

/* On a small stack (cgroup.c): the usual ones. */
enum { SHORT_NAME_BYTES = 768 };

/* The two numbers stand one after the other; version 1 has them for this cgroup alone before. */
static const char inactive_v1[] = "total_inactive_file ";
static const char active_v1[] = "total_active_file ";
static const char inactive_v2[] = "\ninactive_file ";
static const char active_v2[] = "\nactive_file ";

static long __attribute__((noinline)) read_long(const struct al_cgroup_home *home, const char *file,
                                                const char *begin, char *buffer, size_t size)
{
    char bytes[NAME_BYTES];
    struct al_text name = al_text_over(bytes, sizeof(bytes));

    al_text_string(&name, home->directory);
    al_text_string(&name, file);
    return al_io_read_file_from(bytes, begin, buffer, size);
}

static long read_of(const struct al_cgroup_home *home, const char *file, const char *begin,
                    char *buffer, size_t size)
{
    char bytes[SHORT_NAME_BYTES];
    struct al_text name = al_text_over(bytes, sizeof(bytes));

    al_text_string(&name, home->directory);
    al_text_string(&name, file);
    if (name.cut)
        return read_long(home, file, begin, buffer, size);
    return al_io_read_file_from(bytes, begin, buffer, size);
}

/* 0 where no digit is. */
static uint64_t number_at(const char *at)
{
    uint64_t number = 0;

    for (; *at >= '0' && *at <= '9'; at++)
        number = number * 10 + (uint64_t)(*at - '0');
    return number;
}

static bool read_number(const struct al_cgroup_home *home, const char *file, uint64_t *ret_number)
{
    char text[32];

    if (read_of(home, file, NULL, text, sizeof(text)) <= 0)
        return false;
    *ret_number = number_at(text);
    return true;
}

uint64_t al_cgroup_used(const struct al_cgroup_home *home)
{
    uint64_t used;

    if (!read_number(home, home->v2 ? "memory.current" : "memory.usage_in_bytes", &used))
        return AL_CGROUP_UNLIMITED;
    return used;
}

/* Of version 1 it is a limit for both together. */
uint64_t al_cgroup_swap(const struct al_cgroup_home *home)
{
    char text[32];
    uint64_t memory;
    uint64_t both;

    if (home->v2) {
        if (read_of(home, "memory.swap.max", NULL, text, sizeof(text)) <= 0)
            return AL_CGROUP_UNLIMITED;
        return al_cgroup_parse_limit(text);
    }
    if (!read_number(home, "memory.limit_in_bytes", &memory) ||
        !read_number(home, "memory.memsw.limit_in_bytes", &both))
        return AL_CGROUP_UNLIMITED;
    return both > memory ? both - memory : 0;
}

uint64_t al_cgroup_droppable(const struct al_cgroup_home *home)
{
    const char *inactive = home->v2 ? inactive_v2 : inactive_v1;
    const char *active = home->v2 ? active_v2 : active_v1;
    char text[2048];
    const char *second;

    if (read_of(home, "memory.stat", inactive, text, sizeof(text)) <= 0)
        return 0;
    second = strstr(text, active);
    return number_at(text + strlen(inactive)) + (second ? number_at(second + strlen(active)) : 0);
}
