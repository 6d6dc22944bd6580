#include "kernel_model.h"

#include "counters.h"
#include "kernel.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

enum { MAPPED = 1, ACCESSIBLE = 2, LOCKED = 4 };

struct kernel_model kernel_model;

/* Changed atomically, without an order that could hide a race of the library's. */
static uint8_t state[MODEL_PAGES];
static uint64_t locked_pages;

void kernel_model_begin(void)
{
    memset(&kernel_model, 0, sizeof(kernel_model));
    memset(state, 0, sizeof(state));
    locked_pages = 0;
}

static bool is_modelled(al_page page)
{
    return page >= MODEL_FIRST && page < MODEL_END;
}

static uint8_t state_of(al_page page)
{
    return is_modelled(page) ? __atomic_load_n(&state[page - MODEL_FIRST], __ATOMIC_RELAXED) : 0;
}

static void change(al_page page, unsigned clear, unsigned set)
{
    uint8_t *at = &state[page - MODEL_FIRST];
    uint8_t before = __atomic_load_n(at, __ATOMIC_RELAXED);
    uint8_t after;

    do {
        after = (uint8_t)((before & ~clear) | set);
    } while (
        !__atomic_compare_exchange_n(at, &before, after, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    if ((before ^ after) & LOCKED)
        __atomic_fetch_add(&locked_pages, after & LOCKED ? 1 : (uint64_t)-1, __ATOMIC_RELAXED);
}

static void change_all(al_page first, al_page end, unsigned clear, unsigned set)
{
    for (al_page page = first; page < end; page++)
        change(page, clear, set);
}

void kernel_model_map(al_page first, al_page end, bool accessible)
{
    change_all(first, end, LOCKED | ACCESSIBLE, MAPPED | (accessible ? ACCESSIBLE : 0));
}

void kernel_model_protect(al_page first, al_page end, bool accessible)
{
    change_all(first, end, ACCESSIBLE, accessible ? ACCESSIBLE : 0);
}

void kernel_model_unmap(al_page first, al_page end)
{
    change_all(first, end, MAPPED | ACCESSIBLE | LOCKED, 0);
}

void kernel_model_move(al_page from, al_page from_end, al_page to, al_page to_end)
{
    uint8_t last = state_of(from);

    for (al_page page = to; page < to_end; page++) {
        if (from < from_end) {
            last = state_of(from);
            change(from++, UINT8_MAX, 0);
        }
        change(page, UINT8_MAX, last);
    }
    kernel_model_unmap(from, from_end);
}

void kernel_model_lock(al_page first, al_page end)
{
    for (al_page page = first; page < end; page++)
        if (kernel_model_is_mapped(page))
            change(page, 0, LOCKED);
}

void kernel_model_unlock(al_page first, al_page end)
{
    change_all(first, end, LOCKED, 0);
}

void kernel_model_lock_all(void)
{
    kernel_model_lock(MODEL_FIRST, MODEL_END);
}

void kernel_model_unlock_all(void)
{
    kernel_model_unlock(MODEL_FIRST, MODEL_END);
}

bool kernel_model_is_mapped(al_page page)
{
    return state_of(page) & MAPPED;
}

bool kernel_model_is_locked(al_page page)
{
    return state_of(page) & LOCKED;
}

uint64_t kernel_model_locked(al_page first, al_page end)
{
    uint64_t pages = 0;

    while (first < end)
        pages += kernel_model_is_locked(first++);
    return pages;
}

/* Mappings that begin in [first, end), the page after included: its beginning may have changed. */
static uint64_t mappings_in(al_page first, al_page end)
{
    uint64_t count = 0;

    for (al_page page = first; page <= end; page++)
        count += state_of(page) && state_of(page) != state_of(page - 1);
    return count;
}

uint64_t kernel_model_mappings(void)
{
    return mappings_in(MODEL_FIRST, MODEL_END);
}

/* Kept up to date while there is a bound; all other changes are made by one thread then. */
static bool fits(al_page first, al_page end, unsigned clear, unsigned set)
{
    uint64_t after = kernel_model_mappings();
    uint8_t before[2] = {state_of(first - 1), state_of(end)};
    uint64_t inside = mappings_in(first, end);
    uint64_t inside_after = 0;
    uint8_t last = before[0];

    for (al_page page = first; page <= end; page++) {
        uint8_t now = state_of(page);

        if (page < end && now)
            now = (uint8_t)((now & ~clear) | set);
        inside_after += now && now != last;
        last = now;
    }
    return inside_after <= inside || after - inside + inside_after <= kernel_model.mappings_max;
}

/* Locks or unlocks up to the first page that is not mapped. */
static int reach(al_page first, al_page end, unsigned clear, unsigned set)
{
    al_page hole = first;

    while (hole < end && kernel_model_is_mapped(hole))
        hole++;
    if (kernel_model.mappings_max && !fits(first, hole, clear, set)) {
        kernel_model.stuck += clear != 0;
        return -ENOMEM;
    }
    change_all(first, hole, clear, set);
    return hole < end ? -ENOMEM : 0;
}

static int lock(al_page first, al_page end, unsigned flags, unsigned call)
{
    uint64_t more = end - first;
    int result;

    /* Late: with half of it locked already. */
    if (kernel_model.refuse_each && call % kernel_model.refuse_each == 0) {
        (void)reach(first, first + (end - first + 1) / 2, 0, LOCKED);
        return -EAGAIN;
    }

    if (kernel_model.refusal)
        return kernel_model.refusal;
    if (kernel_model.refuse_in && !--kernel_model.refuse_in)
        return kernel_model.refusal_then;
    if (kernel_model.limit_pages) {
        more -= kernel_model_locked(first, end);
        if (__atomic_load_n(&locked_pages, __ATOMIC_RELAXED) + more > kernel_model.limit_pages)
            return -ENOMEM;
    }
    result = reach(first, end, 0, LOCKED);
    /* Bringing in stops at what cannot be accessed; the lock stays. */
    for (al_page page = first; !result && !flags && page < end; page++)
        if (!(state_of(page) & ACCESSIBLE))
            result = -ENOMEM;
    return result;
}

static enum al_counter failure_counter(int error)
{
    switch (-error) {
    case EPERM:
        return AL_COUNT_failures_EPERM;
    case ENOMEM:
        return AL_COUNT_failures_ENOMEM;
    case EAGAIN:
        return AL_COUNT_failures_EAGAIN;
    case ENOSYS:
        return AL_COUNT_failures_ENOSYS;
    default:
        return AL_COUNT_failures_other;
    }
}

static void let_others_go(void)
{
    if (kernel_model.yields)
        sched_yield();
}

int al_kernel_try_mlock2(const void *start, size_t length, unsigned flags)
{
    al_page first = al_page_of(start);
    al_page end = al_page_of((const char *)start + length + 4095);
    unsigned call;
    int result = 0;

    let_others_go();
    call = __atomic_add_fetch(&kernel_model.mlock2_calls, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&kernel_model.last_flags, flags, __ATOMIC_RELAXED);
    __atomic_store_n(&kernel_model.last_first, first, __ATOMIC_RELAXED);
    __atomic_store_n(&kernel_model.last_end, end, __ATOMIC_RELAXED);
    if (flags && kernel_model.old)
        result = -ENOSYS;
    else if (is_modelled(first))
        result = lock(first, end, flags, call);
    else
        result = kernel_model.refusal;
    if (result)
        __atomic_fetch_add(&kernel_model.refusals, 1, __ATOMIC_RELAXED);
    let_others_go();
    return result;
}

int al_kernel_mlock2(const void *start, size_t length, unsigned flags)
{
    int result = al_kernel_try_mlock2(start, length, flags);

    if (result)
        al_count(failure_counter(result));
    return result;
}

int al_kernel_ask(const void *start, size_t length)
{
    al_page first = al_page_of(start);
    al_page end = first + (length >> al_page_shift);
    int result = 0;

    let_others_go();
    __atomic_fetch_add(&kernel_model.asked, 1, __ATOMIC_RELAXED);
    for (; first < end; first++) {
        if (kernel_model_is_locked(first))
            return -EBUSY;
        if (!kernel_model_is_mapped(first))
            result = -ENOMEM;
    }
    return result;
}

bool al_kernel_is_locked(const void *start, size_t length)
{
    return al_kernel_ask(start, length) == -EBUSY;
}

int al_kernel_munlock(const void *start, size_t length)
{
    al_page first = al_page_of(start);
    al_page end = al_page_of((const char *)start + length + 4095);
    int result = 0;

    let_others_go();
    __atomic_fetch_add(&kernel_model.munlock_calls, 1, __ATOMIC_RELAXED);
    if (is_modelled(first))
        result = reach(first, end, LOCKED, 0);
    let_others_go();
    return result;
}

int al_kernel_mlockall(unsigned flags)
{
    (void)flags;
    kernel_model_lock_all();
    return 0;
}

int al_kernel_munlockall(void)
{
    kernel_model_unlock_all();
    return 0;
}

int al_kernel_madvise(const void *start, size_t length, int advice)
{
    (void)start;
    (void)length;
    (void)advice;
    return 0;
}
