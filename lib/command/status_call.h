/*
 * autolock status: what of a process is in memory, and what of that is locked, mapping by mapping.
 *
 *     status_read.c      what files of /proc and the live counters say of a process
 *     status_kinds.c     what each mapping is, and what it is called
 *     status_table.c     sums, neighbours as one, the order
 *     status_text.c, status_json.c    the two ways it is written
 *     status_watch.c     again and again; on a terminal by screen.c
 */
#ifndef AL_STATUS_CALL_H
#define AL_STATUS_CALL_H

#include "reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define STATUS_SCHEMA "autolock-status/1"

/* The library's kinds (enum al_kinds) in their order, and one of what is the kernel's own. */
enum status_kind {
    STATUS_HEAP,
    STATUS_ANON,
    STATUS_FILE,
    STATUS_SHARED,
    STATUS_STACK,
    STATUS_IMAGE,
    STATUS_KERNEL,
    STATUS_KINDS
};

extern const char *const status_kind_names[STATUS_KINDS];

/* Bytes of one or more mappings. */
struct status_bytes {
    size_t mappings;
    uint64_t size;
    uint64_t resident;
    uint64_t locked;   /* as VmLck counts: the size of what is marked locked, resident or not */
    uint64_t unlocked; /* resident, and not marked; the kernel's own is none of it */
    uint64_t swapped;
};

struct status_mapping {
    uint64_t start;
    uint64_t end;
    char rights[5]; /* "rw-p"; "" for several that differ in it */
    enum status_kind kind;
    const char *name; /* the kernel's, or in brackets ours; lives as long as the process's list */
    struct status_bytes bytes;
};

/* What is known of the library in the process. */
enum status_library {
    STATUS_WITHOUT,    /* it is not there */
    STATUS_INERT,      /* it is there, and counts nothing */
    STATUS_COUNTED,    /* its counters have been read */
    STATUS_UNREADABLE, /* they are there, and may not be read */
    STATUS_OTHER       /* they are of another version */
};

struct status_process {
    pid_t pid;
    uint64_t
        began; /* in ticks since the machine's start: tells it from a later one of its number */
    char name[64];
    bool ended; /* what is here is what was seen last */

    /* /proc/PID/status and limits */
    uint64_t locked;
    uint64_t resident;
    uint64_t swapped;
    uint64_t limit; /* UINT64_MAX: none, or not known */
    bool exempt;    /* it may lock more than that (CAP_IPC_LOCK) */

    enum status_library library;
    struct al_reading *reading; /* what they were, if COUNTED */

    struct status_mapping *mapping; /* in the order of addresses */
    size_t count;
    size_t room;
    char **names;
    size_t names_count;
    size_t names_room;
};

/* Why a process could not be read. */
enum status_trouble {
    STATUS_FINE,
    STATUS_NONE_SUCH,
    STATUS_GONE, /* it was there, but ended meanwhile */
    STATUS_ZOMBIE,
    STATUS_OF_KERNEL,
    STATUS_FORBIDDEN,
    STATUS_NO_PROC,
    STATUS_NOT_SAID /* the kernel does not tell what is locked */
};

/*
 * Overwrites `process` (all zero at first, and used again later), with each mapping by itself. What
 * was in it is lost also if it fails.
 */
enum status_trouble status_read(struct status_process *process, pid_t pid);

/* Behind "process 4711 "; for a complaint. */
const char *status_words(enum status_trouble trouble);

/* Whether the process is still the one that was read. */
bool status_is_there(const struct status_process *process);

/* A name that lives as long as the process's list. */
const char *status_keep(struct status_process *process, const char *name);

/* Gives mappings, of which the names are the kernel's, kinds and names. */
void status_name(struct status_process *process);

/* -- tables ----------------------------------------------------------------------------------- */

enum status_order {
    STATUS_BY_ADDRESS,
    STATUS_BY_SIZE,
    STATUS_BY_RESIDENT,
    STATUS_BY_LOCKED,
    STATUS_BY_UNLOCKED,
    STATUS_ORDERS
};

extern const char *const status_order_names[STATUS_ORDERS];

struct status_view {
    enum status_order order;
    bool all; /* each mapping by itself */
    bool json;
    bool colour;
    bool brief;     /* without the mappings */
    unsigned width; /* columns that fit; UINT32_MAX: all */
};

struct status_table {
    struct status_bytes total;
    struct status_bytes kind[STATUS_KINDS];
    struct status_mapping *row; /* to be freed */
    size_t rows;
};

/* Of what has been read, as it is to be seen. */
struct status_table status_table_of(const struct status_process *process,
                                    const struct status_view *view);

/* As text or as JSON. */
void status_print(FILE *to, const struct status_process *process, const struct status_view *view);
void status_print_text(FILE *to, const struct status_process *process,
                       const struct status_view *view);
void status_print_json(FILE *to, const struct status_process *process,
                       const struct status_view *view);

/* -- again and again -------------------------------------------------------------------------- */

struct status_watch {
    char *const *pids; /* NULL ends them */
    struct status_view view;
    int64_t interval_ms;
};

/* Returns the exit status. */
int status_watch(struct status_watch *watch);

#endif
