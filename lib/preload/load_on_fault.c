#include "load_on_fault.h"

#include "flight.h"
#include "headroom.h"
#include "kernel.h"
#include "object.h"
#include "real.h"
#include "room_hooks.h"
#include "sys.h"

/* Objects that this thread has brought in. */
static __thread size_t brought __attribute__((tls_model("initial-exec")));

bool al_load_is_on_fault(void)
{
    return al_room_limited() && al_room_brings_in() && al_headroom_share(SIZE_MAX) != SIZE_MAX;
}

static int count(struct dl_phdr_info *info, size_t size, void *objects)
{
    (void)info;
    (void)size;
    ++*(size_t *)objects;
    return 0;
}

static size_t objects(void)
{
    size_t there = 0;

    (void)dl_iterate_phdr(count, &there);
    return there;
}

static void *heap_end(void)
{
    return al_real.sbrk ? al_real.sbrk(0) : NULL;
}

struct al_loading al_load_on_fault_begin(void)
{
    struct al_loading loading = {
        .objects = objects(), .brought = brought, .heap_end = heap_end(), .opened = al_room_open()};

    al_flight_begin();
    return loading;
}

/* -- what has come -------------------------------------------------------------------------- */

struct coming {
    size_t skip;
    size_t left;
};

static int bring_in(struct dl_phdr_info *info, size_t size, void *data)
{
    const size_t mask = al_page_size() - 1;
    struct coming *coming = data;

    (void)size;
    if (coming->skip) {
        coming->skip--;
        return 0;
    }
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t start = (info->dlpi_addr + segment->p_vaddr) & ~mask;
        uintptr_t end = (info->dlpi_addr + segment->p_vaddr + segment->p_memsz + mask) & ~mask;

        if (segment->p_type == PT_LOAD)
            al_adding_late((void *)start, end - start);
    }
    return --coming->left == 0;
}

/* Room for it was asked for when it was allocated. */
static void bring_in_heap(char *from, char *to)
{
    const size_t mask = al_page_size() - 1;
    char *first = (char *)((uintptr_t)from & ~mask);

    if (from && to > from)
        (void)al_kernel_mlock2(first, (size_t)(to - first + (ptrdiff_t)mask) & ~mask, 0);
}

/* The loader puts what is new at the end of its list. Behind it stands what it has loaded itself
 * meanwhile, which was brought in then. */
void al_load_on_fault_end(struct al_loading loading)
{
    struct coming coming = {.skip = loading.objects};
    size_t known = loading.objects + (brought - loading.brought);
    size_t there = objects();

    al_flight_end();
    if (loading.opened)
        al_room_close();
    /* Its constructors may have forked, or unlocked everything. */
    if (!loading.opened || !al_room_brings_in())
        return;
    bring_in_heap(loading.heap_end, heap_end());
    if (there <= known)
        return;
    coming.left = there - known;
    brought += coming.left;
    (void)dl_iterate_phdr(bring_in, &coming);
}
