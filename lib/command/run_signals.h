/*
 * The signals of `autolock run`: all of them are held back and read one by one, so that none is
 * lost and none has an effect of its own. What was set for them is left for the program.
 */
#ifndef AL_RUN_SIGNALS_H
#define AL_RUN_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct run_signal {
    int number;
    pid_t sender;     /* 0: the kernel, or a process that cannot be seen from here */
    bool of_terminal; /* the kernel has sent it to the whole process group */
    bool queued;      /* it has a value */
    union sigval value;
};

/*
 * First of all, and before any is read: what the command has to say must not end it, if nobody
 * reads that or the file that it goes to is as long as it may be.
 */
void run_signals_hold_writing(void);

/*
 * From here on signals are read. `move` gives a descriptor another place. False, with errno: it
 * cannot be done.
 */
bool run_signals_take(int (*move)(int fd));

/* In the program, before it is executed: as it was when the command was started. */
void run_signals_restore(void);

/* Readable when there is one. */
int run_signals_file(void);

/* The next one; false: there is none now. */
bool run_signals_next(struct run_signal *ret_signal);

void run_signals_pass_on(const struct run_signal *signal, pid_t pid);

/*
 * To stop by a signal: it is raised, and may be taken back until this process stops by it. It
 * returns when the process is continued, and a SIGCONT that did it is not read any more. SIGSTOP
 * cannot be held back: it is raised only in the end.
 */
void run_signals_prepare_stop(int number);
void run_signals_forget(int number);
void run_signals_stop(int number);

/* Ends this process by the signal, without a core. */
void run_signals_end_by(int number) __attribute__((noreturn));

#endif
