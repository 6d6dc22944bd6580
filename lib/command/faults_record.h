/*
 * What the kernel tells of a program that is sampled: its page faults, and what it takes to name
 * them. The records of perf_event_open(2), for those attributes that faults_perf.c sets.
 */
#ifndef AL_FAULTS_RECORD_H
#define AL_FAULTS_RECORD_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Enough to find the caller above libc's functions; a frame that is larger hides what is behind. */
enum { FAULTS_STACK_BYTES = 1024 };

/* By the numbers that DWARF gives them on this processor. */
#if defined(__x86_64__)
enum { FAULTS_REGISTERS = 17, FAULTS_SP = 7, FAULTS_PC = 16 };
#elif defined(__aarch64__)
enum { FAULTS_REGISTERS = 33, FAULTS_SP = 31, FAULTS_PC = 32 };
#else
enum { FAULTS_REGISTERS = 2, FAULTS_SP = 0, FAULTS_PC = 1 };
#endif

/* The registers that are asked for, as perf numbers them; 0: none can be. */
uint64_t faults_register_mask(void);

struct faults_registers {
    uint64_t value[FAULTS_REGISTERS];
    uint64_t known; /* a bit for each */
};

enum faults_kind {
    FAULTS_MINOR,
    FAULTS_MAJOR,
    FAULTS_BROUGHT, /* a page the kernel had for the process in a call of it, not in a fault */
    FAULTS_MAPPED,
    FAULTS_NAMED,
    FAULTS_FORKED,
    FAULTS_ENDED,
    FAULTS_LOST,
    FAULTS_OTHER
};

struct faults_record {
    enum faults_kind kind;
    pid_t pid;
    pid_t tid;
    uint64_t time_ns; /* CLOCK_MONOTONIC */

    /* The first three. */
    uint64_t address; /* FAULTS_BROUGHT: not known */
    uint64_t id;      /* of the event; which of the three it is the caller knows */
    struct faults_registers registers;
    const char *stack; /* from the stack pointer on */
    size_t stack_bytes;

    /* FAULTS_MAPPED */
    uint64_t start;
    uint64_t end;
    uint64_t offset;
    uint64_t inode;
    uint32_t protection;
    uint32_t flags;

    /* FAULTS_MAPPED, FAULTS_NAMED */
    const char *name;
    bool executed; /* FAULTS_NAMED: by an exec */

    /* FAULTS_FORKED, FAULTS_ENDED */
    pid_t parent;

    uint64_t lost;
};

/* When it was; of no use but for the order. */
uint64_t faults_record_time(const struct perf_event_header *header);

/* What points somewhere points into it. False: it is not what it should be. */
bool faults_record_read(const struct perf_event_header *header, struct faults_record *ret_record);

#endif
