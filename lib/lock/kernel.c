#include "kernel.h"

#include "counters.h"
#include "flight.h"
#include "sys.h"
#include "times.h"

#include <sys/mman.h>

#if !defined(SYS_mlock2)
#    if defined(__x86_64__)
#        define SYS_mlock2 325
#    elif defined(__i386__)
#        define SYS_mlock2 376
#    elif defined(__arm__)
#        define SYS_mlock2 390
#    else
#        define SYS_mlock2 284 /* the table that all newer processors share */
#    endif
#endif

static enum al_counter failure_counter(long result)
{
    switch (-result) {
    case EPERM:
        return AL_COUNT_failures_EPERM;
    case ENOMEM:
        return AL_COUNT_failures_ENOMEM;
    case EAGAIN:
        return AL_COUNT_failures_EAGAIN;
    case ENOSYS:
        return AL_COUNT_failures_ENOSYS;
    case EINVAL:
        return AL_COUNT_failures_EINVAL;
    default:
        return AL_COUNT_failures_other;
    }
}

/* What a call is booked under. */
struct book {
    enum al_counter count;
    enum al_counter time_ns;
    enum al_timed timed;
};

#define BOOK(call)                                                                                 \
    ((struct book){AL_COUNT_syscalls_##call##_count, AL_COUNT_syscalls_##call##_time_ns,           \
                   AL_TIMED_##call})

static void (*watcher)(const char *call, int error);

void al_kernel_watch(void (*on_failure)(const char *call, int error))
{
    watcher = on_failure;
}

static int call(struct book book, long number, long a, long b, long c)
{
    uint64_t begin = al_now_ns();
    long result = al_sys3(number, a, b, c);
    uint64_t took = al_now_ns() - begin;

    al_count_add(book.time_ns, took);
    al_count(book.count);
    al_times_record(book.timed, took);
    return (int)result;
}

/* Of locks alone: unlocking and advice that fail leave nothing unlocked that was to be locked. */
static int booked(const char *name, int result)
{
    if (result < 0) {
        al_count(failure_counter(result));
        if (watcher)
            watcher(name, result);
    }
    return result;
}

int al_kernel_mlockall(unsigned flags)
{
    return booked("mlockall", call(BOOK(mlockall), SYS_mlockall, (long)flags, 0, 0));
}

/* While no other thread is locking on fault. */
static int call_alone(struct book book, long number, long flags)
{
    int result;

    al_flight_stop();
    result = call(book, number, flags, 0, 0);
    al_flight_go();
    return result;
}

int al_kernel_munlockall(void)
{
    return call_alone(BOOK(munlock), SYS_munlockall, 0);
}

/* What is unlocked while it goes through the mappings would be brought in as well. */
int al_kernel_keep_all(void)
{
    return call_alone(BOOK(mlockall), SYS_mlockall, AL_MCL_CURRENT | AL_MCL_ONFAULT);
}

int al_kernel_try_mlock2(const void *start, size_t length, unsigned flags)
{
    int result;

    /* Without flags it is mlock, which every kernel has. */
    if (!flags)
        return call(BOOK(mlock2), SYS_mlock, (long)start, (long)length, 0);
    al_flight_begin();
    result = call(BOOK(mlock2), SYS_mlock2, (long)start, (long)length, (long)flags);
    al_flight_end();
    return result;
}

int al_kernel_mlock2(const void *start, size_t length, unsigned flags)
{
    return booked(flags ? "mlock2" : "mlock", al_kernel_try_mlock2(start, length, flags));
}

/* A range past the last address: it is held against the limit first, and then found to be none. */
static int try_locked_nowhere(size_t length)
{
    int error = al_kernel_try_mlock2((void *)-al_page_size(), length, 0);

    return error == -EINVAL ? 0 : error;
}

int al_kernel_try_locked(size_t length)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_LOCKED;
    long start = al_sys_mmap(NULL, length, PROT_NONE, flags, -1, 0);

    /* That is the limit of address space or of mappings: the memlock limit gives EAGAIN. */
    if (start == -ENOMEM)
        return try_locked_nowhere(length);
    if (al_sys_failed(start))
        return (int)start;
    al_sys2(SYS_munmap, start, length);
    return 0;
}

int al_kernel_munlock(const void *start, size_t length)
{
    return call(BOOK(munlock), SYS_munlock, (long)start, (long)length, 0);
}

int al_kernel_ask(const void *start, size_t length)
{
    return call(BOOK(msync), SYS_msync, (long)start, (long)length, MS_INVALIDATE);
}

bool al_kernel_is_locked(const void *start, size_t length)
{
    return al_kernel_ask(start, length) == -EBUSY;
}

int al_kernel_madvise(const void *start, size_t length, int advice)
{
    return call(BOOK(madvise), SYS_madvise, (long)start, (long)length, advice);
}
