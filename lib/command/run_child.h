/*
 * The program as a child: it is started, signals are passed on to it, and its end is waited for.
 *
 * To the terminal and to the shell the two are one job. The program is in the command's process
 * group, so what the terminal sends reaches it by itself; only what was sent to the command alone
 * is passed on. When the program stops and a shell looks on, the command stops in the same way.
 */
#ifndef AL_RUN_CHILD_H
#define AL_RUN_CHILD_H

#include "run.h"

#include <sys/resource.h>
#include <sys/types.h>

/*
 * Who looks at the program while it runs: `look` is called when it has been executed, and again
 * after as many milliseconds as it returned; -1: not any more. `make_room`, or NULL, is called
 * before others are about to write to the terminal: at a signal, when the command is going to stop,
 * and when the program has ended.
 */
struct run_watch {
    int (*look)(pid_t pid, void *data);
    void (*make_room)(void *data);
    void *data;
};

enum { RUN_WATCHES_MAX = 6 };

struct run_child {
    const char *path;
    char **arguments;
    char **environment;
    bool init;
    int death_signal;
    struct run_watch watch[RUN_WATCHES_MAX]; /* the first without a function is the end */
};

struct run_end {
    pid_t pid;
    int error;           /* the program could not be executed: errno */
    int status;          /* else, as of waitpid(2) */
    struct rusage usage; /* of the program, and of its children that it has waited for */
    bool by_terminal;    /* a signal of the terminal (^C, ^\) that ended it reached us as well */
};

/* Starts it, and returns when it has ended. To be called once. */
struct run_end run_child(const struct run_child *child);

/*
 * From what run_child() calls, and later: waits for the end alone, looks no more and allocates
 * nothing. False: nothing has been started.
 */
bool run_child_wait(struct run_end *ret_end);

#endif
