#include "load_on_fault.h"

#include "flight.h"
#include "headroom.h"
#include "lock_alloc.h"
#include "object.h"
#include "real.h"
#include "room_hooks.h"
#include "sys.h"

/* Of the dlopen that has begun it; NULL: none. */
static __thread const char *frame_of_first __attribute__((tls_model("initial-exec")));

bool al_load_is_on_fault(void)
{
    return al_room_limited() && al_room_brings_in() && al_headroom_share(SIZE_MAX) != SIZE_MAX;
}

enum { LAST = sizeof((struct al_loading){0}.last) / sizeof(void *) };

static int remember(struct dl_phdr_info *info, size_t size, void *data)
{
    struct al_loading *loading = data;

    (void)size;
    loading->last[loading->objects++ % LAST] = info->dlpi_phdr;
    return 0;
}

static void *heap_end(void)
{
    return al_real.sbrk ? al_real.sbrk(0) : NULL;
}

static void leave(void)
{
    frame_of_first = NULL;
    al_flight_end();
    al_room_close();
}

void al_load_on_fault_thread_ends(void)
{
    if (frame_of_first)
        leave();
}

void al_load_on_fault_forked(void)
{
    if (!frame_of_first)
        return;
    frame_of_first = NULL;
    al_flight_end();
}

struct al_loading al_load_on_fault_begin(const void *frame)
{
    struct al_loading loading = {.heap_end = heap_end(), .changes = al_room_changes()};

    /* That one was left by an exception. */
    if (frame_of_first && (const char *)frame >= frame_of_first)
        leave();
    if (frame_of_first)
        return loading;
    (void)dl_iterate_phdr(remember, &loading);
    loading.opened = al_room_open();
    if (!loading.opened)
        return loading;
    frame_of_first = frame;
    al_flight_begin();
    return loading;
}

/* -- what has come -------------------------------------------------------------------------- */

struct known {
    const struct al_loading *loading;
    size_t objects; /* up to the last that was there before */
    size_t looked_at;
};

static int find_known(struct dl_phdr_info *info, size_t size, void *data)
{
    struct known *known = data;

    (void)size;
    known->looked_at++;
    for (size_t i = 0; i < LAST; i++)
        if (known->loading->last[i] == info->dlpi_phdr)
            known->objects = known->looked_at;
    return 0;
}

struct range {
    uintptr_t start;
    uintptr_t end;
};

/* Of as many segments as there is place for. */
struct coming {
    size_t objects; /* to skip */
    size_t skip;    /* segments */
    size_t found;
    struct range range[32];
};

enum { RANGES = sizeof((struct coming){0}.range) / sizeof(struct range) };

static int collect(struct dl_phdr_info *info, size_t size, void *data)
{
    const size_t mask = al_page_size() - 1;
    struct coming *coming = data;

    (void)size;
    if (coming->objects) {
        coming->objects--;
        return 0;
    }
    for (unsigned i = 0; i < info->dlpi_phnum && coming->found < RANGES; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + segment->p_vaddr;

        if (segment->p_type != PT_LOAD)
            continue;
        if (coming->skip) {
            coming->skip--;
            continue;
        }
        coming->range[coming->found++] =
            (struct range){start & ~mask, (start + segment->p_memsz + mask) & ~mask};
    }
    return coming->found == RANGES;
}

/* The loader's lock is not held meanwhile: a child that is forked then would find it held for
 * ever. */
static void bring_in_from(size_t object)
{
    struct coming coming;
    size_t done = 0;

    do {
        coming = (struct coming){.objects = object, .skip = done};
        (void)dl_iterate_phdr(collect, &coming);
        for (size_t i = 0; i < coming.found; i++)
            al_adding_late((void *)coming.range[i].start,
                           coming.range[i].end - coming.range[i].start);
        done += coming.found;
    } while (coming.found == RANGES);
}

/* Blocks of all threads. What was refused is among them if anything was: then nothing is done. */
static void bring_in_heap(char *from, char *to)
{
    const size_t mask = al_page_size() - 1;
    char *first = (char *)((uintptr_t)from & ~mask);

    if (from && to > from)
        al_adding_late_of_others(first, ((size_t)(to - first) + mask) & ~mask);
}

/*
 * The loader puts what is new at the end of its list. Where the program has locked or unlocked
 * something itself, what is locked on fault stays so: it may be that.
 */
void al_load_on_fault_end(const struct al_loading *loading, bool loaded)
{
    const struct al_room_changes changes = al_room_changes();
    struct known known = {.loading = loading};

    if (!loading->opened)
        return;
    if (frame_of_first)
        leave();
    /* Each region is locked by itself by now, or this is a child. */
    if (!al_room_brings_in()) {
        al_lock_alloc_images();
        return;
    }
    if (changes.wishes != loading->changes.wishes)
        return;
    if (changes.left_out == loading->changes.left_out)
        bring_in_heap(loading->heap_end, heap_end());
    if (!loaded)
        return;
    (void)dl_iterate_phdr(find_known, &known);
    if (known.objects && known.objects < known.looked_at)
        bring_in_from(known.objects);
}
