#include "allocator.h"

#include "object.h"

#include <unistd.h>

bool al_allocator_is_glibc;

static bool is_mapping(const void *block)
{
    return al_chunk_word(block) & AL_CHUNK_MAPPING;
}

/* A size that glibc gives, which leaves one word of each chunk for itself. Who replaces malloc in
 * place (valgrind) gives others, and has nothing before the block that may be read. */
static bool is_glibcs_size(size_t usable)
{
    return usable >= 3 * sizeof(size_t) && (usable + sizeof(size_t)) % (2 * sizeof(size_t)) == 0;
}

/* Tries the layout out on small blocks, which change nothing in the allocator. */
static bool layout_holds(void)
{
    static const size_t sizes[] = {1, 24, 25, 100, 1000, 4000};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        void *block = al_real.malloc(sizes[i]);
        size_t usable;
        bool holds;

        if (!block)
            return false;
        usable = al_real.malloc_usable_size(block);
        holds = is_glibcs_size(usable) && al_glibc_usable_size(block) == usable;
        al_real.free(block);
        if (!holds)
            return false;
    }
    return true;
}

struct same_object {
    uintptr_t a;
    uintptr_t b;
    bool same;
};

static int look(struct dl_phdr_info *info, size_t size, void *data)
{
    struct same_object *query = data;
    bool has_a = al_object_holds(info, query->a);

    (void)size;
    query->same = has_a && al_object_holds(info, query->b);
    return has_a;
}

/* Whether the malloc behind us is the C library's: in the same object as another function of it. */
static bool is_libcs(void)
{
    struct same_object query = {.a = (uintptr_t)al_real.malloc, .b = (uintptr_t)al_real.sbrk};

    (void)dl_iterate_phdr(look, &query);
    return query.same;
}

static bool libcs;
static bool glibcs;

void al_allocator_find(void)
{
    libcs = is_libcs();
    glibcs = libcs && al_real_find("gnu_get_libc_version");
}

void al_allocator_learn(struct al_allocator *ret_allocator, bool try_out)
{
    al_allocator_is_glibc = glibcs && (!try_out || layout_holds());
    ret_allocator->malloc = al_real.malloc;
    ret_allocator->free = al_real.free;
    ret_allocator->is_mapping = al_allocator_is_glibc ? is_mapping : NULL;
    /* Other allocators unmap through the functions that we stand before. */
    ret_allocator->keeps_used_heaps = al_allocator_is_glibc || !libcs;
    ret_allocator->holds = true;
}

enum al_quick al_allocator_quick(void)
{
    if (!al_allocator_is_glibc)
        return AL_QUICK_NONE;
    if (!al_heap_owner.every_size)
        return al_books.several_threads ? AL_QUICK_SIZED : AL_QUICK_SIZED_ALONE;
    return al_books.several_threads ? AL_QUICK_THREADS : AL_QUICK_ALONE;
}
