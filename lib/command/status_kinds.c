#include "status_call.h"

#include "maps.h"
#include "memory.h"
#include "options.h"
#include "regions.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char *const status_kind_names[STATUS_KINDS] = {"heap",  "anon",  "file",  "shared",
                                                     "stack", "image", "kernel"};

/* glibc keeps the heaps of further threads in pieces of this size, at such addresses
 * (HEAP_MAX_SIZE). */
#define ARENA_BYTES ((uint64_t)64 << 20)

static bool is_unnamed(const struct status_mapping *mapping)
{
    return !*mapping->name;
}

static bool is_private(const struct status_mapping *mapping)
{
    return mapping->rights[3] == 'p';
}

static bool is_accessible(const struct status_mapping *mapping)
{
    return strncmp(mapping->rights, "---", 3) != 0;
}

static bool is_plain(const struct status_mapping *mapping)
{
    return is_unnamed(mapping) && is_private(mapping) && is_accessible(mapping);
}

static void call(struct status_mapping *mapping, enum status_kind kind, const char *name)
{
    mapping->kind = kind;
    mapping->name = name;
}

/* -- by itself -------------------------------------------------------------------------------- */

/* What the library itself takes a mapping for, by its name. */
static enum status_kind kind_of(const struct status_mapping *mapping)
{
    const struct al_mapping seen = {.name = mapping->name, .shared = !is_private(mapping)};

    if (al_mapping_is_kernels(&seen))
        return STATUS_KERNEL;
    /* Names that the program, or glibc for it, gives to its memory (PR_SET_VMA_ANON_NAME). */
    if (strncmp(seen.name, "[anon: glibc: malloc", 20) == 0)
        return STATUS_HEAP;
    if (strncmp(seen.name, "[anon: glibc: pthread stack", 27) == 0)
        return STATUS_STACK;
    return (enum status_kind)__builtin_ctz(al_mapping_kind(&seen));
}

/* -- images ----------------------------------------------------------------------------------- */

/*
 * Segments of one file lie side by side, and one of them is executable. What follows a writable
 * one at once, without a name, are the variables that have no place in the file.
 */
static size_t name_image(struct status_process *process, size_t first)
{
    const char *name = process->mapping[first].name;
    bool executable = false;
    size_t end = first;

    while (end < process->count && strcmp(process->mapping[end].name, name) == 0 &&
           is_private(&process->mapping[end]))
        executable |= process->mapping[end++].rights[2] == 'x';
    for (size_t i = first; executable && i < end; i++)
        process->mapping[i].kind = STATUS_IMAGE;
    if (executable && end < process->count && is_plain(&process->mapping[end]) &&
        process->mapping[end].start == process->mapping[end - 1].end &&
        process->mapping[end - 1].rights[1] == 'w')
        call(&process->mapping[end++], STATUS_IMAGE, name);
    return end > first ? end : first + 1;
}

/* -- heaps of further threads ----------------------------------------------------------------- */

/* From the beginning of such a piece, what is in use, and what is only reserved up to its end. */
static void name_arena(struct status_process *process, size_t first)
{
    uint64_t end = process->mapping[first].start + ARENA_BYTES;
    size_t last = first;

    if (process->mapping[first].start % ARENA_BYTES)
        return;
    while (last < process->count && is_plain(&process->mapping[last]) &&
           (last == first || process->mapping[last].start == process->mapping[last - 1].end))
        last++;
    if (last == first || last == process->count || !is_unnamed(&process->mapping[last]) ||
        is_accessible(&process->mapping[last]) || process->mapping[last].end != end ||
        process->mapping[last].start != process->mapping[last - 1].end)
        return;
    for (; first <= last; first++)
        call(&process->mapping[first], STATUS_HEAP, "[arena]");
}

/* -- stacks of threads ------------------------------------------------------------------------ */

static bool read_file(pid_t pid, const char *thread, const char *name, char *buffer, int size)
{
    char *path = NULL;
    FILE *file;
    bool read;

    if (asprintf(&path, "/proc/%d/task/%s/%s", (int)pid, thread, name) < 0)
        return false;
    file = fopen(path, "re");
    free(path);
    read = file && fgets(buffer, size, file);
    if (file)
        (void)fclose(file);
    if (read)
        buffer[strcspn(buffer, "\n")] = '\0';
    return read;
}

static size_t mapping_at(const struct status_process *process, uint64_t address)
{
    size_t at = 0;

    while (at < process->count && address >= process->mapping[at].end)
        at++;
    return at < process->count && address >= process->mapping[at].start ? at : process->count;
}

/*
 * It ends below at pages that nothing may touch. Without those the memory is no stack of a thread
 * but one of its routines', somewhere in a heap.
 */
static void name_stack(struct status_process *process, uint64_t pointer, const char *thread)
{
    size_t top = mapping_at(process, pointer);
    size_t guard = top;
    const char *name;
    char text[96];

    while (guard < process->count && is_plain(&process->mapping[guard])) {
        if (!guard || process->mapping[guard - 1].end != process->mapping[guard].start)
            return;
        guard--;
    }
    if (guard == top || !is_unnamed(&process->mapping[guard]) ||
        is_accessible(&process->mapping[guard]))
        return;
    (void)snprintf(text, sizeof(text), "[stack of %s]", thread);
    name = status_keep(process, text);
    for (; guard <= top; guard++)
        call(&process->mapping[guard], STATUS_STACK, name);
}

/* Where its stack ends is known of a thread that waits. */
static void name_stack_of(struct status_process *process, const char *thread)
{
    uint64_t pointer;
    char name[64];
    char call_line[256];

    if (!read_file(process->pid, thread, "syscall", call_line, sizeof(call_line)) ||
        !read_file(process->pid, thread, "comm", name, sizeof(name)))
        return;
    /* "number a b c d e f stack-pointer instruction", "-1 stack-pointer instruction", "running" */
    if (sscanf(call_line, "-1 %" SCNx64, &pointer) == 1 ||
        sscanf(call_line, "%*u %*x %*x %*x %*x %*x %*x %" SCNx64, &pointer) == 1)
        name_stack(process, pointer, name);
}

static void name_stacks(struct status_process *process)
{
    char path[64];
    const struct dirent *entry;
    DIR *threads;

    (void)snprintf(path, sizeof(path), "/proc/%d/task", (int)process->pid);
    threads = opendir(path);
    while (threads && (entry = readdir(threads)))
        if (*entry->d_name != '.')
            name_stack_of(process, entry->d_name);
    if (threads)
        (void)closedir(threads);
}

void status_name(struct status_process *process)
{
    for (size_t i = 0; i < process->count; i++)
        process->mapping[i].kind = kind_of(&process->mapping[i]);
    for (size_t i = 0; i < process->count;)
        i = process->mapping[i].kind == STATUS_FILE ? name_image(process, i) : i + 1;
    name_stacks(process);
    for (size_t i = 0; i < process->count; i++)
        name_arena(process, i);
    for (size_t i = 0; i < process->count; i++) {
        struct status_mapping *mapping = &process->mapping[i];

        if (is_unnamed(mapping))
            mapping->name = is_accessible(mapping) ? "[anon]" : "[reserved]";
    }
}
