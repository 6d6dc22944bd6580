/*
 * A file of the ELF format, as far as it says how it is loaded. Of files of either size of address
 * and of this machine's byte order; nothing of them is trusted.
 */
#ifndef AL_RUN_ELF_H
#define AL_RUN_ELF_H

#include <stdbool.h>

struct run_elf {
    unsigned bits; /* 32 or 64 */
    unsigned machine;
    const char *interpreter; /* the loader, or NULL: it is static, or a library */
    bool named;              /* it is a library by its own word (DT_SONAME), or a loader */
    const char *sanitizer;   /* what it is built with, or NULL */
};

/* False: it cannot be read, or is no such file. */
bool run_elf_read(const char *path, struct run_elf *ret_elf);

#endif
