/*
 * A lock for short sections: threads wait in the kernel, nobody is called back. It knows its
 * holder, so that a signal handler that comes in between learns that it must not wait; and it knows
 * its process, so that a forked child never waits for a thread that it does not have.
 */
#ifndef AL_GATE_H
#define AL_GATE_H

#include <stdbool.h>
#include <stdint.h>

struct al_gate_words {
    int state;   /* 0 free, 1 held, 2 held and waited for */
    int at_home; /* 1; 0 in a child that was forked since, where there is a page for it */
};

struct al_gate {
    struct al_gate_words *wiped; /* on a page that a child finds zeroed; NULL: the next is used */
    struct al_gate_words own;
    void (*forked)(void); /* see al_gate_watch_forks */

    bool keeps_back; /* the holder's: its signals wait until it leaves */
};

/*
 * Enters; false if this thread is inside some gate already (its signal handler is asking), or in a
 * forked child that nobody had announced: then nothing was entered. errno is untouched.
 */
bool al_gate_enter(struct al_gate *gate);

/*
 * The same, and signals wait until the gate is left: for places that a program may rightly leave by
 * siglongjmp or asynchronous cancellation, and so leave the gate held for ever. Two system calls,
 * unless they wait already (hold.h).
 */
bool al_gate_enter_undisturbed(struct al_gate *gate);

void al_gate_leave(struct al_gate *gate);

/* Whether the calling thread is inside a gate. */
bool al_gate_inside(void);

/*
 * From now on a forked child finds the gate free, however it came to be (_Fork and clone call no
 * handler), and who enters it there first, or asks al_gate_is_foreign(), can tell. Entering calls
 * `forked`, which is to call al_gate_reset(), and fails; so does entering any other gate. For one
 * gate of the process. Before Linux 4.14 nothing changes.
 */
void al_gate_watch_forks(struct al_gate *gate, void (*forked)(void));

/* Whether this is a forked child, and al_gate_reset() has not been called in it. */
bool al_gate_is_foreign(const struct al_gate *gate);

/* Whether al_gate_is_foreign() can tell. */
bool al_gate_tells_forks(const struct al_gate *gate);

/* In a forked child, whose parent may have been inside: held by nobody. */
void al_gate_reset(struct al_gate *gate);

#endif
