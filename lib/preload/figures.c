#include "figures.h"

#include "lock_alloc.h"
#include "process.h"

void al_figures_fill(uint64_t field[AL_FIELD_TOTAL])
{
    /* The rows of the kinds follow each other in the order of enum al_kinds. */
    static const struct {
        enum al_field requested;
        enum al_field locked;
        enum al_field regions;
    } rows[] = {
#define AL_KIND_ROW(kind)                                                                          \
    {AL_FIELD_by_kind_##kind##_requested_bytes, AL_FIELD_by_kind_##kind##_locked_bytes,            \
     AL_FIELD_by_kind_##kind##_regions}
        AL_KIND_ROW(heap),   AL_KIND_ROW(anon),  AL_KIND_ROW(file),
        AL_KIND_ROW(shared), AL_KIND_ROW(stack), AL_KIND_ROW(image)};
    const struct al_config *config = al_process.run.config;
    struct al_lock_alloc_figures figures;
    bool observe = config->mode == AL_MODE_OBSERVE;
    uint64_t policy =
        1 << AL_OPTION_ID_KINDS | 1 << AL_OPTION_ID_MIN_SIZE | 1 << AL_OPTION_ID_MAX_SIZE;

    al_lock_alloc_figures(&figures);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        field[rows[i].locked] = observe ? 0 : figures.kind[i].locked_bytes;
        /* Blocks are counted one by one, also those on pages that are owned as a whole. */
        if (rows[i].requested == AL_FIELD_by_kind_heap_requested_bytes)
            continue;
        field[rows[i].requested] = figures.kind[i].mapped_bytes;
        field[rows[i].regions] = figures.kind[i].runs;
    }
    /* Modes all and observe ask for all, unless observe is given a policy: then for that. */
    if (config->mode == AL_MODE_ALLOC || (observe && config->given & policy))
        field[AL_FIELD_need_memlock_bytes] = figures.qualifying_bytes > figures.peak_bytes
                                                 ? figures.qualifying_bytes
                                                 : figures.peak_bytes;
    if (observe)
        return;
    field[AL_FIELD_locked_tracked_bytes] = figures.tracked_bytes;
    field[AL_FIELD_locked_peak_tracked_bytes] = figures.peak_bytes;
    field[AL_FIELD_locked_total_bytes] = figures.total_bytes;
    field[AL_FIELD_locked_regions] = figures.runs;
}
