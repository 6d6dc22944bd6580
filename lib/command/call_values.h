/* Values of options that several calls take. What is wrong is complained of. */
#ifndef AL_CALL_VALUES_H
#define AL_CALL_VALUES_H

#include <stdbool.h>
#include <stdint.h>

/* A number of seconds, or with ms, s, m or h; more than none, and at most a week. `option`: as it
 * is written, with its dashes. */
bool call_read_time(const char *option, const char *value, int64_t *ret_ms);

/* text or json. */
bool call_read_format(const char *value, bool *ret_json);

/* Processes, up to a NULL. False: one is no number that a process has. */
bool call_are_pids(char *const *operands);

#endif
