/*
 * What an ELF file says of the program in it. Nothing in the file is trusted.
 */
#ifndef AL_CHECK_ELF_H
#define AL_CHECK_ELF_H

#include <stdbool.h>

struct check_elf {
    bool not_looked_at; /* this command was built without libelf */
    bool elf;
    bool damaged; /* its headers do not fit together */
    bool cut;     /* the file ends before its last segment does */
    bool other_processor;
    unsigned bits;         /* 32 or 64 */
    bool relocatable;      /* .o, core: nothing to run */
    bool is_library;       /* no loader and no sign of a program */
    char interpreter[256]; /* the loader that it asks for; "": none, it is static */
    bool go;
    const char *sanitizer;        /* that the library knows by a symbol or its runtime */
    const char *hidden_sanitizer; /* linked in, so that the library does not see it */
    const char *allocator;        /* another one that it is linked with */
    bool own_malloc;              /* it defines malloc itself */
};

/* Whether a descriptor can be sought does not matter; it is left open. */
void check_elf_read(int fd, struct check_elf *ret_elf);

#endif
