#include "smaps.h"

#include "lines.h"
#include "maps.h"
#include "procfs.h"

#include <errno.h>
#include <string.h>

/* The value of "   123 kB", in bytes. */
static uint64_t kilobytes(const char *at)
{
    uint64_t value = 0;

    at += strspn(at, " \t");
    for (; *at >= '0' && *at <= '9'; at++)
        value = value * 10 + (uint64_t)(*at - '0');
    return value * 1024;
}

/* Whether " rd wr mr lo" has the flag, two letters each, and nothing else of that name in it. */
static bool has_flag(const char *flags, const char *flag)
{
    for (const char *at = flags; (at = strstr(at, flag)); at++)
        if (at > flags && at[-1] == ' ' && (!at[2] || at[2] == ' '))
            return true;
    return false;
}

static void end_mapping(struct al_smaps *smaps)
{
    smaps->unknown |= smaps->open;
    smaps->open = false;
}

/* Whether it is the line of that name; what stands in it is `ret_rest`. */
static bool is_line(char *line, const char *name, char **ret_rest)
{
    size_t length = strlen(name);

    *ret_rest = line + length;
    return strncmp(line, name, length) == 0;
}

static void begin_mapping(struct al_smaps *smaps, const struct al_mapping *mapping)
{
    end_mapping(smaps);
    smaps->mapping = *mapping;
    smaps->resident = 0;
    smaps->swapped = 0;
    smaps->locked = false;
    smaps->kernels = al_mapping_is_kernels(mapping);
    smaps->open = true;
}

enum al_smaps_news al_smaps_line(struct al_smaps *smaps, char *line)
{
    struct al_mapping mapping;
    char *rest;

    if (is_line(line, "Rss:", &rest)) {
        smaps->resident = kilobytes(rest);
    } else if (is_line(line, "Swap:", &rest)) {
        smaps->swapped = kilobytes(rest);
    } else if (is_line(line, "VmFlags:", &rest)) {
        smaps->locked = has_flag(rest, "lo");
        if (!smaps->kernels && !smaps->locked)
            smaps->unlocked += smaps->resident;
        smaps->open = false;
        return AL_SMAPS_END;
    } else if (al_mapping_parse(line, &mapping)) {
        begin_mapping(smaps, &mapping);
        return AL_SMAPS_BEGIN;
    }
    return AL_SMAPS_NOTHING;
}

int al_smaps_end(struct al_smaps *smaps)
{
    end_mapping(smaps);
    return smaps->unknown ? -ENODATA : 0;
}

static bool visit(char *line, void *data)
{
    (void)al_smaps_line(data, line);
    return true;
}

int al_smaps_unlocked(uint64_t *ret_bytes)
{
    struct al_smaps smaps = {0};
    int error = al_lines_each("/proc/self/smaps", AL_LINES_LIST, al_procfs_text, AL_PROCFS_BYTES,
                              visit, &smaps);

    if (!error)
        error = al_smaps_end(&smaps);
    if (!error)
        *ret_bytes = smaps.unlocked;
    return error;
}
