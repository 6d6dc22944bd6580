#include "room_hooks.h"

#include "backend.h"
#include "bring_in.h"
#include "flight.h"
#include "hold.h"
#include "kernel.h"
#include "page_sample.h"
#include "sys.h"

static const char full[] = "memory has grown up to the budget: each region is locked by itself "
                           "now, as long as there is room";

/* Whether only what is touched of it is to be there, and locked: the most of a thread's stack never
 * is. What grows is brought in as what it was (apart). */
static bool touched_alone(const struct al_adding *adding)
{
    if (adding->stack)
        return al_room_is_too_much(adding->length, AL_HEADROOM_STACK);
    return (adding->apart || adding->spared) &&
           al_room_is_too_much(adding->length, AL_HEADROOM_REGION);
}

static struct al_added judge(const struct al_adding *adding, bool large)
{
    struct al_added added = {.how = AL_ADD_AS_EVER};
    bool worth = adding->anonymous && al_bring_in_is_worth(adding->length);
    bool parts = worth || (adding->apart && large);
    bool too_much = touched_alone(adding);
    bool fits;

    if (too_much) {
        added.how =
            !adding->file && al_room_fits(adding->length) ? AL_ADD_ON_FAULT : AL_ADD_UNLOCKED;
        return added;
    }
    if (adding->sparse && al_room_limited()) {
        added.how = al_room_has(adding->length) ? AL_ADD_ON_FAULT : AL_ADD_UNLOCKED;
        return added;
    }
    /* Of what is brought in by us each part is held by itself. */
    fits = parts ? al_room_fits(adding->length) : al_room_fits_at_once(adding->length, &added.held);
    if (!fits || ((adding->file || al_headroom_swaps()) && !al_room_brings_in() &&
                  !al_headroom_has_later(adding->length)))
        added.how = AL_ADD_UNLOCKED;
    else if (worth)
        added.how = AL_ADD_BY_US;
    else if (parts)
        added.how = AL_ADD_IN_PARTS;
    return added;
}

static bool is_large_on_fault(size_t length)
{
    return length >= AL_ROOM_CHUNK && al_room_in_force() && !al_room_brings_in();
}

static struct al_added begin(struct al_adding adding, bool hold)
{
    struct al_added added = {.how = AL_ADD_AS_EVER};
    bool large;

    if (!al_room_in_force() || !adding.length)
        return added;
    large = al_room_is_large(adding.length);
    if (hold && large)
        al_hold_begin();
    added = judge(&adding, large);
    if (added.how == AL_ADD_UNLOCKED && adding.length < AL_ROOM_CHUNK) {
        (void)al_backend_step_down(full);
        added.how = AL_ADD_AS_EVER;
    }
    /* While a library is loaded, say, the kernel does not bring it in. */
    if (added.how == AL_ADD_AS_EVER && adding.apart && al_room_brings_in() && al_room_is_open())
        added.how = AL_ADD_IN_PARTS;
    if (added.how == AL_ADD_UNLOCKED)
        al_count(AL_COUNT_skipped_budget);
    added.flies = added.how != AL_ADD_AS_EVER || is_large_on_fault(adding.length);
    added.waits = hold && (added.flies || added.held);
    if (added.waits)
        al_hold_begin();
    if (hold && large)
        al_hold_end();
    if (added.how != AL_ADD_AS_EVER)
        (void)al_room_open();
    if (added.flies)
        al_flight_begin();
    return added;
}

struct al_added al_adding_begin(struct al_adding adding)
{
    return begin(adding, false);
}

struct al_added al_adding_begin_held(struct al_adding adding)
{
    return begin(adding, true);
}

struct al_added al_opening_begin_held(void *start, size_t length)
{
    struct al_added added = {.how = AL_ADD_AS_EVER};
    bool large = al_room_is_large(length);

    /* To leave out many small pieces would be to cut the program's memory into as many mappings. */
    if (length && length < AL_ROOM_CHUNK) {
        if (al_room_limited() && al_room_brings_in() && !al_room_fits(length) &&
            !al_page_sample_own(start, length))
            (void)al_backend_step_down(full);
        return added;
    }
    if (large)
        al_hold_begin();
    added.held = al_room_opening(start, length);
    added.waits = added.held;
    if (added.waits)
        al_hold_begin();
    if (large)
        al_hold_end();
    return added;
}

/*
 * The kernel has locked it on fault: asked again, it locks the pages that are there by now, and
 * brings in those that are not. Of a large one each part only if there is still room for it.
 * `least`: what is worth a part of its own, where there is room for several, as other processes of
 * the cgroup see the same room. Returns how much of it is there.
 */
static size_t bring_in(char *start, size_t length, size_t least, bool by_us)
{
    enum { SEVERAL = 8 };
    const size_t mask = al_page_size() - 1;
    size_t done = 0;

    while (done < length) {
        const size_t share = al_headroom_share(length);
        size_t part = share < least && share >= least / SEVERAL ? least : share & ~mask;

        /* Less than a page is not parted. */
        if (!part || part >= length - done)
            part = length - done;
        if (!al_headroom_take(part)) {
            al_count(AL_COUNT_skipped_budget);
            break;
        }
        if (by_us)
            al_bring_in(start + done, part, false);
        (void)al_kernel_mlock2(start + done, part, 0);
        al_headroom_taken(part);
        done += part;
    }
    return done;
}

/* The rest is not locked then. */
static void bring_in_or_leave_out(char *start, size_t length, size_t least, bool by_us)
{
    size_t done = bring_in(start, length, least, by_us);

    if (done < length)
        al_room_leave_out(start + done, length - done);
}

void al_adding_end(struct al_added added, void *start, size_t length)
{
    if (added.held)
        al_headroom_taken(added.held);
    if (added.how == AL_ADD_UNLOCKED && start)
        al_room_leave_out(start, length);
    if (added.flies)
        al_flight_end();
    if (added.how == AL_ADD_AS_EVER)
        return;
    al_room_close();
    if (!start || !al_room_in_force())
        return;
    if (added.how == AL_ADD_BY_US && !al_room_brings_in())
        al_bring_in(start, length, true);
    else if (added.how == AL_ADD_BY_US)
        bring_in_or_leave_out(start, length, AL_BRING_IN_LEAST, true);
    else if (added.how == AL_ADD_IN_PARTS)
        bring_in_or_leave_out(start, length, al_page_size(), false);
}

void al_adding_late(void *start, size_t length)
{
    const bool too_much = al_room_is_too_much(length, AL_HEADROOM_REGION);

    if (al_room_fits(length)) {
        if (!too_much)
            bring_in_or_leave_out(start, length, al_page_size(), false);
    } else if (!al_page_sample_mapped(start, length)) {
        al_count(AL_COUNT_skipped_budget);
        al_room_leave_out(start, length);
    }
}

void al_adding_late_of_others(void *start, size_t length)
{
    if (!al_room_is_too_much(length, AL_HEADROOM_REGION) && al_room_fits(length))
        (void)bring_in(start, length, al_page_size(), false);
}

void al_adding_end_held(struct al_added added, void *start, size_t length)
{
    al_adding_end(added, start, length);
    if (added.waits)
        al_hold_end();
}
