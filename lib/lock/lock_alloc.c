#include "lock_alloc.h"

#include "counters.h"
#include "io.h"
#include "kernel.h"
#include "locker.h"
#include "maps.h"
#include "parse.h"
#include "regions.h"
#include "relock.h"
#include "sys.h"

#include <link.h>
#include <string.h>

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

/* -- what exists at the start --------------------------------------------------------------- */

struct current {
    unsigned flags;
    uintptr_t main_start;
    int error;
};

struct segment_query {
    uintptr_t address;
    bool found;
};

static int in_segment(struct dl_phdr_info *info, size_t size, void *data)
{
    struct segment_query *query = data;
    size_t mask = al_page_size() - 1;

    (void)size;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + segment->p_vaddr;

        if (segment->p_type != PT_LOAD)
            continue;
        if (query->address >= (start & ~mask) &&
            query->address < ((start + segment->p_memsz + mask) & ~mask)) {
            query->found = true;
            return 1;
        }
    }
    return 0;
}

/* Whether the address lies in a segment of the program or one of its libraries. */
static bool is_image(uintptr_t address)
{
    struct segment_query query = {.address = address};

    (void)dl_iterate_phdr(in_segment, &query);
    return query.found;
}

static unsigned kind_of_mapping(const struct al_mapping *mapping)
{
    unsigned kind = al_mapping_kind(mapping);

    if (kind == AL_KIND_HEAP || kind == AL_KIND_STACK)
        return kind;
    return is_image(mapping->start) ? AL_KIND_IMAGE : kind;
}

/* Mappings that the kernel itself put there cannot be locked and need not be. */
static bool is_kernels(const struct al_mapping *mapping)
{
    return strncmp(mapping->name, "[v", 2) == 0;
}

static bool judge_existing(const struct al_mapping *mapping, void *data)
{
    struct current *current = data;
    al_page first = al_page_of((void *)mapping->start);
    al_page end = al_page_of((void *)mapping->end);
    bool accessible = mapping->readable || mapping->writable || mapping->executable;
    unsigned kind;
    uint32_t word = 0;
    bool take;

    if (is_kernels(mapping) || end > AL_PAGE_END)
        return true;
    /* A locked stack that grows past the limit is a SIGSEGV. */
    if (!al_books.unlimited && strcmp(mapping->name, "[stack]") == 0) {
        if (al_books.policy.kinds & AL_KIND_STACK)
            al_count(AL_COUNT_skipped_budget);
        return true;
    }
    kind = kind_of_mapping(mapping);
    if (kind == AL_KIND_HEAP && !current->main_start)
        current->main_start = mapping->start;
    /* Blocks from before us may lie on these pages; images are judged once. */
    if (kind == AL_KIND_HEAP || kind == AL_KIND_ANON || kind == AL_KIND_IMAGE)
        word = AL_PAGE_EARLIER;
    take = current->flags & AL_FLAG_CURRENT;
    switch (al_policy_judge(&al_books.policy, kind, mapping->end - mapping->start, accessible)) {
    case AL_TAKE:
        word |= take ? kind << AL_PAGE_KIND_SHIFT | AL_PAGE_MAPPED : 0;
        break;
    case AL_SKIP_INACCESSIBLE:
        word = kind << AL_PAGE_KIND_SHIFT | AL_PAGE_CLOSED;
        take = false;
        break;
    default:
        take = false;
        break;
    }
    if (word && al_locker_enter()) {
        (void)al_books_change(first, end, ~0U, word, AL_EXCLUSIVE);
        al_locker_leave();
    }
    if (take) {
        int error = al_locker_lock(first, end);

        if (error && !current->error)
            current->error = error;
    }
    return true;
}

int al_lock_alloc_start(const struct al_config *config, const struct al_privilege *privilege,
                        const struct al_budget *budget, const struct al_allocator *allocator,
                        bool several_threads)
{
    struct current current = {.flags = config->flags};
    struct al_allocator known = *allocator;
    int error;

    al_books.observe = config->mode == AL_MODE_OBSERVE;
    al_books.policy = (struct al_policy){.kinds = config->kinds,
                                         .flags = config->flags,
                                         .min_size = config->min_size,
                                         .max_size = config->max_size};
    al_books.lock_flags = config->flags & AL_FLAG_ONFAULT ? AL_MLOCK_ONFAULT : 0;
    al_pagemap_init(privilege->exempt && !al_books.observe && budget->bytes >= TABLES_BUDGET);
    al_books.budget_pages = al_books.observe ? UINT64_MAX / 2 : budget->bytes >> al_page_shift;
    al_books.runs_max = number_in("/proc/sys/vm/max_map_count", MAP_COUNT_DEFAULT) / RUNS_SHARE;
    /* With strict overcommit glibc gives back parts of a thread arena's heap, unseen. */
    if (number_in("/proc/sys/vm/overcommit_memory", 2) == 2)
        known.keeps_used_heaps = false;

    error = al_maps_each(judge_existing, &current);
    al_books.tracking = config->flags & AL_FLAG_FUTURE;
    if (al_books.tracking && config->kinds & AL_KIND_HEAP)
        al_heap_owner_start(&known, current.main_start, several_threads);
    return error ? error : current.error;
}

int al_lock_alloc_again(bool on_fault, const struct al_privilege *privilege)
{
    bool was_unlimited = al_books.unlimited;
    unsigned flags = on_fault ? AL_MLOCK_ONFAULT : al_books.lock_flags;
    int error;

    /* Whoever held the gate is not in this process. */
    al_gate_reset(&al_books.gate);
    al_books.unlimited = privilege->exempt || al_books.observe;
    (void)al_locker_enter();
    al_pagemap_lock_tables();
    error = al_relock(flags, was_unlimited && !al_books.unlimited);
    al_heap_owner_forked();
    al_locker_leave();
    return error;
}

void al_lock_alloc_stop(void)
{
    al_books.tracking = false;
    al_heap_owner.on = false;
    al_gate_reset(&al_books.gate);
}

/* -- images --------------------------------------------------------------------------------- */

static int judge_image(struct dl_phdr_info *info, size_t size, void *data)
{
    size_t mask = al_page_size() - 1;

    (void)size;
    (void)data;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t start = (info->dlpi_addr + segment->p_vaddr) & ~mask;
        uintptr_t end = (info->dlpi_addr + segment->p_vaddr + segment->p_memsz + mask) & ~mask;
        uint32_t word;

        if (segment->p_type != PT_LOAD)
            continue;
        word = al_pagemap_get(al_page_of((void *)start));
        if (!(word & (AL_PAGE_MAPPED | AL_PAGE_EARLIER)))
            al_region_mapped((void *)start, end - start, AL_KIND_IMAGE, true);
    }
    return 0;
}

bool al_lock_alloc_wants_images(void)
{
    return al_books.tracking && al_books.policy.kinds & AL_KIND_IMAGE;
}

static void forget_gone_images(void)
{
    const uint32_t mask = AL_PAGE_KIND_MASK | AL_PAGE_MAPPED;
    const uint32_t image = AL_KIND_IMAGE << AL_PAGE_KIND_SHIFT | AL_PAGE_MAPPED;
    al_page page = 0;

    while ((page = al_pagemap_skip(page, AL_PAGE_END)) < AL_PAGE_END) {
        struct al_stretch stretch = al_pagemap_next(page, AL_PAGE_END, mask);

        /* Libraries lie page by page beside each other: each page is asked for by itself. */
        for (; (stretch.value & mask) == image && page < stretch.end; page++)
            if (!is_image((uintptr_t)al_page_address(page)))
                al_region_backing(al_page_address(page), al_page_size());
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
    unsigned kind = stretch->value >> AL_PAGE_KIND_SHIFT;
    struct al_kind_figures *figure;

    if (!(stretch->value & AL_PAGE_MAPPED))
        kind = stretch->value & AL_PAGE_OWNERS ? AL_KIND_HEAP : 0;
    if (!kind) {
        *last_kind = 0;
        return;
    }
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
