/*
 * Threads that come into being.
 */
#include "backend.h"
#include "counters.h"
#include "export.h"
#include "load.h"
#include "real.h"
#include "reserve.h"
#include "room_hooks.h"
#include "thread_end.h"
#include "thread_stack.h"

#include <errno.h>
#include <threads.h>

/* Before a thread is made. */
static void prepare(void)
{
    al_count(AL_COUNT_calls_pthread_create);
    (void)al_real_resolve();
    if (!al_real.pthread_create) {
        al_real_resolve_threads();
        al_reserve_thread_size();
    }
    al_thread_end_second();
    al_load_catch_up();
}

/* What the thread's stack will take, by its attributes or by libc's for all threads. */
static size_t stack_size(const pthread_attr_t *attributes)
{
    static int (*size_in)(const pthread_attr_t *, size_t *);
    static int (*get_default)(pthread_attr_t *);
    static int (*destroy)(pthread_attr_t *);
    static bool looked;
    size_t size = 8 << 20;
    pthread_attr_t usual;
    bool had;

    if (!al_room_limited())
        return size;
    if (!__atomic_load_n(&looked, __ATOMIC_ACQUIRE)) {
        *(void **)&get_default = al_real_find("pthread_getattr_default_np");
        *(void **)&destroy = al_real_find("pthread_attr_destroy");
        *(void **)&size_in = al_real_find("pthread_attr_getstacksize");
        __atomic_store_n(&looked, true, __ATOMIC_RELEASE);
    }
    had = !attributes && get_default && destroy && get_default(&usual) == 0;
    if (size_in && (had || attributes))
        (void)size_in(had ? &usual : attributes, &size);
    if (had)
        (void)destroy(&usual);
    return size;
}

/* A thread to be made, by one interface or the other. */
struct making {
    int (*make)(const struct making *making); /* 0, or a positive errno */
    void *ret_thread;                         /* pthread_t *, thrd_t * */
    const pthread_attr_t *attributes;         /* C11 has none */
    void *(*routine)(void *);
    thrd_start_t routine_c11;
    al_thrd_create create_c11; /* the real one */
    void *argument;
};

static int make_posix(const struct making *making)
{
    if (al_thread_stack_wanted())
        return al_thread_stack_create(making->ret_thread, making->attributes, making->routine,
                                      making->argument);
    return al_real.pthread_create(making->ret_thread, making->attributes, making->routine,
                                  making->argument);
}

/* libc turns EAGAIN, which the lock's limit gives, into thrd_error. */
static int make_c11(const struct making *making)
{
    int result =
        al_thread_stack_wanted()
            ? al_thread_stack_create_c11(making->create_c11, making->ret_thread,
                                         making->routine_c11, making->argument)
            : making->create_c11(making->ret_thread, making->routine_c11, making->argument);

    if (result == thrd_success)
        return 0;
    return result == thrd_nomem ? ENOMEM : EAGAIN;
}

/* Where there is no room for its stack, or little, it is locked as the thread uses it. */
static int make(const struct making *making)
{
    struct al_added added = al_adding_begin(
        (struct al_adding){.length = stack_size(making->attributes), .stack = true});
    int error = making->make(making);

    if (error && al_backend_rescue(error))
        error = making->make(making);
    al_adding_end(added, NULL, 0);
    return error;
}

AL_EXPORT int pthread_create(pthread_t *ret_thread, const pthread_attr_t *attributes,
                             void *(*routine)(void *), void *argument)
{
    const struct making making = {.make = make_posix,
                                  .ret_thread = ret_thread,
                                  .attributes = attributes,
                                  .routine = routine,
                                  .argument = argument};

    prepare();
    return al_real.pthread_create ? make(&making) : EAGAIN;
}

/*
 * C11's threads are libc's own, made without a call of pthread_create that could be seen. Looked up
 * when it is called: not every libc has them.
 */
AL_EXPORT int thrd_create(thrd_t *ret_thread, thrd_start_t routine, void *argument)
{
    static al_thrd_create real;
    al_thrd_create create = __atomic_load_n(&real, __ATOMIC_RELAXED);
    struct making making = {
        .make = make_c11, .ret_thread = ret_thread, .routine_c11 = routine, .argument = argument};
    int error;

    prepare();
    if (!create) {
        *(void **)&create = al_real_find("thrd_create");
        __atomic_store_n(&real, create, __ATOMIC_RELAXED);
    }
    if (!create)
        return thrd_error;
    making.create_c11 = create;
    error = make(&making);
    if (!error)
        return thrd_success;
    return error == ENOMEM ? thrd_nomem : thrd_error;
}
