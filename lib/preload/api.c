/*
 * What programs may ask of us (autolock.h).
 */
#include "ends.h"
#include "export.h"
#include "mark.h"
#include "process.h"
#include "say.h"
#include "stats.h"
#include "sys.h"

AL_EXPORT const char *autolock_version(void)
{
    return AL_VERSION;
}

/* The line first: what writing it takes is no fault of what follows. */
AL_EXPORT void autolock_mark(const char *phase)
{
    if (!al_ends_is_ours())
        return;
    al_say_mark(phase);
    al_mark_set(&al_process.run);
}

/*
 * The caller's memory is written when everything is over: there a handler of his may wait for
 * SIGSEGV, as in programs that watch what is written.
 */
AL_EXPORT int autolock_snapshot(struct autolock_stats *ret_stats, size_t size)
{
    struct autolock_stats stats;
    int error;

    if (!ret_stats || size < sizeof(stats.known_bytes))
        return -EINVAL;
    error = al_ends_snapshot(&stats);
    if (error)
        return error;
    al_stats_give(ret_stats, size, &stats);
    return 0;
}
