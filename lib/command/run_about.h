/* What is told of a run besides its figures. */
#ifndef AL_RUN_ABOUT_H
#define AL_RUN_ABOUT_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct run_about {
    time_t began;
    int64_t took_ms;
    const char *ended; /* "with status 0" */
    bool tree;         /* what the program started counts as well */
};

#endif
