/*
 * Threads that come into being.
 */
#include "allocator.h"
#include "counters.h"
#include "export.h"
#include "heap_owner.h"
#include "heap_table.h"
#include "load.h"
#include "real.h"
#include "thread_stack.h"

#include <errno.h>

AL_EXPORT int pthread_create(pthread_t *ret_thread, const pthread_attr_t *attributes,
                             void *(*routine)(void *), void *argument)
{
    al_count(AL_COUNT_calls_pthread_create);
    (void)al_real_resolve();
    if (!al_real.pthread_create)
        al_real_resolve_threads();
    if (!al_real.pthread_create)
        return EAGAIN;
    if (al_heap_owner.on && !al_books.several_threads) {
        al_heap_owner_threads();
        al_heap_track(al_allocator_quick());
    }
    al_load_catch_up();
    if (al_thread_stack_wanted())
        return al_thread_stack_create(ret_thread, attributes, routine, argument);
    return al_real.pthread_create(ret_thread, attributes, routine, argument);
}
