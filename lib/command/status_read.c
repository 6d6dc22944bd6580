#include "status_call.h"

#include "lines.h"
#include "memlock.h"
#include "memory.h"
#include "proc_file.h"
#include "procfs.h"
#include "smaps.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A process that executes another program meanwhile is read again, so often. */
enum { ATTEMPTS = 3 };

/* Of the flags in /proc/PID/stat: a thread of the kernel (PF_KTHREAD). */
enum { FLAG_KERNEL = 0x00200000 };

/* A line of any path fits into it. */
static char lines[65536];

struct stat_file {
    char name[64];
    char state;
    unsigned flags;
    uint64_t began;
};

/* A program's name may hold anything but its end. */
static bool read_stat(pid_t pid, struct stat_file *ret)
{
    char text[1024];
    const char *name;
    const char *rest;

    if (!proc_file_read(pid, "stat", text, sizeof(text)))
        return false;
    name = strchr(text, '(');
    rest = strrchr(text, ')');
    if (!name || !rest || rest < name)
        return false;
    (void)snprintf(ret->name, sizeof(ret->name), "%.*s", (int)(rest - name - 1), name + 1);
    return sscanf(rest,
                  ") %c %*d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
                  "%" SCNu64,
                  &ret->state, &ret->flags, &ret->began) == 3;
}

/* -- mappings --------------------------------------------------------------------------------- */

const char *status_keep(struct status_process *process, const char *name)
{
    if (process->names_count == process->names_room) {
        process->names_room = process->names_room ? 2 * process->names_room : 64;
        process->names = reallocate(process->names, process->names_room * sizeof(*process->names));
    }
    return process->names[process->names_count++] = text_of("%s", name);
}

static void forget(struct status_process *process)
{
    while (process->names_count)
        free(process->names[--process->names_count]);
    process->count = 0;
}

/* Neighbours mostly have one name. */
static const char *name_of(struct status_process *process, const char *name)
{
    if (!*name)
        return "";
    if (process->names_count && strcmp(process->names[process->names_count - 1], name) == 0)
        return process->names[process->names_count - 1];
    return status_keep(process, name);
}

static void begin_mapping(struct status_process *process, const struct al_mapping *seen)
{
    struct status_mapping *mapping;

    if (process->count == process->room) {
        process->room = process->room ? 2 * process->room : 256;
        process->mapping = reallocate(process->mapping, process->room * sizeof(*process->mapping));
    }
    mapping = &process->mapping[process->count++];
    *mapping = (struct status_mapping){
        .start = seen->start,
        .end = seen->end,
        .rights = {seen->readable ? 'r' : '-', seen->writable ? 'w' : '-',
                   seen->executable ? 'x' : '-', seen->shared ? 's' : 'p', '\0'},
        .name = name_of(process, seen->name)};
    mapping->bytes = (struct status_bytes){.mappings = 1, .size = seen->end - seen->start};
}

static void end_mapping(struct status_bytes *bytes, const struct al_smaps *smaps)
{
    bytes->resident = smaps->resident;
    bytes->swapped = smaps->swapped;
    bytes->locked = smaps->locked ? bytes->size : 0;
    bytes->unlocked = smaps->locked || smaps->kernels ? 0 : smaps->resident;
}

struct smaps_visit {
    struct status_process *process;
    struct al_smaps smaps;
};

static bool visit(char *line, void *data)
{
    struct smaps_visit *visit = data;
    struct status_process *process = visit->process;

    switch (al_smaps_line(&visit->smaps, line)) {
    case AL_SMAPS_BEGIN:
        begin_mapping(process, &visit->smaps.mapping);
        break;
    case AL_SMAPS_END:
        if (process->count)
            end_mapping(&process->mapping[process->count - 1].bytes, &visit->smaps);
        break;
    default:
        break;
    }
    return true;
}

static int read_mappings(struct status_process *process, pid_t shown_as)
{
    struct smaps_visit data = {.process = process};
    char path[64];
    int error;

    (void)snprintf(path, sizeof(path), "/proc/%d/smaps", (int)shown_as);
    error = al_lines_each(path, AL_LINES_LIST, lines, sizeof(lines), visit, &data);
    return error ? error : al_smaps_end(&data.smaps);
}

/* The list ends early when the process ends, or executes another program. */
static bool is_whole(const struct status_process *process, pid_t shown_as)
{
    char text[64];

    return process->count && proc_file_read(shown_as, "maps", text, sizeof(text)) &&
           strtoull(text, NULL, 16) == process->mapping[0].start;
}

/* -- the library ------------------------------------------------------------------------------ */

static bool has_library(const struct status_process *process)
{
    for (size_t i = 0; i < process->count; i++) {
        const char *slash = strrchr(process->mapping[i].name, '/');

        if (slash && strncmp(slash + 1, "libautolock", 11) == 0)
            return true;
    }
    return false;
}

/* `error`: of reading its counters. */
static enum status_library library_of(const struct status_process *process, int error)
{
    switch (error) {
    case 0:
        return STATUS_COUNTED;
    case -EBADMSG:
        return STATUS_OTHER;
    case -EPERM:
    case -EACCES:
        return STATUS_UNREADABLE;
    default:
        return has_library(process) ? STATUS_INERT : STATUS_WITHOUT;
    }
}

/* -- all of it -------------------------------------------------------------------------------- */

const char *status_words(enum status_trouble trouble)
{
    static const char *const words[] = {
        [STATUS_FINE] = "is there",
        [STATUS_NONE_SUCH] = "does not exist",
        [STATUS_GONE] = "has ended while it was read",
        [STATUS_ZOMBIE] = "has ended, and only waits for its parent to take notice (a zombie)",
        [STATUS_OF_KERNEL] = "is a thread of the kernel, and has no memory of its own",
        [STATUS_FORBIDDEN] = "may not be looked at by this user; what helps: its own user, or root",
        [STATUS_NO_PROC] =
            "cannot be looked at, as /proc is not mounted; what helps: mount -t proc proc /proc",
        [STATUS_NOT_SAID] = "cannot be read: the kernel does not say what is locked",
    };

    return words[trouble];
}

/* /proc may be mounted so that it shows a user only what is his (hidepid). */
static enum status_trouble not_shown(pid_t pid)
{
    if (access("/proc/self", F_OK))
        return STATUS_NO_PROC;
    return kill(pid, 0) == 0 || errno == EPERM ? STATUS_FORBIDDEN : STATUS_NONE_SUCH;
}

static enum status_trouble trouble_of(int error)
{
    switch (error) {
    case -EACCES:
    case -EPERM:
        return STATUS_FORBIDDEN;
    case -ESRCH:
    case -ENOENT:
        return STATUS_GONE;
    default:
        return STATUS_NOT_SAID;
    }
}

/* Of a user namespace the capability counts for nothing; the machine's first one has this number
 * for ever (PROC_USER_INIT_INO). */
static bool is_exempt(pid_t pid, const char *status)
{
    static const char first[] = "user:[4026531837]";
    const char *effective = strstr(status, "\nCapEff:");
    char path[64];
    char space[64];
    ssize_t length;

    if (!effective ||
        !(strtoull(effective + sizeof("\nCapEff:") - 1, NULL, 16) >> CAP_IPC_LOCK & 1))
        return false;
    (void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
    length = readlink(path, space, sizeof(space) - 1);
    space[length > 0 ? length : 0] = '\0';
    return length <= 0 || strcmp(space, first) == 0;
}

static bool read_sums(struct status_process *process, pid_t shown_as)
{
    struct al_memory_status status;
    char text[16384];
    uint64_t hard;

    if (!proc_file_read(shown_as, "status", text, sizeof(text)))
        return false;
    al_memory_status_parse(text, &status);
    process->locked = status.locked;
    process->resident = status.resident;
    process->swapped = status.swapped;
    process->exempt = is_exempt(shown_as, text);
    process->limit = UINT64_MAX;
    (void)snprintf(text, sizeof(text), "/proc/%d/limits", (int)process->pid);
    (void)memlock_read(text, &process->limit, &hard);
    return status.virtual > 0;
}

static enum status_trouble read_once(struct status_process *process, bool *ret_whole)
{
    pid_t shown_as = al_reader_shown_as(process->pid);
    int counters;
    int error;

    forget(process);
    /* First of all, since that may bring pages of theirs in, which are to be in the sums. */
    counters = al_reader_read_process(process->pid, process->reading);
    error = read_mappings(process, shown_as);
    *ret_whole = is_whole(process, shown_as);
    if (error)
        return trouble_of(error);
    process->library = library_of(process, counters);
    if (!read_sums(process, shown_as))
        return STATUS_GONE;
    return STATUS_FINE;
}

enum status_trouble status_read(struct status_process *process, pid_t pid)
{
    struct stat_file stat = {.state = 0};
    enum status_trouble trouble = STATUS_GONE;
    bool whole = false;

    process->pid = pid;
    process->ended = false;
    if (!process->reading)
        process->reading = allocate_aligned(_Alignof(struct al_reading), sizeof(struct al_reading));
    if (!read_stat(pid, &stat))
        return not_shown(pid);
    if (stat.flags & FLAG_KERNEL)
        return STATUS_OF_KERNEL;
    process->began = stat.began;
    for (int i = 0; i < ATTEMPTS && !whole; i++)
        trouble = read_once(process, &whole);
    if (trouble == STATUS_GONE && stat.state == 'Z')
        return STATUS_ZOMBIE;
    if (trouble != STATUS_FINE)
        return trouble;
    /* It may have executed another program since. */
    if (!read_stat(pid, &stat) || stat.began != process->began)
        return STATUS_GONE;
    memcpy(process->name, stat.name, sizeof(process->name));
    status_name(process);
    return STATUS_FINE;
}

bool status_is_there(const struct status_process *process)
{
    struct stat_file stat;

    return read_stat(process->pid, &stat) && stat.began == process->began;
}
