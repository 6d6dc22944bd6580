#include "mark.h"

void al_mark_begin(struct al_run *run)
{
    al_faults_read(&run->minor_at_lock, &run->major_at_lock);
    run->minor_at_mark = run->minor_at_lock;
    run->major_at_mark = run->major_at_lock;
    al_live_set_lock(run->minor_at_lock, run->major_at_lock);
    al_live_set_mark(run->minor_at_mark, run->major_at_mark);
}

/*
 * Faults only become more, so the later of two marks is the one with more of them, whoever comes
 * here first: a signal handler's own mark too, when it has interrupted another one here.
 */
static void advance(uint64_t *mark, uint64_t faults)
{
    uint64_t seen = __atomic_load_n(mark, __ATOMIC_RELAXED);

    while (faults > seen && !__atomic_compare_exchange_n(mark, &seen, faults, true,
                                                         __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        ;
}

void al_mark_set(struct al_run *run)
{
    uint64_t minor;
    uint64_t major;

    al_faults_read(&minor, &major);
    advance(&run->minor_at_mark, minor);
    advance(&run->major_at_mark, major);
    al_live_set_mark(run->minor_at_mark, run->major_at_mark);
}
