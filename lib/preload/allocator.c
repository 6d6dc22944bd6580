#include "allocator.h"

#include "family.h"

#include <unistd.h>

bool al_allocator_is_glibc;

/* MMAP_THRESHOLD of musl's mallocng. */
enum { AL_MUSL_MAPPING = 131052 };

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

/*
 * musl's own malloc (mallocng, since 1.2.1) has the usable size be what was asked for, which no
 * other has: tried out on odd sizes.
 */
static bool sizes_are_nominal(void)
{
    static const size_t sizes[] = {1, 25, 100, 1001, AL_MUSL_MAPPING};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        void *block = al_real.malloc(sizes[i]);
        bool nominal = block && al_real.malloc_usable_size(block) == sizes[i];

        al_real.free(block);
        if (!nominal)
            return false;
    }
    return true;
}

/* From this size on each block is a mapping. One of alignment may be one that has less. */
static bool is_musls_mapping(const void *block)
{
    return al_real.malloc_usable_size((void *)block) >= AL_MUSL_MAPPING;
}

static bool libcs;
static bool glibcs;
static bool musls;

void al_allocator_find(void)
{
    /* The malloc behind us is the C library's, if another function of it is there too. */
    libcs = al_family_same_object((const void *)al_real.malloc, (const void *)al_real.sbrk);
    glibcs = libcs && al_family_has_glibc();
    musls = libcs && !glibcs && sizes_are_nominal();
    if (musls)
        al_family_fresh_from = AL_MUSL_MAPPING;
}

void al_allocator_learn(struct al_allocator *ret_allocator, bool try_out)
{
    al_allocator_is_glibc = glibcs && (!try_out || layout_holds());
    ret_allocator->malloc = al_real.malloc;
    ret_allocator->free = al_real.free;
    ret_allocator->is_mapping = al_allocator_is_glibc ? is_mapping : NULL;
    if (musls)
        ret_allocator->is_mapping = is_musls_mapping;
    /*
     * Other allocators unmap through the functions that we stand before. In programs of 32 bits
     * glibc's heaps have 1 MiB each, and a block of ours would keep but one of a leaf.
     */
    ret_allocator->keeps_used_heaps = libcs ? al_allocator_is_glibc && sizeof(size_t) > 4 : true;
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
