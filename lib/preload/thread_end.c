#include "thread_end.h"

#include "allocator.h"
#include "counters.h"
#include "heap_owner.h"
#include "heap_table.h"
#include "load_on_fault.h"
#include "process.h"
#include "real.h"
#include "sys.h"
#include "thread_stack.h"

/* Tells whose handlers they are, should the library ever be unloaded. */
extern void *__dso_handle __attribute__((visibility("hidden")));

static pthread_key_t key;

/* The key's destructor: the last thing that libc lets us do in a thread. */
static void thread_ends(void *unused)
{
    (void)unused;
    al_load_on_fault_thread_ends();
    al_thread_stack_ends();
    al_counters_thread_ends();
}

void al_thread_end_second(void)
{
    if (!al_heap_owner.on || al_books.several_threads)
        return;
    al_heap_owner_threads();
    al_heap_track(al_allocator_quick());
}

/*
 * Timers and message queues (SIGEV_THREAD) and bare clone make threads that nobody announces. The
 * first one is there when it counts for the first time. Until then it has owned no page; but the
 * thread that was alone may be in the middle of one malloc or free, whose plain addition can
 * fall together with an atomic one of ours and undo it: one instruction, once in a process.
 */
static void thread_counts(struct al_counts *counts)
{
    (void)al_real.pthread_setspecific(key, counts);
    if (al_heap_owner.on && !al_books.several_threads && al_sys0(SYS_gettid) != al_sys0(SYS_getpid))
        al_thread_end_second();
}

static void watch_threads(void)
{
    if (al_counters_on_attach)
        return;
    if (!al_real.pthread_key_create || !al_real.pthread_setspecific)
        return;
    if (al_real.pthread_key_create(&key, thread_ends))
        return;
    __atomic_store_n(&al_counters_on_attach, thread_counts, __ATOMIC_RELEASE);
}

__thread bool al_fork_is_ours __attribute__((tls_model("initial-exec")));

/* libc comes here also where it could not fork. */
static void parent_forked(void)
{
    al_counters_forked();
    if (!al_fork_is_ours)
        al_count(AL_COUNT_children_fork);
}

void al_thread_end_watch(void)
{
    static bool watching_forks;

    watch_threads();
    if (watching_forks)
        return;
    watching_forks = true;
    if (al_real.__register_atfork) {
        (void)al_real.__register_atfork(al_counters_before_fork, parent_forked,
                                        al_process_after_fork, &__dso_handle);
    } else {
        int (*atfork)(void (*)(void), void (*)(void), void (*)(void));

        *(void **)&atfork = al_real_find("pthread_atfork");
        if (atfork)
            (void)atfork(al_counters_before_fork, parent_forked, al_process_after_fork);
    }
}
