#include "room_hooks.h"

#include "backend.h"

enum al_added al_adding_begin(struct al_adding adding)
{
    enum al_added added = AL_ADD_AS_EVER;

    if (!al_room_limited() || !adding.length)
        return AL_ADD_AS_EVER;
    if (adding.sparse)
        added = al_room_has(adding.length) ? AL_ADD_ON_FAULT : AL_ADD_UNLOCKED;
    else if (!al_room_fits(adding.length))
        added = AL_ADD_UNLOCKED;
    if (added == AL_ADD_UNLOCKED && adding.length < AL_ROOM_CHUNK) {
        (void)al_backend_step_down("memory has grown up to the budget: each region is locked by "
                                   "itself now, as long as there is room");
        return AL_ADD_AS_EVER;
    }
    if (added == AL_ADD_UNLOCKED)
        al_count(AL_COUNT_skipped_budget);
    if (added != AL_ADD_AS_EVER)
        al_room_open();
    return added;
}

void al_adding_end(enum al_added added, void *start, size_t length)
{
    if (added == AL_ADD_AS_EVER)
        return;
    al_room_close();
    if (added == AL_ADD_UNLOCKED && start)
        al_room_leave_out(start, length);
}
