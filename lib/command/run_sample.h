/*
 * What the kernel says of a process again and again, from outside: two small files of /proc, some
 * 0.1 ms with all around it. The list has a fixed size. When it is full, neighbours become one, and
 * from then on each stands for twice as many: a run of a week has as many as one of a minute.
 */
#ifndef AL_RUN_SAMPLE_H
#define AL_RUN_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { RUN_SAMPLES_MAX = 2000 };

struct run_sample {
    int64_t when_ns; /* of the last look that it stands for */
    uint64_t locked; /* bytes; the most of all looks */
    uint64_t resident;
    uint64_t swapped;
    uint64_t minor; /* page faults so far */
    uint64_t major;
};

struct run_samples {
    struct run_sample list[RUN_SAMPLES_MAX];
    size_t count;
    unsigned looks; /* that a sample stands for; 0: one */
    unsigned taken; /* that the last one stands for so far */
    uint64_t most_locked;
    uint64_t most_swapped;
};

/* False: the process has no memory any more. All but `when_ns`. */
bool run_sample_take(pid_t pid, struct run_sample *ret_sample);

void run_samples_add(struct run_samples *samples, const struct run_sample *sample);

#endif
