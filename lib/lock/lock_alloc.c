#include "lock_alloc.h"

#include "existing.h"
#include "io.h"
#include "kernel.h"
#include "locker.h"
#include "object.h"
#include "parse.h"
#include "regions.h"
#include "relock.h"
#include "sys.h"

#include <link.h>
#include <string.h>
#include <sys/auxv.h>

/* What Linux has unless it is set otherwise (DEFAULT_MAX_MAP_COUNT). */
enum { MAP_COUNT_DEFAULT = 65530 };

/* The part of the kernel's mappings that our runs of pages may take: two mappings a run. */
enum { RUNS_SHARE = 8 };

/* Under a smaller budget the page map's own tables would take too great a part of it. */
static const uint64_t TABLES_BUDGET = (uint64_t)16 << 20;

static uint64_t number_in(const char *path, uint64_t otherwise)
{
    char text[32];
    uint64_t value;

    if (al_io_read_file(path, text, sizeof(text)) <= 0)
        return otherwise;
    text[strcspn(text, "\n")] = '\0';
    return al_parse_size(text, 0, UINT64_MAX, &value) == 0 ? value : otherwise;
}

static bool has_room(uint64_t pages)
{
    return pages <= al_books_left();
}

static void set_limits(bool exempt, uint64_t budget_bytes)
{
    al_pagemap_has_room = has_room;
    al_books.unlimited = exempt || al_books.observe;
    al_books.by_parts = !al_books.unlimited;
    al_books.budget_pages = al_books.observe ? UINT64_MAX / 2 : budget_bytes >> al_page_shift;
}

int al_lock_alloc_start(const struct al_alloc_start *start, const struct al_allocator *allocator)
{
    struct al_allocator known = *allocator;
    struct al_existing existing = {
        .take = start->policy.flags & AL_FLAG_CURRENT, .late = start->late, .kept = start->kept};
    const bool heap = start->policy.kinds & AL_KIND_HEAP && start->policy.flags & AL_FLAG_FUTURE;
    int error;

    al_books.observe = start->observe;
    al_books.policy = start->policy;
    al_books.lock_flags = start->policy.flags & AL_FLAG_ONFAULT ? AL_MLOCK_ONFAULT : 0;
    al_books.in_vain = 0;
    set_limits(start->exempt, start->budget_bytes);
    al_pagemap_init(start->exempt && !start->observe && start->budget_bytes >= TABLES_BUDGET);
    if (start->late)
        al_pagemap_lock_tables(); /* those that say what the program has locked */
    al_books.runs_max = number_in("/proc/sys/vm/max_map_count", MAP_COUNT_DEFAULT) / RUNS_SHARE;
    /* With strict overcommit glibc gives back parts of a thread arena's heap, unseen. */
    if (number_in("/proc/sys/vm/overcommit_memory", 2) == 2)
        known.keeps_used_heaps = false;

    /* Late, what appears meanwhile must not be missed: it is told first, and judged twice. */
    if (start->late && heap)
        al_heap_owner_start(&known, al_existing_main_heap(), start->several_threads);
    al_books.tracking = start->late && start->policy.flags & AL_FLAG_FUTURE;
    if (start->late && start->began)
        start->began();
    error = al_existing_lock(&existing);
    al_books.tracking = start->policy.flags & AL_FLAG_FUTURE;
    if (!start->late && heap)
        al_heap_owner_start(&known, existing.main_start, start->several_threads);
    if (start->late && al_locker_enter()) {
        al_heap_owner_anew();
        al_locker_leave();
    }
    return error;
}

int al_lock_alloc_again(bool on_fault, bool exempt, uint64_t budget_bytes)
{
    bool was_unlimited = al_books.unlimited;
    unsigned flags = on_fault ? AL_MLOCK_ONFAULT : al_books.lock_flags;
    int error;

    /* Whoever held the gate is not in this process. */
    al_gate_reset(&al_books.gate);
    set_limits(exempt, budget_bytes);
    (void)al_locker_enter();
    al_pagemap_lock_tables();
    /* Locked in part it would be two mappings. */
    if (al_books.unlimited && al_books.policy.kinds & AL_KIND_STACK)
        al_existing_follow_stack();
    error = al_relock(flags, was_unlimited && !al_books.unlimited);
    al_heap_owner_anew();
    al_locker_leave();
    return error;
}

void al_lock_alloc_limited(void)
{
    al_books.unlimited = false;
    al_books.by_parts = true;
    al_existing_let_stack_grow();
}

void al_lock_alloc_stop(void)
{
    al_books.tracking = false;
    al_heap_owner.on = false;
    al_gate_reset(&al_books.gate);
}

/* -- images --------------------------------------------------------------------------------- */

/* As the books have it. Another thread may have unmapped a library, and not have come to tell them,
 * when this one was mapped in its place. */
static bool is_locked_still(uintptr_t start, uint32_t word)
{
    return al_books.observe || !(word & AL_PAGE_LOCKED) ||
           al_kernel_ask((void *)start, al_page_size()) == -EBUSY;
}

static int judge_image(struct dl_phdr_info *info, size_t size, void *data)
{
    size_t mask = al_page_size() - 1;

    (void)size;
    (void)data;
    /* The kernel's own: it says that it has locked it, and has not. */
    if (al_object_is_kernels(info))
        return 0;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t start = (info->dlpi_addr + segment->p_vaddr) & ~mask;
        uintptr_t end = (info->dlpi_addr + segment->p_vaddr + segment->p_memsz + mask) & ~mask;
        uint32_t word;

        if (segment->p_type != PT_LOAD)
            continue;
        word = al_pagemap_get(al_page_of((void *)start));
        /* Once each, also if it did not qualify. What else is known here is of what was unmapped
         * unseen. */
        if (!(word & AL_PAGE_SEGMENT) &&
            (al_word_kind(word) != AL_KIND_IMAGE || !is_locked_still(start, word)))
            al_region_mapped((void *)start, end - start, AL_KIND_IMAGE, true);
    }
    return 0;
}

bool al_lock_alloc_wants_images(void)
{
    return al_books.tracking && al_books.policy.kinds & AL_KIND_IMAGE;
}

static const uint32_t image_mask = AL_PAGE_KIND_MASK | AL_PAGE_SEGMENT;

static bool is_image(uint32_t word)
{
    return word & AL_PAGE_SEGMENT || (word & image_mask) == AL_KIND_IMAGE << AL_PAGE_KIND_SHIFT;
}

/* Unless another thread has mapped something else there meanwhile. */
static void forget_image(al_page page)
{
    if (!al_locker_enter_mapping())
        return;
    if (is_image(al_pagemap_get(page)))
        (void)al_books_change(page, page + 1, ~0U, 0, AL_EXCLUSIVE);
    al_locker_leave();
}

/* Forgets what of [page, end), known as image, is in no segment any more. */
static void forget_gone(al_page page, al_page end)
{
    while (page < end) {
        uintptr_t segment_end = al_existing_image_end((uintptr_t)al_page_address(page));

        if (segment_end) {
            page = al_page_of((void *)segment_end);
            continue;
        }
        forget_image(page);
        page++;
    }
    al_locker_trim(); /* with less locked, fewer may be without an owner */
}

static void forget_gone_images(void)
{
    al_page page = 0;

    while ((page = al_pagemap_skip(page, AL_PAGE_END)) < AL_PAGE_END) {
        struct al_stretch stretch = al_pagemap_next(page, AL_PAGE_END, image_mask);

        if (is_image(stretch.value))
            forget_gone(page, stretch.end);
        page = stretch.end;
    }
}

void al_lock_alloc_images(void)
{
    if (!al_lock_alloc_wants_images())
        return;
    forget_gone_images();
    (void)dl_iterate_phdr(judge_image, NULL);
}

/* -- figures -------------------------------------------------------------------------------- */

static void add_stretch(struct al_lock_alloc_figures *figures, const struct al_stretch *stretch,
                        unsigned *last_kind)
{
    uint64_t bytes = (stretch->end - stretch->first) << al_page_shift;
    unsigned kind = al_word_kind(stretch->value);
    struct al_kind_figures *figure;

    if (!(stretch->value & AL_PAGE_MAPPED))
        kind = stretch->value & AL_PAGE_OWNERS ? AL_KIND_HEAP : 0;
    if (!kind) {
        *last_kind = 0;
        return;
    }
    figures->qualifying_bytes += bytes;
    figure = &figures->kind[__builtin_ctz(kind)];
    if (stretch->value & AL_PAGE_MAPPED) {
        figure->mapped_bytes += bytes;
        figure->runs += kind != *last_kind;
    }
    if (stretch->value & AL_PAGE_LOCKED)
        figure->locked_bytes += bytes;
    *last_kind = stretch->value & AL_PAGE_MAPPED ? kind : 0;
}

void al_lock_alloc_figures(struct al_lock_alloc_figures *ret_figures)
{
    unsigned last_kind = 0;
    al_page last_end = 0;
    al_page page = 0;

    /* Nobody has told of what the heap gave back since the last allocation. */
    if (al_heap_owner.on && !al_books.several_threads)
        al_heap_look();
    memset(ret_figures, 0, sizeof(*ret_figures));
    while ((page = al_pagemap_skip(page, AL_PAGE_END)) < AL_PAGE_END) {
        al_page end = (page / AL_LEAF_PAGES + 1) * AL_LEAF_PAGES;

        while (page < end) {
            struct al_stretch stretch = al_pagemap_next(page, end, ~0U);

            if (stretch.first != last_end)
                last_kind = 0;
            last_end = stretch.end;
            add_stretch(ret_figures, &stretch, &last_kind);
            page = stretch.end;
        }
    }
    ret_figures->tracked_bytes = al_books.locked_pages << al_page_shift;
    ret_figures->peak_bytes = al_books.peak_pages << al_page_shift;
    ret_figures->total_bytes = al_books.total_pages << al_page_shift;
    ret_figures->runs = al_books.runs > 0 ? (uint64_t)al_books.runs : 0;
}
