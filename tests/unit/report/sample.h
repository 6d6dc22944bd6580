/* A snapshot made by hand, for the tests of what is written from one. */
#ifndef SAMPLE_H
#define SAMPLE_H

#include "snapshot.h"
#include "unit.h"

#include <string.h>

static struct al_config sample_config;
static struct al_run sample_run;
static struct al_snapshot sample;

/* Reads one variable, or none (NULL), into the sample's configuration. */
static inline void sample_configure(const char *variable)
{
    char *environment[] = {(char *)variable, NULL};
    char problem_bytes[256];
    struct al_text problems = al_text_over(problem_bytes, sizeof(problem_bytes));

    ck_assert_msg(al_config_read(&sample_config, environment, &problems) == 0, "%s", problem_bytes);
}

/* Every field has a value of its own: its place in the table and 1000. */
static inline void sample_fill(void)
{
    sample_configure(NULL);
    sample_run =
        (struct al_run){.config = &sample_config, .program = "program", .backend = "kernel"};
    sample = (struct al_snapshot){
        .run = &sample_run, .head = &al_live.head, .ended = "exit", .pid = 4711, .ppid = 1};
    strcpy(al_live.head.command, "program --option");
    for (size_t i = 0; i < AL_FIELD_TOTAL; i++)
        sample.field[i] = 1000 + i;
}

#endif
