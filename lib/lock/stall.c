#include "stall.h"

#include "books.h"
#include "counters.h"
#include "sys.h"
#include "times.h"

uint64_t al_stall_begin(void)
{
    return al_books.observe ? 0 : al_now_ns();
}

void al_stall_end(uint64_t began)
{
    uint64_t took;

    if (al_books.observe)
        return;
    took = al_now_ns() - began;
    al_count_add(AL_COUNT_hooks_slow_time_ns, took);
    al_count(AL_COUNT_hooks_slow_count);
    al_times_record(AL_TIMED_hooks, took);
}
