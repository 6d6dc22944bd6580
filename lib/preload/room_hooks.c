#include "room_hooks.h"

#include "backend.h"
#include "bring_in.h"
#include "headroom.h"
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
    if ((added == AL_ADD_AS_EVER || added == AL_ADD_IN_PARTS) && adding.anonymous &&
        al_bring_in_is_worth(adding.length))
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

/* Each part only if there is still room for it; the rest is not locked then. */
static void bring_in_parts(char *start, size_t length)
{
    const size_t mask = al_page_size() - 1;
    char *end = start + length;

    while (start < end) {
        size_t part = al_headroom_share(SIZE_MAX) & ~mask;

        if (part > (size_t)(end - start))
            part = (size_t)(end - start);
        if (!al_headroom_has(part)) {
            al_count(AL_COUNT_skipped_budget);
            al_room_leave_out(start, (size_t)(end - start));
            return;
        }
        (void)al_kernel_mlock2(start, part, 0);
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
    if (added == AL_ADD_BY_US && start && al_room_in_force())
        bring_in(start, length);
    if (added == AL_ADD_IN_PARTS && start && al_room_in_force())
        bring_in_parts(start, length);
}
