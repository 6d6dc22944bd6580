#include "room.h"

#include "gate.h"
#include "headroom.h"
#include "io.h"
#include "kernel.h"
#include "sys.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

/* How much of what is left may be taken until it is measured again: 1/8. */
enum { CREDIT_SHARE = 8 };

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
} room;

void al_room_begin_asking(unsigned flags, uint64_t budget, uint64_t (*ask)(void))
{
    room.flags = flags;
    room.budget = budget;
    room.ask = ask;
    /* What it allocated before, if only libc for us, was without bounds. */
    if (al_thread_counts)
        al_thread_counts->part[AL_PART_ROOM] = 0;
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
    __atomic_store_n(&room.limited, false, __ATOMIC_RELEASE);
    __atomic_store_n(&room.in_force, false, __ATOMIC_RELEASE);
}

/*
 * Who is opening or closing it at this moment has asked the kernel before; who asks for room is
 * answered as long as the kernel goes on.
 */
void al_room_end(void (*end)(void *), void *data)
{
    bool entered = al_gate_enter_undisturbed(&room.gate);

    if (end)
        end(data);
    al_room_stop();
    if (!entered)
        return;
    room.open = 0;
    al_gate_leave(&room.gate);
}

void al_room_forked(void)
{
    al_headroom_forked();
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

bool al_room_fits(uint64_t bytes)
{
    int64_t left;

    if (!al_room_limited())
        return true;
    if (!al_headroom_has(bytes))
        return false;
    if (take_credit(bytes))
        return true;
    left = left_after(bytes);
    if (left < 0)
        return false;
    __atomic_store_n(&room.credit, left / CREDIT_SHARE, __ATOMIC_RELAXED);
    return true;
}

bool al_room_renew(struct al_counts *counts, size_t size)
{
    uint64_t *left = &counts->part[AL_PART_ROOM];
    size_t chunk;

    if (!al_room_limited()) {
        *left = UINT64_MAX;
        return true;
    }
    *left = 0;
    chunk = al_headroom_share(AL_ROOM_CHUNK);
    if (size >= chunk)
        return al_room_fits(size);
    if (!al_room_fits(chunk))
        return false;
    *left = chunk - size;
    return true;
}

/* -- what does not fit ---------------------------------------------------------------------- */

void al_room_open(void)
{
    if (!al_gate_enter_undisturbed(&room.gate))
        return;
    /* It may have ended since the caller asked for room. */
    if (al_room_in_force() && !room.open++)
        (void)al_kernel_mlockall(AL_MCL_FUTURE | AL_MCL_ONFAULT);
    al_gate_leave(&room.gate);
}

void al_room_close(void)
{
    if (!al_gate_enter_undisturbed(&room.gate))
        return;
    if (room.open && !--room.open && al_room_in_force())
        (void)al_kernel_mlockall(AL_MCL_FUTURE | (room.flags & AL_MCL_ONFAULT));
    al_gate_leave(&room.gate);
}

void al_room_unlocked(void)
{
    __atomic_store_n(&room.broken, true, __ATOMIC_RELEASE);
}

bool al_room_is_whole(void)
{
    return room.flags & AL_MCL_CURRENT && !__atomic_load_n(&room.broken, __ATOMIC_ACQUIRE);
}

void al_room_leave_out(void *start, size_t length)
{
    size_t mask = al_page_size() - 1;
    uintptr_t first = ((uintptr_t)start + mask) & ~mask;
    uintptr_t end = ((uintptr_t)start + length) & ~mask;

    if (first >= end)
        return;
    al_room_unlocked();
    (void)al_kernel_munlock((void *)first, end - first);
}

/* Whether most of the range is in memory: a few pages are looked at. */
static bool is_there(void *start, size_t length)
{
    enum { LOOKS = 16 };
    size_t page = al_page_size();
    size_t pages = length / page;
    unsigned there = 0;

    for (unsigned i = 0; i < LOOKS; i++) {
        unsigned char state = 0;
        char *at = (char *)start + pages * i / LOOKS * page;

        if (al_sys3(SYS_mincore, at, page, &state) == 0)
            there += state & 1;
    }
    return there > LOOKS / 2;
}

void al_room_opening(void *start, size_t length)
{
    if (length < AL_ROOM_CHUNK || !al_room_limited() || al_room_fits(length) ||
        is_there(start, length))
        return;
    al_count(AL_COUNT_skipped_budget);
    al_room_leave_out(start, length);
}
