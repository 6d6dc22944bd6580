/*
 * A lock for short sections: threads wait in the kernel, nobody is called back. It knows its
 * holder, so that a signal handler that comes in between learns that it must not wait.
 */
#ifndef AL_GATE_H
#define AL_GATE_H

#include <stdbool.h>

struct al_gate {
    int state; /* 0 free, 1 held, 2 held and waited for */
};

/*
 * Enters; false if this thread is inside some gate already (its signal handler is asking): then
 * nothing was entered. errno is untouched.
 */
bool al_gate_enter(struct al_gate *gate);

void al_gate_leave(struct al_gate *gate);

/* Whether the calling thread is inside a gate. */
bool al_gate_inside(void);

/* In a forked child whose parent forked from inside the gate: held by nobody. */
void al_gate_reset(struct al_gate *gate);

#endif
