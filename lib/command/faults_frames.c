#include "faults_frames.h"

#include "faults_symbols.h"

#include <string.h>

enum { FRAMES_MAX = 24 };

/* libc.so.6, libc-2.31.so, ld-linux-x86-64.so.2, ld-musl-x86_64.so.1: */
static bool serves_others(const char *file)
{
    static const char *const beginnings[] = {"libc.so", "libc-2.",  "ld-linux",   "ld-2.",
                                             "ld64.",   "ld-musl-", "libpthread", "libautolock.so"};
    const char *slash = strrchr(file, '/');
    const char *name = slash ? slash + 1 : file;

    for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++)
        if (strncmp(name, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return false;
}

static struct faults_code code_at(const struct faults_regions *regions, uint64_t address, bool call)
{
    const struct faults_region *region = faults_regions_find(regions, address);
    struct faults_code code = {.offset = address, .call = call};

    if (!region)
        return code;
    code.file = region->name;
    code.inode = region->inode;
    if (region->name[0] == '/')
        code.offset = address - region->start + region->offset;
    else
        code.offset = 0;
    return code;
}

void faults_frames_find(const struct faults_regions *regions, const struct faults_record *sample,
                        struct faults_code *ret_at, struct faults_code *ret_through)
{
    struct faults_registers registers = sample->registers;
    uint64_t stack = registers.value[FAULTS_SP];
    struct faults_code code = code_at(regions, registers.value[FAULTS_PC], false);
    struct faults_code served = code;

    for (int i = 0; i < FRAMES_MAX && code.file && serves_others(code.file); i++) {
        struct faults_module *module = faults_module(code.file, code.inode);

        served = code;
        if (!module || !faults_module_step(module, code.offset, code.call, &registers,
                                           sample->stack, sample->stack_bytes, stack))
            break;
        code = code_at(regions, registers.value[FAULTS_PC], true);
    }
    *ret_at = code.file ? code : served;
    *ret_through = code.file && !serves_others(code.file) ? served : *ret_at;
}
