/*
 * What the library does as the process ends, or as it may: the reports, one at a time. errno is
 * untouched.
 *
 * None of these does anything in a child that shares our memory (vfork), where the report would be
 * about its parent.
 */
#ifndef AL_ENDS_H
#define AL_ENDS_H

#include "executable.h"
#include "stats.h"

/*
 * Whether the library does something in this process: neither inert, nor a child that shares our
 * memory (vfork), of which nothing here is true.
 */
bool al_ends_is_ours(void);

/* al_process_end("quick_exit") will be called behind the program's handlers of quick_exit. */
void al_ends_watch_quick_exit(void);

/* Whether it will; else quick_exit itself is the last place. */
bool al_ends_watches_quick_exit(void);

/*
 * Makes a report in the middle of the process's life; `ended` is what it says of how. The next one,
 * if there is one, has the later figures.
 */
void al_ends_report(const char *ended);

/*
 * The figures of a report, in between. Returns 0 or a negative errno: -ENOSYS if it is not ours,
 * -EBUSY if another thread does not come to an end with a report, or that of /proc/self/status.
 */
int al_ends_snapshot(struct autolock_stats *ret_stats);

/*
 * Another program is about to take this one's place: the report, if there is a file that can be
 * executed. Should it fail all the same, everything goes on, and there is another report at the
 * end.
 */
void al_ends_exec(int directory, const char *path, int flags);

/* The same for a name that is searched for as execvp(3) does. */
void al_ends_exec_search(const char *name);

/* It has failed: what others see of the process (live.h) says so. */
void al_ends_exec_failed(void);

/*
 * The program ends itself by SIGABRT. A handler of it may go on by siglongjmp, and then there is a
 * report at the real end; where that is the program's habit, only its first abort makes one.
 */
void al_ends_abort(void);

/* In a forked child: whoever was making a report is not in it. */
void al_ends_after_fork(void);

#endif
