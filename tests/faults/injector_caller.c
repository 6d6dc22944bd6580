/*
 * Who makes a system call: the library, what libc does for it, or the executable.
 */
#include "injector.h"

#include <inttypes.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>

enum { PROCESSES = 4096 }; /* a place each by the lowest bits of the number */

static struct process processes[PROCESSES];

static void find_library(struct process *process)
{
    char path[64], line[4608];
    FILE *maps;

    process->library = (struct range){0};
    (void)snprintf(path, sizeof(path), "/proc/%d/maps", process->id);
    maps = fopen(path, "re");
    if (!maps)
        return;
    while (fgets(line, sizeof(line), maps)) {
        uint64_t start, end, offset;
        unsigned long inode;
        unsigned high, low;
        char rights[8];

        if (injector_wish.has_file) {
            if (strstr(line, "/ld-") &&
                sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s", &start, &end, rights) == 3 &&
                rights[2] == 'x')
                process->library = (struct range){start, end};
            continue;
        }
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64 " %x:%x %lu", &start, &end, rights,
                   &offset, &high, &low, &inode) == 7 &&
            rights[2] == 'x' && inode == injector_wish.library.st_ino &&
            makedev(high, low) == injector_wish.library.st_dev) {
            process->library = (struct range){start, end};
            process->base = start - offset;
        }
    }
    (void)fclose(maps);
}

struct process *injector_process(pid_t id)
{
    struct process *process = &processes[(unsigned)id % PROCESSES];

    if (process->id != id || !process->known) {
        char path[64];
        struct stat file;

        *process = (struct process){.id = id, .known = true};
        if (injector_wish.has_file) {
            (void)snprintf(path, sizeof(path), "/proc/%d/exe", id);
            process->is_file = stat(path, &file) == 0 && file.st_ino == injector_wish.file.st_ino &&
                               file.st_dev == injector_wish.file.st_dev;
        }
        if (injector_wish.has_library || process->is_file)
            find_library(process);
    }
    return process;
}

void injector_forget(pid_t id)
{
    processes[(unsigned)id % PROCESSES].known = false;
}

static bool within(struct range range, uint64_t at)
{
    return at >= range.start && at < range.end;
}

/* The innermost address on the stack that lies in the library; 0: none. */
static uint64_t returns_to(pid_t id, const struct process *process, uint64_t stack)
{
    uint64_t words[160];
    struct iovec here = {words, sizeof(words)}, there = {(void *)stack, sizeof(words)};
    ssize_t got = process_vm_readv(id, &here, 1, &there, 1, 0);

    for (ssize_t i = 0; i < got / (ssize_t)sizeof(words[0]); i++)
        if (within(process->library, words[i]) &&
            (!injector_wish.inside.end || within(injector_wish.inside, words[i] - process->base)))
            return words[i];
    return 0;
}

/*
 * Whether the call is to be judged, and where in the library it is made. The library comes with the
 * program and never goes, so it is looked for until it is there; in every call before, which are
 * those of the loader.
 */
bool injector_is_judged(pid_t id, uint64_t at, uint64_t stack, uint64_t *ret_offset)
{
    struct process *process = injector_process(id);

    *ret_offset = 0;
    if (injector_wish.anybody)
        return true;
    if (injector_wish.has_file)
        return process->is_file && !within(process->library, at);
    if (!process->library.end)
        find_library(process);
    if (injector_wish.behind)
        at = within(process->library, at) ? 0 : returns_to(id, process, stack);
    if (!within(process->library, at))
        return false;
    *ret_offset = at - process->base;
    if (injector_wish.inside.end && !within(injector_wish.inside, *ret_offset))
        return false;
    for (int i = 0; i < injector_wish.ranges; i++)
        if (within(injector_wish.left_out[i], *ret_offset))
            return false;
    return true;
}
