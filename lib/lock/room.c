#include "room.h"

#include "flight.h"
#include "gate.h"
#include "io.h"
#include "kernel.h"
#include "page_sample.h"
#include "sys.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

/* How much of what is left may be taken until it is measured again: 1/8. */
enum { CREDIT_SHARE = 8 };

/* What a thread may take in advance in a cgroup at first, and more for each call of malloc. */
enum { LITTLE = 64 << 10, EACH_CALL = 512 };

static struct {
    bool in_force;
    bool limited;
    bool broken; /* something is mapped that is not locked */
    unsigned flags;
    uint64_t budget;
    uint64_t (*ask)(void); /* for what else holds; NULL: it is known */
    int64_t credit;        /* bytes that may be taken before the next look at what is resident */
    struct al_gate gate;
    unsigned open; /* how many are mapping at this moment what is not to be brought in */
    struct al_room_changes changes;
} room;

/* Without a bound it is endless. */
static void add_unspent(uint64_t *sum, const struct al_counts *counts)
{
    uint64_t left = __atomic_load_n(&counts->part[AL_PART_ROOM], __ATOMIC_RELAXED);

    if (left <= PTRDIFF_MAX)
        *sum += left;
}

/* What threads have of their chunks. */
static uint64_t unspent(void)
{
    uint64_t sum = 0;

    al_counters_each(add_unspent, &sum);
    return sum;
}

void al_room_begin_asking(unsigned flags, uint64_t budget, uint64_t (*ask)(void))
{
    room.flags = flags;
    room.budget = budget;
    room.ask = ask;
    /* What it allocated before, if only libc for us, was without bounds. */
    if (al_thread_counts)
        al_thread_counts->part[AL_PART_ROOM] = 0;
    al_headroom_hold_back(unspent);
    __atomic_store_n(&room.limited, ask || budget != UINT64_MAX, __ATOMIC_RELEASE);
    __atomic_store_n(&room.in_force, true, __ATOMIC_RELEASE);
}

void al_room_begin(unsigned flags, uint64_t budget)
{
    al_room_begin_asking(flags, budget, NULL);
}

/* Two threads that come at the same time are told the same. */
static uint64_t budget(void)
{
    uint64_t (*ask)(void) = __atomic_load_n(&room.ask, __ATOMIC_ACQUIRE);
    uint64_t known = __atomic_load_n(&room.budget, __ATOMIC_RELAXED);
    uint64_t told = ask ? ask() : known;

    if (told < known) {
        __atomic_store_n(&room.budget, told, __ATOMIC_RELAXED);
        known = told;
    }
    __atomic_store_n(&room.ask, NULL, __ATOMIC_RELEASE);
    return known;
}

void al_room_stop(void)
{
    al_headroom_hold_back(NULL);
    __atomic_store_n(&room.limited, false, __ATOMIC_RELEASE);
    __atomic_store_n(&room.in_force, false, __ATOMIC_RELEASE);
}

/*
 * Who is opening or closing it at this moment has asked the kernel before; who asks for room is
 * answered as long as the kernel goes on.
 */
void al_room_end(bool (*end)(void *), void *data)
{
    bool entered = al_gate_enter_undisturbed(&room.gate);
    bool ended = !end || end(data);

    if (ended)
        al_room_stop();
    if (!entered)
        return;
    if (ended)
        room.open = 0;
    al_gate_leave(&room.gate);
}

void al_room_forked(void)
{
    al_headroom_forked();
    al_flight_forked();
    al_gate_reset(&room.gate);
    room.open = 0;
}

bool al_room_limited(void)
{
    return __atomic_load_n(&room.limited, __ATOMIC_ACQUIRE);
}

bool al_room_in_force(void)
{
    return __atomic_load_n(&room.in_force, __ATOMIC_ACQUIRE);
}

bool al_room_brings_in(void)
{
    return al_room_in_force() && !(room.flags & AL_MCL_ONFAULT);
}

/* -- what is used --------------------------------------------------------------------------- */

/* The most that was ever resident: cheap to ask for. */
static uint64_t peak_resident(void)
{
    struct rusage usage = {0};

    al_sys2(SYS_getrusage, RUSAGE_SELF, &usage);
    return (uint64_t)usage.ru_maxrss << 10;
}

/* A number of the file, which counts in pages; what is resident if it cannot be read. */
static uint64_t memory(unsigned field)
{
    char text[128];
    const char *at = text;
    uint64_t pages = 0;

    if (al_io_read_file("/proc/self/statm", text, sizeof(text)) <= 0)
        return peak_resident();
    while (field--) {
        at += strcspn(at, " ");
        at += *at == ' ';
    }
    for (; *at >= '0' && *at <= '9'; at++)
        pages = pages * 10 + (uint64_t)(*at - '0');
    return pages * al_page_size();
}

static uint64_t resident(void)
{
    return memory(1);
}

uint64_t al_room_address_space(void)
{
    return memory(0);
}

static bool take_credit(uint64_t bytes)
{
    int64_t credit = __atomic_load_n(&room.credit, __ATOMIC_RELAXED);

    do {
        if (credit < 0 || bytes > (uint64_t)credit)
            return false;
    } while (!__atomic_compare_exchange_n(&room.credit, &credit, credit - (int64_t)bytes, true,
                                          __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return true;
}

/* What would be left of the budget with `bytes` more; negative if they do not fit. */
static int64_t left_after(uint64_t bytes)
{
    uint64_t most = budget();
    uint64_t used;

    if (bytes > most)
        return -1;
    used = peak_resident();
    if (used > most - bytes)
        used = resident();
    return used > most - bytes ? -1 : (int64_t)(most - bytes - used);
}

bool al_room_has(uint64_t bytes)
{
    return !al_room_limited() || left_after(bytes) >= 0;
}

/* Whether the process may have them. */
static bool fits_budget(uint64_t bytes)
{
    int64_t left;

    if (take_credit(bytes))
        return true;
    left = left_after(bytes);
    if (left < 0)
        return false;
    __atomic_store_n(&room.credit, left / CREDIT_SHARE, __ATOMIC_RELAXED);
    return true;
}

bool al_room_fits(uint64_t bytes)
{
    return !al_room_limited() || (al_headroom_has(bytes) && fits_budget(bytes));
}

bool al_room_is_large(size_t bytes)
{
    return al_room_limited() && al_room_brings_in() && bytes > al_headroom_share(SIZE_MAX);
}

bool al_room_is_too_much(size_t bytes, enum al_headroom_part part)
{
    return bytes >= AL_ROOM_CHUNK && al_room_limited() && al_room_brings_in() &&
           !al_headroom_spares(bytes, part);
}

bool al_room_fits_at_once(size_t bytes, size_t *ret_held)
{
    *ret_held = 0;
    if (!al_room_is_large(bytes))
        return al_room_fits(bytes);
    if (!al_headroom_take(bytes))
        return false;
    if (fits_budget(bytes)) {
        *ret_held = bytes;
        return true;
    }
    al_headroom_taken(bytes);
    return false;
}

bool al_room_renew(struct al_counts *counts, size_t size)
{
    const size_t modest = LITTLE + (size_t)counts->value[AL_COUNT_calls_malloc] * EACH_CALL;
    uint64_t *left = &counts->part[AL_PART_ROOM];
    size_t chunk;

    if (!al_room_limited()) {
        *left = UINT64_MAX;
        return true;
    }
    *left = 0;
    chunk = al_headroom_share(AL_ROOM_CHUNK);
    /* In a cgroup what is taken in advance is nobody else's: not much for a thread that hardly
     * allocates. */
    if (chunk > modest && al_headroom_share(SIZE_MAX) != SIZE_MAX)
        chunk = modest;
    if (size >= chunk || !al_room_fits(chunk))
        return false;
    *left = chunk - size;
    return true;
}

/* -- what does not fit ---------------------------------------------------------------------- */

bool al_room_open(void)
{
    bool entered = al_gate_enter_undisturbed(&room.gate);
    bool in_force;

    /* A child that has found out here what it is has locks of its own now. */
    if (!entered)
        entered = al_gate_enter_undisturbed(&room.gate);
    if (!entered)
        return false;
    /* It may have ended since the caller asked for room. */
    in_force = al_room_in_force();
    if (in_force && !room.open++)
        (void)al_kernel_mlockall(AL_MCL_FUTURE | AL_MCL_ONFAULT);
    al_gate_leave(&room.gate);
    return in_force;
}

void al_room_close(void)
{
    if (!al_gate_enter_undisturbed(&room.gate))
        return;
    if (room.open && !--room.open && al_room_in_force())
        (void)al_kernel_mlockall(AL_MCL_FUTURE | (room.flags & AL_MCL_ONFAULT));
    al_gate_leave(&room.gate);
}

bool al_room_is_open(void)
{
    return __atomic_load_n(&room.open, __ATOMIC_RELAXED);
}

void al_room_unlocked(void)
{
    __atomic_store_n(&room.broken, true, __ATOMIC_RELEASE);
}

struct al_room_changes al_room_changes(void)
{
    return (struct al_room_changes){
        .left_out = __atomic_load_n(&room.changes.left_out, __ATOMIC_ACQUIRE),
        .wishes = __atomic_load_n(&room.changes.wishes, __ATOMIC_ACQUIRE)};
}

void al_room_wish(void)
{
    __atomic_fetch_add(&room.changes.wishes, 1, __ATOMIC_ACQ_REL);
}

bool al_room_is_whole(void)
{
    return room.flags & AL_MCL_CURRENT && !__atomic_load_n(&room.broken, __ATOMIC_ACQUIRE);
}

/* [start, start + length) without the pages that are only in part within it. */
struct whole_pages {
    void *start;
    size_t length;
};

static struct whole_pages whole_pages(void *start, size_t length)
{
    size_t mask = al_page_size() - 1;
    uintptr_t first = ((uintptr_t)start + mask) & ~mask;
    uintptr_t end = ((uintptr_t)start + length) & ~mask;

    return (struct whole_pages){(void *)first, first < end ? end - first : 0};
}

static int unlock(struct whole_pages pages)
{
    return al_kernel_munlock(pages.start, pages.length);
}

static int lock_on_fault(struct whole_pages pages)
{
    return al_kernel_try_mlock2(pages.start, pages.length, AL_MLOCK_ONFAULT);
}

/* As long as the kernel locks what is to come. Who ends that waits for calls in flight; afterwards
 * the hooks have locked what they could. False: it was not done. */
static bool change(struct whole_pages pages, int (*how)(struct whole_pages))
{
    bool entered = !al_flight_is_on() && al_gate_enter_undisturbed(&room.gate);
    bool done = al_room_in_force() && how(pages) == 0;

    if (entered)
        al_gate_leave(&room.gate);
    return done;
}

void al_room_leave_out(void *start, size_t length)
{
    struct whole_pages pages = whole_pages(start, length);

    if (!pages.length)
        return;
    al_room_unlocked();
    __atomic_fetch_add(&room.changes.left_out, 1, __ATOMIC_ACQ_REL);
    (void)change(pages, unlock);
}

/* What the program has unlocked itself is not to be locked, nor what was left out. */
static bool may_be_locked_on_fault(void)
{
    struct al_room_changes changes = al_room_changes();

    return !changes.left_out && !changes.wishes;
}

bool al_room_lock_on_fault(void *start, size_t length)
{
    const size_t mask = al_page_size() - 1;
    char *first = (char *)((uintptr_t)start & ~mask);
    struct whole_pages pages = {first,
                                ((uintptr_t)start + length + mask - (uintptr_t)first) & ~mask};

    return may_be_locked_on_fault() && change(pages, lock_on_fault);
}

bool al_room_on_fault_if_much(void *start, size_t length, size_t more)
{
    return al_room_is_too_much(length + more, AL_HEADROOM_REGION) && al_room_fits(more) &&
           al_room_lock_on_fault(start, length);
}

size_t al_room_opening(void *start, size_t length)
{
    size_t held = 0;
    bool too_much;

    if (length < AL_ROOM_CHUNK || !al_room_limited())
        return 0;
    too_much = al_room_is_too_much(length, AL_HEADROOM_REGION);
    if ((!too_much && al_room_fits_at_once(length, &held)) || al_page_sample_own(start, length))
        return held;
    if (too_much && al_room_fits(length) && al_room_lock_on_fault(start, length))
        return 0;
    al_count(AL_COUNT_skipped_budget);
    al_room_leave_out(start, length);
    return 0;
}
