#include "times.h"

#include "sys.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>

static_assert(AL_LIVE_USUAL % AL_LIVE_ALIGNMENT == 0, "what is absent begins with a page");
static_assert(AL_TIMED_mlockall == 0, "what mode all uses is never absent");
static_assert(AL_TIMED_TOTAL <= 32, "a bit each");

enum state { THERE, ABSENT, COMING };

static enum state state;

/* How many are about to record; more than there are, where some were torn out of it. */
static unsigned recording;

void al_times_moved(bool absent)
{
    __atomic_store_n(&state, absent ? ABSENT : THERE, __ATOMIC_RELEASE);
}

bool al_times_whole(void)
{
    return __atomic_load_n(&state, __ATOMIC_ACQUIRE) == THERE;
}

static bool map(void)
{
    return !al_sys_failed(al_sys_mmap((char *)&al_live + AL_LIVE_USUAL,
                                      sizeof(al_live) - AL_LIVE_USUAL, PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
}

/*
 * One thread maps, and the others wait for it, but not for ever: a signal handler may have come in
 * between, and what it would have recorded is left out. So is what there is no memory for.
 */
static bool have(void)
{
    enum { PATIENCE = 1000 };

    for (int i = 0; i < PATIENCE && !al_times_whole(); i++) {
        enum state absent = ABSENT;

        if (__atomic_compare_exchange_n(&state, &absent, COMING, false, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED)) {
            bool mapped = map();

            al_times_moved(!mapped);
            return mapped;
        }
        al_sys0(SYS_sched_yield);
    }
    return al_times_whole();
}

void al_times_have(void)
{
    (void)have();
}

static bool begin(enum al_timed timed)
{
    if (timed != AL_TIMED_mlockall && !have())
        return false;
    __atomic_fetch_or(&al_live.head.timed, 1U << timed, __ATOMIC_RELEASE);
    return true;
}

bool al_times_are_used(void)
{
    return al_times_whole() && __atomic_load_n(&recording, __ATOMIC_RELAXED);
}

void al_times_record(enum al_timed timed, uint64_t ns)
{
    __atomic_fetch_add(&recording, 1, __ATOMIC_RELAXED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (al_live_has_times(&al_live, timed) || begin(timed))
        al_histogram_record(&al_live.histogram[timed], ns);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    __atomic_fetch_sub(&recording, 1, __ATOMIC_RELAXED);
}

/* What of the absent ones stands on the last page that there is. */
static void forget_beginning(void)
{
    memset(&al_live.histogram[1], 0, AL_LIVE_USUAL - offsetof(struct al_live, histogram[1]));
}

/* Other threads may have recorded between the copies of a bit and of what it stands for. */
void al_times_forget(void)
{
    bool whole = al_times_whole();

    for (size_t i = 0; i < AL_TIMED_TOTAL; i++)
        if (i == AL_TIMED_mlockall || whole)
            al_histogram_forget(&al_live.histogram[i]);
    if (!whole && al_live.histogram[1].max)
        forget_beginning();
    al_live.head.timed = 0;
    if (state == COMING) /* to a thread that is not in this process */
        state = ABSENT;
}
