/* What is asked of run_faults.h. */
#ifndef AL_RUN_FAULTS_OPTIONS_H
#define AL_RUN_FAULTS_OPTIONS_H

#include <stdbool.h>

struct run_faults_options {
    bool wanted;
    const char *file; /* where they go as JSON, or NULL */
};

#endif
