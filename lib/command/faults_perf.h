/*
 * Samples the page faults of the program that this process is about to execute in a child, by the
 * kernel's own counting (perf_event_open(2), software events, each fault one sample).
 *
 * The events are this process's own, disabled until an exec: a child inherits them, and its exec
 * turns them on. Nobody has to hold the program still for that, and no fault is missed. Each
 * processor has a ring that the kernel writes to; what does not fit is lost, and counted.
 */
#ifndef AL_FAULTS_PERF_H
#define AL_FAULTS_PERF_H

#include "faults_record.h"

struct faults_perf;

/*
 * Before the fork. All descendants of the program are sampled with it. Where it is refused it
 * returns NULL, and in `ret_why` what refuses it and what helps.
 */
struct faults_perf *faults_perf_open(const char **ret_why);

/* Whether pages that the kernel brings in during calls (of mmap or mlock, say) are sampled too. */
bool faults_perf_sees_calls(const struct faults_perf *perf);

/* Waits until there is much to be read, `wake` can be read, or the time is over. */
void faults_perf_wait(const struct faults_perf *perf, int wake, int timeout_ms);

/*
 * Takes what is in the rings; returns how many records there are. They are had one by one, in the
 * order of their times, until the next call.
 */
size_t faults_perf_take(struct faults_perf *perf);
bool faults_perf_next(struct faults_perf *perf, struct faults_record *ret_record);

/* How many records there was no room for, as far as the kernel tells before there is room again
 * (since Linux 6.0). */
uint64_t faults_perf_lost(const struct faults_perf *perf);

void faults_perf_close(struct faults_perf *perf);

#endif
