#include "headroom.h"

#include "cgroup_use.h"
#include "large.h"
#include "machine.h"
#include "sys.h"

/*
 * How much of what is left a process takes until it looks again. Others look at the same time and
 * see the same, so it must be so little that many of them together take no more than there is.
 */
enum { SHARE = 64 };

/* How often there must be room for what is to come later. */
enum { LATER = 4 };

/* What part of all is not brought in for nobody: half. */
enum { SPARED = 2 };

/* The least that is worth taking in advance. */
static const uint64_t share_least = (uint64_t)64 << 10;

/*
 * Where there is no room, looking again and again would cost the program more than it can hope for:
 * 10 us and more each time.
 */
static const uint64_t pause_ns = 10000000;

/*
 * What is on its way, in units, and above it how often that has changed: who has looked is answered
 * only if nobody was meanwhile, as what others were told may be there already and have left no
 * trace.
 */
enum { UNIT_SHIFT = 12, UNIT_BITS = 40 };

static struct {
    bool on;
    bool spare;
    bool swaps;
    uint64_t limit; /* the cgroup's own */
    uint64_t most;  /* that is to be in use */
    uint64_t left;  /* when it was looked at */
    uint64_t full_since_ns;
    int64_t credit;     /* bytes that may be taken before the next look */
    uint64_t in_flight; /* what is being brought in, and not all in use yet: see above */
    uint64_t (*held_back)(void);
} headroom;

static struct al_cgroup_home home AL_LARGE;

static uint64_t load(const uint64_t *value)
{
    return __atomic_load_n(value, __ATOMIC_RELAXED);
}

static void store(uint64_t *value, uint64_t now)
{
    __atomic_store_n(value, now, __ATOMIC_RELAXED);
}

static uint64_t units(uint64_t in_flight)
{
    return in_flight & (((uint64_t)1 << UNIT_BITS) - 1);
}

static uint64_t units_of(uint64_t bytes)
{
    return (bytes + ((1 << UNIT_SHIFT) - 1)) >> UNIT_SHIFT;
}

/* False if it is not `before` any more, which is read again then. */
static bool change_in_flight(uint64_t *before, uint64_t now)
{
    now |= ((*before >> UNIT_BITS) + 1) << UNIT_BITS;
    return __atomic_compare_exchange_n(&headroom.in_flight, before, now, false, __ATOMIC_RELAXED,
                                       __ATOMIC_RELAXED);
}

static bool is_on(void)
{
    return __atomic_load_n(&headroom.on, __ATOMIC_ACQUIRE);
}

void al_headroom_end(void)
{
    __atomic_store_n(&headroom.on, false, __ATOMIC_RELEASE);
}

void al_headroom_begin(uint64_t limit, unsigned percent)
{
    if (limit == AL_CGROUP_UNLIMITED) {
        al_headroom_end();
        return;
    }
    if (limit != headroom.limit) {
        al_headroom_end();
        home.directory[0] = '\0';
        (void)al_cgroup_find("", &home);
        headroom.limit = limit;
        headroom.swaps = al_machine_swap() >= limit && al_cgroup_swap(&home) >= limit;
    }
    store(&headroom.most, limit / 100 * percent);
    store(&headroom.full_since_ns, 0);
    __atomic_store_n(&headroom.credit, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&headroom.on, home.directory[0] != '\0', __ATOMIC_RELEASE);
}

/*
 * What is left if at least `wanted` is, else exactly: what can be dropped takes longer to learn.
 * `in_flight` was read before, so that what has come in meanwhile is counted twice, not never.
 */
static uint64_t look(uint64_t wanted, uint64_t in_flight)
{
    uint64_t (*held_back)(void) = __atomic_load_n(&headroom.held_back, __ATOMIC_ACQUIRE);
    uint64_t limit = load(&headroom.most);
    uint64_t coming = (units(in_flight) << UNIT_SHIFT) + (held_back ? held_back() : 0);
    uint64_t most = limit > coming ? limit - coming : 0;
    uint64_t used = al_cgroup_used(&home);
    uint64_t droppable;

    /* Not to be seen from here any more, as after a chroot. */
    if (used == AL_CGROUP_UNLIMITED)
        return UINT64_MAX;
    if (used <= most && most - used >= wanted)
        return most - used;
    droppable = al_cgroup_droppable(&home);
    used -= droppable < used ? droppable : used;
    return used < most ? most - used : 0;
}

uint64_t al_headroom_left(void)
{
    return is_on() ? look(UINT64_MAX, load(&headroom.in_flight)) : UINT64_MAX;
}

static bool take_credit(uint64_t bytes)
{
    int64_t credit = __atomic_load_n(&headroom.credit, __ATOMIC_RELAXED);

    do {
        if (credit < 0 || bytes > (uint64_t)credit)
            return false;
    } while (!__atomic_compare_exchange_n(&headroom.credit, &credit, credit - (int64_t)bytes, true,
                                          __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return true;
}

static bool was_full(uint64_t bytes)
{
    uint64_t since = load(&headroom.full_since_ns);

    return since && bytes > load(&headroom.left) && al_now_ns() - since < pause_ns;
}

/* Whether a look finds that there is room; and what is left. */
static bool sees(uint64_t bytes, uint64_t in_flight, uint64_t *seen)
{
    uint64_t left = look(bytes, in_flight);

    *seen = left;
    store(&headroom.left, left);
    store(&headroom.full_since_ns, bytes > left ? al_now_ns() : 0);
    return bytes <= left;
}

bool al_headroom_has(uint64_t bytes)
{
    uint64_t left;

    if (!is_on() || take_credit(bytes))
        return true;
    if (was_full(bytes) || !sees(bytes, load(&headroom.in_flight), &left))
        return false;
    __atomic_store_n(&headroom.credit, (int64_t)((left - bytes) / SHARE), __ATOMIC_RELAXED);
    return true;
}

bool al_headroom_take(uint64_t bytes)
{
    uint64_t in_flight = load(&headroom.in_flight);
    uint64_t left;

    do {
        if (is_on() && (was_full(bytes) || !sees(bytes, in_flight, &left)))
            return false;
    } while (!change_in_flight(&in_flight, units(in_flight) + units_of(bytes)));
    return true;
}

void al_headroom_taken(uint64_t bytes)
{
    uint64_t in_flight = load(&headroom.in_flight);
    uint64_t there = units_of(bytes);
    uint64_t coming;

    do {
        coming = units(in_flight);
        coming = coming > there ? coming - there : 0; /* a child has forgotten it */
    } while (!change_in_flight(&in_flight, coming));
}

void al_headroom_hold_back(uint64_t (*bytes)(void))
{
    __atomic_store_n(&headroom.held_back, bytes, __ATOMIC_RELEASE);
}

void al_headroom_forked(void)
{
    store(&headroom.in_flight, 0);
    __atomic_store_n(&headroom.credit, 0, __ATOMIC_RELAXED); /* it is the parent's */
}

bool al_headroom_has_later(uint64_t bytes)
{
    return !is_on() || (bytes <= UINT64_MAX / LATER && al_headroom_has(bytes * LATER));
}

void al_headroom_spare(bool on)
{
    __atomic_store_n(&headroom.spare, on, __ATOMIC_RELAXED);
}

bool al_headroom_spares(uint64_t bytes, enum al_headroom_part part)
{
    uint64_t spared = load(&headroom.most) / SPARED;
    uint64_t wanted = bytes * part > bytes + spared ? bytes * part : bytes + spared;
    uint64_t left;

    if (!__atomic_load_n(&headroom.spare, __ATOMIC_RELAXED))
        return true;
    if (bytes >= AL_HEADROOM_LARGE && bytes > al_machine_available() / 10 * 9)
        return false;
    if (!is_on() || headroom.swaps)
        return true;
    return bytes <= load(&headroom.most) && !was_full(wanted) &&
           sees(wanted, load(&headroom.in_flight), &left);
}

bool al_headroom_swaps(void)
{
    return is_on() && headroom.swaps;
}

size_t al_headroom_share(size_t most)
{
    uint64_t share = load(&headroom.left) / SHARE;

    if (!is_on() || share >= most)
        return most;
    return share > share_least ? (size_t)share : (size_t)share_least;
}
