/* What the patterns share that start other programs. */
#ifndef LAUNCH_H
#define LAUNCH_H

#include "pattern.h"

#include <string.h>
#include <unistd.h>

struct launch {
    char **program; /* with its arguments */
    char **environment;
};

static inline char **environment_with(char *const extra[], size_t extra_count)
{
    size_t inherited = 0;
    char **all;

    while (environ[inherited])
        inherited++;
    all = calloc(inherited + extra_count + 1, sizeof(*all));
    if (!all)
        die("out of memory");
    /* Ours come first: of two equal names the first one counts. */
    for (size_t i = 0; i < extra_count; i++)
        all[i] = extra[i];
    for (size_t i = 0; i < inherited; i++)
        all[extra_count + i] = environ[i];
    return all;
}

/* From the arguments `[NAME=VALUE…] PROGRAM [ARGUMENT…]`, of which `first` is the first. */
static inline struct launch launch_of(int count, char *arguments[], int first)
{
    int program = first;

    while (program < count && strchr(arguments[program], '='))
        program++;
    if (program >= count)
        die("usage: ITERATIONS [NAME=VALUE...] PROGRAM [ARGUMENT...]");
    return (struct launch){
        &arguments[program],
        environment_with(&arguments[first], (size_t)(program - first)),
    };
}

#endif
