#include "room_hooks.h"

#include "backend.h"
#include "bring_in.h"
#include "kernel.h"

static enum al_added judge(const struct al_adding *adding)
{
    if (adding->sparse)
        return al_room_has(adding->length) ? AL_ADD_ON_FAULT : AL_ADD_UNLOCKED;
    return al_room_fits(adding->length) ? AL_ADD_AS_EVER : AL_ADD_UNLOCKED;
}

enum al_added al_adding_begin(struct al_adding adding)
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
    if (added == AL_ADD_AS_EVER && adding.anonymous && al_bring_in_is_worth(adding.length))
        added = AL_ADD_BY_US;
    if (added != AL_ADD_AS_EVER)
        al_room_open();
    return added;
}

/* The kernel has locked it on fault: asked again, it locks the pages that are there by now, and
 * brings in those that are not. */
static void bring_in(void *start, size_t length)
{
    bool on_fault = !al_room_brings_in();

    al_bring_in(start, length, on_fault);
    if (!on_fault)
        (void)al_kernel_mlock2(start, length, 0);
}

void al_adding_end(enum al_added added, void *start, size_t length)
{
    if (added == AL_ADD_AS_EVER)
        return;
    al_room_close();
    if (added == AL_ADD_UNLOCKED && start)
        al_room_leave_out(start, length);
    if (added == AL_ADD_BY_US && start && al_room_in_force())
        bring_in(start, length);
}
