#include "gate.h"

#include "hold.h"
#include "large.h"
#include "sys.h"

#include <linux/futex.h>
#include <sys/mman.h>

enum { FREE, HELD, AWAITED };

enum { WIPEONFORK = 18 }; /* MADV_WIPEONFORK, Linux 4.14 */

static __thread volatile bool inside __attribute__((tls_model("initial-exec")));

/* The one that tells of forks. */
static struct al_gate *watched;

static struct al_gate_words *words_of(struct al_gate *gate)
{
    return gate->wiped ? gate->wiped : &gate->own;
}

static void futex(int *word, int operation, int value)
{
    al_sys4(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, 0);
}

static void acquire(int *state)
{
    int seen = FREE;

    if (__atomic_compare_exchange_n(state, &seen, HELD, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return;
    while (__atomic_exchange_n(state, AWAITED, __ATOMIC_ACQUIRE) != FREE)
        futex(state, FUTEX_WAIT, AWAITED);
}

static bool enter(struct al_gate *gate, bool keep_back)
{
    if (__builtin_expect(watched && al_gate_is_foreign(watched), 0)) {
        watched->forked();
        return false;
    }
    if (inside)
        return false;
    if (keep_back)
        al_hold_begin();
    /* Before the gate is ours: a handler in between is turned away, as it would be inside. */
    inside = true;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    acquire(&words_of(gate)->state);
    gate->keeps_back = keep_back;
    return true;
}

bool al_gate_enter(struct al_gate *gate)
{
    return enter(gate, false);
}

bool al_gate_enter_undisturbed(struct al_gate *gate)
{
    return enter(gate, true);
}

void al_gate_leave(struct al_gate *gate)
{
    struct al_gate_words *words = words_of(gate);
    bool kept_back = gate->keeps_back;

    if (__atomic_exchange_n(&words->state, FREE, __ATOMIC_RELEASE) == AWAITED)
        futex(&words->state, FUTEX_WAKE, 1);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    inside = false;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (kept_back)
        al_hold_end();
}

bool al_gate_inside(void)
{
    return inside;
}

/* Memory of the library's own, so that there is nothing to map; the largest page any processor has
 * here. */
#if defined(__x86_64__) || defined(__i386__)
#    define PAGE_MOST 4096
#else
#    define PAGE_MOST 65536
#endif
static char page_of_words[PAGE_MOST] AL_MAPPED_APART __attribute__((aligned(PAGE_MOST)));

void al_gate_watch_forks(struct al_gate *gate, void (*forked)(void))
{
    if (al_page_size() > PAGE_MOST || al_sys3(SYS_madvise, page_of_words, PAGE_MOST, WIPEONFORK))
        return;
    watched = gate;
    gate->forked = forked;
    gate->wiped = (struct al_gate_words *)(void *)page_of_words;
    gate->wiped->at_home = 1;
}

bool al_gate_is_foreign(const struct al_gate *gate)
{
    return gate->wiped && !__atomic_load_n(&gate->wiped->at_home, __ATOMIC_RELAXED);
}

bool al_gate_tells_forks(const struct al_gate *gate)
{
    return gate->wiped != NULL;
}

void al_gate_reset(struct al_gate *gate)
{
    struct al_gate_words *words = words_of(gate);

    words->state = FREE;
    words->at_home = 1;
    inside = false;
}
