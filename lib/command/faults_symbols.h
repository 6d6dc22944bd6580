/*
 * Functions, lines and frames of programs and libraries, by their files, wherever they are mapped.
 * By elfutils' libdw; without it, at build time, nothing is known of any.
 */
#ifndef AL_FAULTS_SYMBOLS_H
#define AL_FAULTS_SYMBOLS_H

#include "faults_record.h"

struct faults_module;

/* The file at that path, if it is still the one with that inode; else NULL. It is looked for once,
 * and stays. */
struct faults_module *faults_module(const char *path, uint64_t inode);

/*
 * From a frame to that of the caller: `offset` is where the program counter is in the file. `call`:
 * it is a return address, behind the call. False: it cannot be told.
 */
bool faults_module_step(struct faults_module *module, uint64_t offset, bool call,
                        struct faults_registers *registers, const char *stack, size_t stack_bytes,
                        uint64_t stack_start);

struct faults_place {
    const char *function; /* NULL: not known */
    const char *source;   /* NULL: not known */
    int line;
};

/* The file's debugging information is read for that, or the one that is installed beside. */
struct faults_place faults_module_place(struct faults_module *module, uint64_t offset, bool call);

/* What libdw has read. */
void faults_modules_close(void);

#endif
