/* The rings that faults_perf.c opens and faults_perf_read.c reads. */
#ifndef AL_FAULTS_PERF_RINGS_H
#define AL_FAULTS_PERF_RINGS_H

#include "faults_perf.h"

enum { FAULTS_EVENTS = 3 }; /* FAULTS_MINOR, FAULTS_MAJOR, FAULTS_BROUGHT */

struct faults_ring {
    struct perf_event_mmap_page *page;
    char *data;
    int fd[FAULTS_EVENTS]; /* -1: none */
};

struct faults_event_id {
    uint64_t id;
    enum faults_kind kind;
};

/* Where a record is in `bytes`. */
struct faults_record_place {
    uint64_t time_ns;
    size_t at;
};

struct faults_perf {
    struct faults_ring *ring;
    size_t rings;
    size_t ring_bytes;
    struct faults_event_id *id;
    size_t ids;
    int tracepoint; /* -1: none */
    bool user_only;
    bool tells_lost;

    char *bytes;
    size_t bytes_size;
    struct faults_record_place *place;
    size_t place_size;
    size_t count;
    size_t at;
};

/* Which of the events it is that has this number. */
enum faults_kind faults_perf_kind(const struct faults_perf *perf, uint64_t id);

#endif
