#include "faults_symbols.h"

/* Built without libdw. */

struct faults_module *faults_module(const char *path, uint64_t inode)
{
    (void)path;
    (void)inode;
    return NULL;
}

bool faults_module_step(struct faults_module *module, uint64_t offset, bool call,
                        struct faults_registers *registers, const char *stack, size_t stack_bytes,
                        uint64_t stack_start)
{
    (void)module;
    (void)offset;
    (void)call;
    (void)registers;
    (void)stack;
    (void)stack_bytes;
    (void)stack_start;
    return false;
}

struct faults_place faults_module_place(struct faults_module *module, uint64_t offset, bool call)
{
    (void)module;
    (void)offset;
    (void)call;
    return (struct faults_place){0};
}

void faults_modules_close(void)
{
}
