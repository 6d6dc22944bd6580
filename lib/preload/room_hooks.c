#include "room_hooks.h"

#include "backend.h"
#include "bring_in.h"
#include "headroom.h"
#include "hold.h"
#include "kernel.h"
#include "sys.h"

static enum al_added judge(const struct al_adding *adding)
{
    bool brings_in = al_room_brings_in();

    if (adding->sparse)
        return al_room_has(adding->length) ? AL_ADD_ON_FAULT : AL_ADD_UNLOCKED;
    if (!al_room_fits(adding->length) ||
        (adding->file && !brings_in && !al_headroom_has_later(adding->length)))
        return AL_ADD_UNLOCKED;
    return adding->apart && brings_in && adding->length > al_headroom_share(SIZE_MAX)
               ? AL_ADD_IN_PARTS
               : AL_ADD_AS_EVER;
}

static enum al_added begin(struct al_adding adding, bool hold)
{
    enum al_added added = AL_ADD_AS_EVER;

    if (!al_room_in_force() || !adding.length)
        return AL_ADD_AS_EVER;
    if (al_room_limited())
        added = judge(&adding);
    if (added == AL_ADD_UNLOCKED && adding.length < AL_ROOM_CHUNK) {
        (void)al_backend_step_down("memory has grown up to the budget: each region is locked by "
                                   "itself now, as long as there is room");
        return AL_ADD_AS_EVER;
    }
    if (added == AL_ADD_UNLOCKED)
        al_count(AL_COUNT_skipped_budget);
    if ((added == AL_ADD_AS_EVER || added == AL_ADD_IN_PARTS) && adding.anonymous &&
        al_bring_in_is_worth(adding.length))
        added = AL_ADD_BY_US;
    if (added == AL_ADD_AS_EVER)
        return added;
    if (hold)
        al_hold_begin();
    al_room_open();
    return added;
}

enum al_added al_adding_begin(struct al_adding adding)
{
    return begin(adding, false);
}

enum al_added al_adding_begin_held(struct al_adding adding)
{
    return begin(adding, true);
}

/*
 * The kernel has locked it on fault: asked again, it locks the pages that are there by now, and
 * brings in those that are not. Of a large one each part only if there is still room for it; the
 * rest is not locked then. `least`: what is worth a part of its own.
 */
static void bring_in(char *start, size_t length, size_t least, bool by_us)
{
    const size_t mask = al_page_size() - 1;
    char *end = start + length;

    while (start < end) {
        size_t part = al_headroom_share(length) & ~mask;

        part = part > least ? part : least;
        if (part >= (size_t)(end - start))
            part = (size_t)(end - start);
        if (!al_headroom_take(part)) {
            al_count(AL_COUNT_skipped_budget);
            al_room_leave_out(start, (size_t)(end - start));
            return;
        }
        if (by_us)
            al_bring_in(start, part, false);
        (void)al_kernel_mlock2(start, part, 0);
        al_headroom_taken(part);
        start += part;
    }
}

void al_adding_end(enum al_added added, void *start, size_t length)
{
    if (added == AL_ADD_AS_EVER)
        return;
    al_room_close();
    if (added == AL_ADD_UNLOCKED && start)
        al_room_leave_out(start, length);
    if (!start || !al_room_in_force())
        return;
    if (added == AL_ADD_BY_US && !al_room_brings_in())
        al_bring_in(start, length, true);
    else if (added == AL_ADD_BY_US)
        bring_in(start, length, AL_BRING_IN_LEAST, true);
    else if (added == AL_ADD_IN_PARTS)
        bring_in(start, length, al_page_size(), false);
}

void al_adding_end_held(enum al_added added, void *start, size_t length)
{
    if (added == AL_ADD_AS_EVER)
        return;
    al_adding_end(added, start, length);
    al_hold_end();
}
