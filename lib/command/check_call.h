/*
 * autolock check: what a lock would come to here, and why.
 *
 *     check_read.c, check_cgroup.c   what files of /proc and /sys say of this process and machine
 *     check_probe.c                  what the kernel answers when it is asked to lock
 *     check_program.c, elf_file.c    what a program's file says
 *     check_rights.c, check_machine.c, check_file.c    the three judged: findings
 *     check_print.c                  findings as text and JSON
 */
#ifndef AL_CHECK_CALL_H
#define AL_CHECK_CALL_H

#include "elf_file.h"
#include "explain.h"
#include "options.h"
#include "place.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define CHECK_SCHEMA  "autolock-check/1"

/* A number that there is not, or that cannot be read here. */
#define CHECK_UNKNOWN UINT64_MAX

enum check_capability { CHECK_SYS_RESOURCE = 24, CHECK_IPC_LOCK = 14 };

/* What this process and the machine are like. Numbers are bytes but where their name says else. */
struct check_surroundings {
    /* /proc/self */
    bool proc;
    unsigned user;            /* the real one */
    unsigned group;           /* the real one */
    uint64_t cap_inheritable; /* sets of capabilities, a bit each */
    uint64_t cap_effective;   /* as a program has them that is executed */
    uint64_t cap_bounding;
    uint64_t cap_ambient;
    bool no_new_privs;
    int seccomp; /* mode, 2: there is a filter; -1: not known */
    bool user_namespace;
    uint64_t soft_limit; /* as this process has it; UINT64_MAX: none */
    uint64_t hard_limit;
    struct al_place place;
    uint64_t cgroup_limit;
    uint64_t cgroup_used; /* without files that can be dropped */

    /* the machine */
    unsigned kernel_major; /* 0: not known */
    unsigned kernel_minor;
    char kernel[80];
    uint64_t memory_total;
    uint64_t memory_available;
    uint64_t swap_total;
    uint64_t swap_free;
    uint64_t commit_limit;
    uint64_t committed;
    bool zswap;
    char thp_enabled[16]; /* the word in force, "" if it cannot be read */
    char thp_defrag[16];
    char thp_shmem[16];
    uint64_t ksm_run;
    uint64_t nodes;
    uint64_t numa_balancing;
    uint64_t compact_unevictable;
    uint64_t overcommit_memory;
    uint64_t max_map_count;

    /* what the library will meet, once it has raised its limit as far as it may (check_probe.c) */
    uint64_t limit_that_holds; /* UINT64_MAX: none */
    bool exempt;
    int lock_error;    /* of locking one page: 0 or a negative errno */
    int lockall_error; /* of mlockall */
    int killed_by;     /* the signal that a process gets that tries; 0: none */
};

/* What the file of a program, or of what is run for it, says. */
struct check_program {
    const char *name;       /* as it was given */
    char started[PATH_MAX]; /* what is executed, with a directory */
    char file[PATH_MAX];    /* what the kernel runs for it in the end, links followed */
    bool script;
    enum {
        CHECK_FILE_MISSING,
        CHECK_FILE_NO_FILE, /* a directory, a device, a socket */
        CHECK_FILE_FORBIDDEN,
        CHECK_FILE_UNREADABLE,
        CHECK_FILE_UNKNOWN, /* neither ELF nor script */
        CHECK_FILE_LOOP,    /* of interpreters */
        CHECK_FILE_PROGRAM
    } kind;
    bool directory;
    bool appimage;
    mode_t mode;
    uid_t owner;
    gid_t group;
    bool nosuid; /* the file system gives no rights */
    struct {
        bool any;
        bool effective;
        uint64_t permitted;
        uint64_t inheritable;
    } capabilities;
    bool interpreter_missing; /* the loader that it asks for is not there */
    struct elf_file elf;
};

enum check_level {
    CHECK_GOOD,
    CHECK_NOTE, /* costs time, or can come to matter */
    CHECK_PART, /* not all will be locked */
    CHECK_NONE  /* nothing will */
};

struct check_finding {
    enum check_level level;
    const char *subject;
    char what[600]; /* what is, and what comes of it */
    char fix[600];  /* "" if there is none */
};

struct check_findings {
    struct check_finding list[40];
    size_t count;
};

/* Adds a finding. `fix`: NULL for none. */
void check_find(struct check_findings *findings, enum check_level level, const char *subject,
                const char *fix, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* What the worst finding leaves. */
enum check_level check_verdict(const struct check_findings *findings);

/* "8.0 MiB", to be used at once. */
struct check_size {
    char text[32];
};
struct check_size check_size(uint64_t bytes);

/*
 * Reads the files below `root` ("" but in tests) and judges from them alone what the kernel would
 * answer; check_probe asks it instead.
 */
void check_read(struct check_surroundings *ret, const char *root, char *const environment[]);
void check_read_cgroup(struct check_surroundings *ret, const char *root);
void check_probe(struct check_surroundings *surroundings, const struct al_config *config);

/* Finds the program as a shell would, and reads it. `search`: PATH, or NULL. */
void check_program_read(struct check_program *ret, const char *name, const char *search);

/* Add findings: of settings and rights, of the machine, of a program. */
void check_judge_settings(struct check_findings *findings, const struct al_config *config,
                          const char *problems);
void check_judge_rights(struct check_findings *findings, const struct check_surroundings *here,
                        const struct al_config *config);
void check_judge_machine(struct check_findings *findings, const struct check_surroundings *here,
                         const struct al_config *config);
void check_judge_program(struct check_findings *findings, const struct check_program *program,
                         const struct check_surroundings *here, const struct al_config *config);

/* Why the lock cannot be had as a whole, in the library's own terms. */
struct al_failure check_failure(const struct check_surroundings *here,
                                const struct al_config *config);

/* What helps there against `cause`, without the library's words before it. */
void check_fix_for(char *ret_fix, size_t size, const struct al_failure *failure,
                   enum al_cause cause);

struct check_result {
    const struct check_findings *findings;
    const struct check_surroundings *here;
    const struct al_config *config;
    const struct check_program *program; /* NULL: none was asked about */
};

void check_print_text(FILE *to, const struct check_result *result, bool colour);
void check_print_json(FILE *to, const struct check_result *result);

#endif
