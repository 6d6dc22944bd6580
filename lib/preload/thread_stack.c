#include "thread_stack.h"

#include "counters.h"
#include "locker.h"
#include "real.h"
#include "regions.h"

struct own_stack {
    void *start;
    size_t length;
    struct own_stack *next;
    struct own_stack **link;
};

static __thread struct own_stack own_stack __attribute__((tls_model("initial-exec")));

/* Of all threads. Changed with the gate, each step such that a child of fork can walk along it. */
static struct own_stack *stacks;

/* Found once: not every libc has them. */
static int (*attributes_of)(pthread_t, pthread_attr_t *);
static int (*stack_of)(const pthread_attr_t *, void **, size_t *);
static int (*destroy)(pthread_attr_t *);

bool al_thread_stack_wanted(void)
{
    if (!al_books.tracking || !(al_books.policy.kinds & AL_KIND_STACK))
        return false;
    if (!destroy) {
        *(void **)&attributes_of = al_real_find("pthread_getattr_np");
        *(void **)&stack_of = al_real_find("pthread_attr_getstack");
        *(void **)&destroy = al_real_find("pthread_attr_destroy");
    }
    return attributes_of && stack_of && destroy;
}

static void join_stacks(void)
{
    if (!al_locker_enter())
        return;
    own_stack.next = stacks;
    own_stack.link = &stacks;
    if (stacks)
        stacks->link = &own_stack.next;
    __atomic_store_n(&stacks, &own_stack, __ATOMIC_RELEASE);
    al_locker_leave();
}

static void leave_stacks(void)
{
    if (!own_stack.link || !al_locker_enter())
        return;
    __atomic_store_n(own_stack.link, own_stack.next, __ATOMIC_RELEASE);
    if (own_stack.next)
        own_stack.next->link = own_stack.link;
    own_stack.link = NULL;
    al_locker_leave();
}

void al_thread_stack_forked(void)
{
    struct own_stack *stack = stacks;

    stacks = NULL;
    for (; stack; stack = stack->next) {
        al_page first = al_page_of(stack->start);

        if (stack == &own_stack || !al_locker_enter())
            continue;
        (void)al_books_change(first, first + (stack->length >> al_page_shift), ~0U, 0,
                              AL_EXCLUSIVE);
        al_locker_leave();
    }
    if (own_stack.link)
        join_stacks();
}

/*
 * A stack that the program provides lies in memory of the program's, which has been judged as what
 * it is; only one that nobody knows of is libc's.
 */
static void judge_stack(void)
{
    pthread_attr_t attributes;
    void *start = NULL;
    size_t length = 0;

    if (attributes_of(pthread_self(), &attributes))
        return;
    (void)stack_of(&attributes, &start, &length);
    (void)destroy(&attributes);
    if (!length || al_pagemap_get(al_page_of((char *)start + length - 1)))
        return;
    own_stack.start = start;
    own_stack.length = length;
    join_stacks();
    al_region_mapped(start, length, AL_KIND_STACK, true);
}

void al_thread_stack_ends(void)
{
    al_page first = al_page_of(own_stack.start);
    al_page end = first + (own_stack.length >> al_page_shift);

    leave_stacks();
    if (!own_stack.length || !al_books.tracking)
        return;
    al_region_unmapping(own_stack.start, own_stack.length);
    al_locker_unlock(first, end);
    own_stack.length = 0;
}

struct first_step {
    void *(*routine)(void *);
    int (*routine_c11)(void *);
    void *argument;
};

/* In the thread. */
static struct first_step take_first_step(void *data)
{
    struct first_step step = *(struct first_step *)data;

    al_real.free(data);
    al_count_add(AL_COUNT_calls_pthread_create, 0); /* so that the thread's end is noticed */
    judge_stack();
    return step;
}

static void *begin(void *data)
{
    struct first_step step = take_first_step(data);

    return step.routine(step.argument);
}

static int begin_c11(void *data)
{
    struct first_step step = take_first_step(data);

    return step.routine_c11(step.argument);
}

/* NULL without memory. */
static struct first_step *keep(struct first_step step)
{
    struct first_step *kept = al_real.malloc(sizeof(*kept));

    if (kept)
        *kept = step;
    return kept;
}

int al_thread_stack_create(pthread_t *ret_thread, const pthread_attr_t *attributes,
                           void *(*routine)(void *), void *argument)
{
    struct first_step *step = keep((struct first_step){.routine = routine, .argument = argument});
    int error;

    if (!step)
        return al_real.pthread_create(ret_thread, attributes, routine, argument);
    error = al_real.pthread_create(ret_thread, attributes, begin, step);
    if (error)
        al_real.free(step);
    return error;
}

int al_thread_stack_create_c11(al_thrd_create create, thrd_t *ret_thread, thrd_start_t routine,
                               void *argument)
{
    struct first_step *step =
        keep((struct first_step){.routine_c11 = routine, .argument = argument});
    int error;

    if (!step)
        return create(ret_thread, routine, argument);
    error = create(ret_thread, begin_c11, step);
    if (error != thrd_success)
        al_real.free(step);
    return error;
}
