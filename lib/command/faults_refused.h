/* What the machine lets be seen of page faults, and what it is that does not let it. */
#ifndef AL_FAULTS_REFUSED_H
#define AL_FAULTS_REFUSED_H

/* One line: what perf_event_open(2) was refused by, with that error, and what helps. */
const char *faults_refused(int error);

/* The number of a tracepoint ("kmem/mm_page_alloc"); -1: it cannot be seen. */
int faults_tracepoint(const char *name);

#endif
