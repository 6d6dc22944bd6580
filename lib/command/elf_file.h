/*
 * What an ELF file says of the program in it, and of how it is loaded. Nothing in the file is
 * trusted.
 */
#ifndef AL_ELF_FILE_H
#define AL_ELF_FILE_H

#include <stdbool.h>

enum elf_file_depth {
    ELF_FILE_LOADING, /* what its loader reads: that is little, of a file of any size */
    ELF_FILE_WHOLE    /* and its symbols */
};

struct elf_file {
    bool not_looked_at; /* this command was built without libelf */
    bool elf;
    bool damaged;         /* its headers do not fit together */
    bool cut;             /* the file ends before its last segment does */
    bool other_processor; /* than this command's */
    unsigned bits;        /* 32 or 64 */
    unsigned machine;
    bool relocatable;      /* .o, core: nothing to run */
    bool is_library;       /* no loader and no sign of a program */
    char interpreter[256]; /* the loader that it asks for; "": none, it is static */
    const char *sanitizer; /* that the library knows by a symbol or its runtime */
    const char *allocator; /* another one that it is linked with */
    /* Of these nothing is said by ELF_FILE_LOADING. */
    bool go;
    const char *hidden_sanitizer; /* linked in; where `sanitizer` is not set, the library does not
                                     see it */
    bool own_malloc;              /* it defines malloc itself */
};

/* Whether a descriptor can be sought does not matter; it is left open. */
void elf_file_read(int fd, enum elf_file_depth depth, struct elf_file *ret_file);

#endif
