#include "thread_stack.h"

#include "counters.h"
#include "headroom.h"
#include "locker.h"
#include "process.h"
#include "real.h"
#include "regions.h"
#include "reserve.h"
#include "sys.h"

#include <sys/mman.h>

struct stack {
    void *start;
    size_t length;
    size_t guard;
};

/*
 * Of each thread whose stack is judged. They lie in memory of our own: a thread that ends by the
 * bare system call tells nobody, and its own memory is gone then. Its place stays taken until
 * another stack lies there.
 */
struct own_stack {
    void *start; /* NULL: free */
    size_t length;
    struct own_stack *next_free;
};

enum { STACKS_AT_FIRST = 8, STACKS_MORE = 170 };

struct stacks {
    struct stacks *next;
    struct own_stack stack[STACKS_MORE];
};

/* Changed with the gate, each step such that a child of fork can walk along all of them. */
static struct own_stack first_stacks[STACKS_AT_FIRST];
static struct stacks *more_stacks;
static struct own_stack *free_stacks;
static bool any_stacks; /* the first ones are among the free */

static __thread struct own_stack *own_stack __attribute__((tls_model("initial-exec")));

/* Found once: not every libc has them. */
static int (*attributes_of)(pthread_t, pthread_attr_t *);
static int (*stack_of)(const pthread_attr_t *, void **, size_t *);
static int (*guard_of)(const pthread_attr_t *, size_t *);
static int (*destroy)(pthread_attr_t *);

static bool is_judged(void)
{
    return al_books.tracking && al_books.policy.kinds & AL_KIND_STACK;
}

static uint64_t reserve(void)
{
    return al_process.active ? al_process.run.config->stack_reserve : 0;
}

bool al_thread_stack_wanted(void)
{
    if (!is_judged() && !reserve())
        return false;
    if (!destroy) {
        *(void **)&attributes_of = al_real_find("pthread_getattr_np");
        *(void **)&stack_of = al_real_find("pthread_attr_getstack");
        *(void **)&guard_of = al_real_find("pthread_attr_getguardsize");
        *(void **)&destroy = al_real_find("pthread_attr_destroy");
    }
    return attributes_of && stack_of && guard_of && destroy;
}

static void give_back(struct own_stack *stack)
{
    __atomic_store_n(&stack->start, NULL, __ATOMIC_RELEASE);
    stack->next_free = free_stacks;
    free_stacks = stack;
}

static void add_stacks(void)
{
    struct stacks *more;

    if (!any_stacks) {
        any_stacks = true;
        for (size_t i = 0; i < STACKS_AT_FIRST; i++)
            give_back(&first_stacks[i]);
        return;
    }
    more = (struct stacks *)al_sys_mmap(NULL, sizeof(*more), PROT_READ | PROT_WRITE,
                                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (al_sys_failed((long)more))
        return;
    more->next = more_stacks;
    __atomic_store_n(&more_stacks, more, __ATOMIC_RELEASE);
    for (size_t i = 0; i < STACKS_MORE; i++)
        give_back(&more->stack[i]);
}

/* False without memory: then it is not known what becomes of it in a child. */
static bool join_stacks(void *start, size_t length)
{
    if (!al_locker_enter())
        return false;
    if (!free_stacks)
        add_stacks();
    own_stack = free_stacks;
    if (own_stack) {
        free_stacks = own_stack->next_free;
        own_stack->length = length;
        __atomic_store_n(&own_stack->start, start, __ATOMIC_RELEASE);
    }
    al_locker_leave();
    return own_stack != NULL;
}

static void leave_stacks(void)
{
    if (!al_locker_enter())
        return;
    give_back(own_stack);
    al_locker_leave();
}

/* The place of a thread that has told nobody of its end: what is left behind where another one's
 * stack is now. NULL: there is none. */
static struct own_stack *left_in(struct own_stack *stack, size_t count, al_page page)
{
    for (; count--; stack++) {
        al_page first = al_page_of(stack->start);

        if (stack->start && page >= first && page < first + (stack->length >> al_page_shift))
            return stack;
    }
    return NULL;
}

static void forget_left(al_page page)
{
    struct own_stack *left;
    struct own_stack was;

    if (!al_locker_enter())
        return;
    left = left_in(first_stacks, STACKS_AT_FIRST, page);
    for (struct stacks *more = more_stacks; more && !left; more = more->next)
        left = left_in(more->stack, STACKS_MORE, page);
    if (left) {
        was = *left;
        give_back(left);
    }
    al_locker_leave();
    if (left)
        al_region_unmapping(was.start, was.length);
}

/* Nobody else's any more. What the fork came upon half done is made anew. */
static void forget_stacks(struct own_stack *stack, size_t count)
{
    for (; count--; stack++) {
        al_page first = al_page_of(stack->start);

        if (stack == own_stack || !al_locker_enter())
            continue;
        if (stack->start)
            (void)al_books_change(first, first + (stack->length >> al_page_shift), ~0U, 0,
                                  AL_EXCLUSIVE);
        give_back(stack);
        al_locker_leave();
    }
}

void al_thread_stack_forked(void)
{
    if (!any_stacks)
        return;
    free_stacks = NULL;
    forget_stacks(first_stacks, STACKS_AT_FIRST);
    for (struct stacks *more = more_stacks; more; more = more->next)
        forget_stacks(more->stack, STACKS_MORE);
}

/* Where there is little room: what a thread uses of its stack is mostly at its top. */
static const size_t STACK_TOP = (size_t)128 << 10;

/*
 * A stack that the program provides lies in memory of the program's, which has been judged as what
 * it is. One that nobody knows of is libc's: what the allocator had there may have gone unseen.
 */
static bool is_unknown(uint32_t word)
{
    return !(word & ~(uint32_t)(AL_PAGE_LOCKED | AL_PAGE_UNSURE));
}

/*
 * Whether it speaks of memory from before us, or that nobody could access, which must have gone
 * unseen where libc has made a stack since. A library behind us may have put one of its own there
 * instead: in blocks and images it may be.
 */
static bool is_left_behind(uint32_t word)
{
    return word & (AL_PAGE_EARLIER | AL_PAGE_CLOSED) &&
           !(word & (AL_PAGE_OWNERS | AL_PAGE_PROGRAM | AL_PAGE_SEGMENT));
}

/* Also of the guard, which may lie in what libc calls the stack or before it: there it is doubted.
 */
static void forget(const struct stack *stack)
{
    al_page first = al_page_of(stack->start);

    al_region_backing(stack->start, stack->length);
    if (!al_locker_enter())
        return;
    for (al_page page = first - (stack->guard >> al_page_shift); page < first; page++)
        if (al_pagemap_get(page) & AL_PAGE_LOCKED)
            (void)al_books_change(page, page + 1, 0, AL_PAGE_UNSURE, AL_SHARED);
    al_locker_leave();
}

/* `libcs`: the program has not said where it is to be. */
static void judge_stack(const struct stack *stack, bool libcs)
{
    const size_t mask = al_page_size() - 1;
    const size_t top = ((reserve() > STACK_TOP ? (size_t)reserve() : STACK_TOP) + mask) & ~mask;
    void *start = stack->start;
    size_t length = stack->length;
    uint32_t word;
    bool plenty;

    if (!length)
        return;
    word = al_pagemap_get(al_page_of((char *)start + length - 1));
    if (libcs && !is_unknown(word)) {
        forget_left(al_page_of((char *)start + length - 1));
        word = al_pagemap_get(al_page_of((char *)start + length - 1));
    }
    if (!is_unknown(word)) {
        if (!libcs || !is_left_behind(word))
            return;
        forget(stack);
    }
    /* Whole, the first stack would use up the usual limit, and a few of them a cgroup. */
    plenty = al_books.unlimited && al_headroom_spares(length, AL_HEADROOM_STACK);
    if (length > top && !plenty) {
        start = (char *)start + (length - top);
        length = top;
    }
    /* musl's ends, and where it is cut so begins, in the middle of a page. */
    length = (((uintptr_t)start + length + mask) & ~mask) - ((uintptr_t)start & ~mask);
    start = (void *)((uintptr_t)start & ~mask);
    if (!join_stacks(start, length))
        return;
    if (al_books.unlimited && !plenty)
        al_region_mapped_sparse(start, length, AL_KIND_STACK, true);
    else
        al_region_mapped(start, length, AL_KIND_STACK, true);
}

/*
 * The guard may lie in what libc calls the stack or before it, so what is above both places is
 * brought in. The stack pointer stays where it is: a signal handler needs room as well. What is far
 * below it is nobody's while this runs.
 */
static void bring_in(const char *start, size_t guard)
{
    enum { POPULATE_WRITE = 23 }; /* Linux 5.14 */
    const size_t page = al_page_size();
    uintptr_t here = (uintptr_t)__builtin_frame_address(0) & ~(page - 1);
    uintptr_t low = (uintptr_t)start + guard + page;

    if (here <= low)
        return;
    if (here - low > reserve())
        low = here - (uintptr_t)reserve();
    low = (low + page - 1) & ~(page - 1);
    if (low >= here || al_sys3(SYS_madvise, low, here - low, POPULATE_WRITE) == 0)
        return;
    for (here -= page; here >= low; here -= page)
        *(volatile char *)here = 0;
}

/* False without memory: libc allocates for it. */
static bool ask_libc(struct stack *ret_stack)
{
    pthread_attr_t attributes;

    if (attributes_of(pthread_self(), &attributes))
        return false;
    (void)stack_of(&attributes, &ret_stack->start, &ret_stack->length);
    (void)guard_of(&attributes, &ret_stack->guard);
    (void)destroy(&attributes);
    return true;
}

/* Calls of the malloc family, with what the parts say. */
struct calls {
    uint64_t malloc;
    uint64_t calloc;
    uint64_t realloc;
    uint64_t free;
};

static struct calls calls_of(const struct al_counts *counts)
{
    return (struct calls){
        .malloc = counts->value[AL_COUNT_calls_malloc] + counts->part[AL_PART_OWNED_MALLOC] +
                  counts->part[AL_PART_SMALL_MALLOC],
        .calloc = counts->value[AL_COUNT_calls_calloc],
        .realloc = counts->value[AL_COUNT_calls_realloc],
        .free = counts->value[AL_COUNT_calls_free] + counts->part[AL_PART_OWNED_FREE]};
}

/* The same, without counting as calls of the program what libc allocates for us. */
static bool find_stack(struct stack *ret_stack)
{
    struct al_counts *counts = al_thread_counts;
    struct calls before;
    struct calls after;
    bool found;

    if (!counts)
        return ask_libc(ret_stack);
    before = calls_of(counts);
    found = ask_libc(ret_stack);
    after = calls_of(counts);
    al_count_add(AL_COUNT_calls_malloc, before.malloc - after.malloc);
    al_count_add(AL_COUNT_calls_calloc, before.calloc - after.calloc);
    al_count_add(AL_COUNT_calls_realloc, before.realloc - after.realloc);
    al_count_add(AL_COUNT_calls_free, before.free - after.free);
    return found;
}

static void prepare_stack(bool libcs)
{
    struct stack stack = {0};

    if (!find_stack(&stack))
        return;
    if (is_judged())
        judge_stack(&stack, libcs);
    if (reserve() && stack.length)
        bring_in(stack.start, stack.guard);
}

void al_thread_stack_ends(void)
{
    void *start;
    size_t length;

    if (!own_stack)
        return;
    start = own_stack->start;
    length = own_stack->length;
    leave_stacks();
    own_stack = NULL;
    if (!al_books.tracking)
        return;
    al_region_unmapping(start, length);
    al_locker_unlock(al_page_of(start), al_page_of(start) + (length >> al_page_shift));
}

struct first_step {
    void *(*routine)(void *);
    int (*routine_c11)(void *);
    void *argument;
    bool libcs; /* the stack, as far as the program has a say */
};

/* In the thread. */
static struct first_step take_first_step(void *data)
{
    struct first_step step = *(struct first_step *)data;

    al_real.free(data);
    al_count_add(AL_COUNT_calls_pthread_create, 0); /* so that the thread's end is noticed */
    prepare_stack(step.libcs);
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

/* Of a stack that was not set musl says EINVAL, and glibc that it ends at 0. */
static bool is_left_to_libc(const pthread_attr_t *attributes)
{
    void *start = NULL;
    size_t length = 0;

    return !attributes || stack_of(attributes, &start, &length) || (uintptr_t)start + length == 0;
}

int al_thread_stack_create(pthread_t *ret_thread, const pthread_attr_t *attributes,
                           void *(*routine)(void *), void *argument)
{
    struct first_step *step = keep((struct first_step){
        .routine = routine, .argument = argument, .libcs = is_left_to_libc(attributes)});
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
        keep((struct first_step){.routine_c11 = routine, .argument = argument, .libcs = true});
    int error;

    if (!step)
        return create(ret_thread, routine, argument);
    error = create(ret_thread, begin_c11, step);
    if (error != thrd_success)
        al_real.free(step);
    return error;
}
