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

static int create_posix(pthread_t *ret_thread, const pthread_attr_t *attributes,
                        void *(*routine)(void *), void *argument)
{
    if (al_thread_stack_wanted())
        return al_thread_stack_create(ret_thread, attributes, routine, argument);
    return al_real.pthread_create(ret_thread, attributes, routine, argument);
}

/* What the thread's stack will take, as far as the attributes say so. */
static size_t stack_size(const pthread_attr_t *attributes)
{
    static int (*size_in)(const pthread_attr_t *, size_t *);
    size_t size = 8 << 20;

    if (!al_room_limited() || !attributes)
        return size;
    if (!size_in)
        *(void **)&size_in = al_real_find("pthread_attr_getstacksize");
    if (size_in)
        (void)size_in(attributes, &size);
    return size;
}

/* Where there is no room for its stack, it is locked as the thread uses it. */
AL_EXPORT int pthread_create(pthread_t *ret_thread, const pthread_attr_t *attributes,
                             void *(*routine)(void *), void *argument)
{
    enum al_added added;
    int error;

    prepare();
    if (!al_real.pthread_create)
        return EAGAIN;
    added = al_adding_begin((struct al_adding){.length = stack_size(attributes)});
    error = create_posix(ret_thread, attributes, routine, argument);
    if (error && al_backend_rescue(error))
        error = create_posix(ret_thread, attributes, routine, argument);
    al_adding_end(added, NULL, 0);
    return error;
}

/*
 * C11's threads are libc's own, made without a call of pthread_create that could be seen. Looked up
 * when it is called: not every libc has them.
 */
AL_EXPORT int thrd_create(thrd_t *ret_thread, thrd_start_t routine, void *argument)
{
    static al_thrd_create real;
    al_thrd_create create = __atomic_load_n(&real, __ATOMIC_RELAXED);

    prepare();
    if (!create) {
        *(void **)&create = al_real_find("thrd_create");
        __atomic_store_n(&real, create, __ATOMIC_RELAXED);
    }
    if (!create)
        return thrd_error;
    if (al_thread_stack_wanted())
        return al_thread_stack_create_c11(create, ret_thread, routine, argument);
    return create(ret_thread, routine, argument);
}
