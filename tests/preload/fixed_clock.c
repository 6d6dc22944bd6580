/*
 * To be preloaded in front of the library: time stands still, so that the names of its files are
 * known beforehand. CLOCK_MONOTONIC goes on.
 */
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *ret_time)
{
    if (clock == CLOCK_REALTIME) {
        *ret_time = (struct timespec){.tv_sec = 1000000000, .tv_nsec = 7};
        return 0;
    }
    return (int)syscall(SYS_clock_gettime, clock, ret_time);
}
