#include "gate.h"

#include "sys.h"

#include <linux/futex.h>

enum { FREE, HELD, AWAITED };

static __thread volatile bool inside __attribute__((tls_model("initial-exec")));

static void futex(int *word, int operation, int value)
{
    al_sys4(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, 0);
}

bool al_gate_enter(struct al_gate *gate)
{
    int seen = FREE;

    if (inside)
        return false;
    /* Before the gate is ours: a handler in between is turned away, as it would be inside. */
    inside = true;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (__atomic_compare_exchange_n(&gate->state, &seen, HELD, false, __ATOMIC_ACQUIRE,
                                    __ATOMIC_RELAXED))
        return true;
    while (__atomic_exchange_n(&gate->state, AWAITED, __ATOMIC_ACQUIRE) != FREE)
        futex(&gate->state, FUTEX_WAIT, AWAITED);
    return true;
}

void al_gate_leave(struct al_gate *gate)
{
    if (__atomic_exchange_n(&gate->state, FREE, __ATOMIC_RELEASE) == AWAITED)
        futex(&gate->state, FUTEX_WAKE, 1);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    inside = false;
}

bool al_gate_inside(void)
{
    return inside;
}

void al_gate_reset(struct al_gate *gate)
{
    gate->state = FREE;
    inside = false;
}
