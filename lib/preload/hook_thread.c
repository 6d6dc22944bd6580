/*
 * Threads that come into being.
 */
#include "counters.h"
#include "export.h"
#include "load.h"
#include "real.h"
#include "thread_end.h"
#include "thread_stack.h"

#include <errno.h>
#include <threads.h>

/* Before a thread is made. */
static void prepare(void)
{
    al_count(AL_COUNT_calls_pthread_create);
    (void)al_real_resolve();
    al_thread_end_second();
    al_load_catch_up();
}

AL_EXPORT int pthread_create(pthread_t *ret_thread, const pthread_attr_t *attributes,
                             void *(*routine)(void *), void *argument)
{
    prepare();
    if (!al_real.pthread_create)
        al_real_resolve_threads();
    if (!al_real.pthread_create)
        return EAGAIN;
    if (al_thread_stack_wanted())
        return al_thread_stack_create(ret_thread, attributes, routine, argument);
    return al_real.pthread_create(ret_thread, attributes, routine, argument);
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
