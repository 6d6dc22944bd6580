/*
 * The program and all that it has started, taken together: by the files of counters that each of
 * their programs has left, which are one for each exec and each fork.
 */
#ifndef AL_RUN_TREE_H
#define AL_RUN_TREE_H

#include "run_expect.h"

#include <stdbool.h>

struct run_tree;

/* As they are now. Never NULL. */
struct run_tree *run_tree_read(const char *directory);

/*
 * Sums. Counters are those of all programs: since the warm-up, of one that ran then; since the mark
 * (`by_mark`), or since its lock, of others. Programs that had ended by then do not count. Memory
 * is that of each process at its end, or now.
 *
 * `warmup`: as it was then, or NULL. What is not known of one program is not known of the sum, and
 * is said, as of `name`.
 */
struct run_figures run_tree_figures(const struct run_tree *end, const struct run_tree *warmup,
                                    bool by_mark, const char *name);

#endif
