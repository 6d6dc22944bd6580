/*
 * /proc/self/maps, a line at a time, without allocation.
 */
#ifndef AL_MAPS_H
#define AL_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct al_mapping {
    uintptr_t start;
    uintptr_t end;
    bool readable;
    bool writable;
    bool executable;
    bool shared;
    const char *name; /* path, or "[heap]" and the like, or ""; valid until the next line */
};

/* Parses one terminated line without its newline; false if it is none. `line` keeps the name. */
bool al_mapping_parse(char *line, struct al_mapping *ret_mapping);

/*
 * Calls `visit` for each mapping in the order of addresses until it returns false. Returns 0, or a
 * negative errno if the file cannot be read. The kernel writes the file a few mappings at a time:
 * what `visit` changes is seen in later lines. Async-signal safe if `visit` is.
 */
int al_maps_each(bool (*visit)(const struct al_mapping *mapping, void *data), void *data);

/* The same with the caller's buffer, a larger one, which takes fewer reads. */
int al_maps_each_by(char *buffer, size_t size,
                    bool (*visit)(const struct al_mapping *mapping, void *data), void *data);

/* Whether the kernel itself put it there (vdso, vvar, vsyscall): it cannot be locked. */
bool al_mapping_is_kernels(const struct al_mapping *mapping);

#endif
