#include "hook_heap.h"

#include "boot_heap.h"
#include "counters.h"
#include "export.h"
#include "real.h"
#include "sys.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* What the exported functions jump through: the members of the family as al_real has them. */
struct heap {
#define AL_REAL(result, name, arguments) result(*name) arguments;
    AL_REAL_HEAP
#undef AL_REAL
};

/* Declared ahead: a boot function goes on through the table once it has been filled. */
static struct heap heap;

/* -- counted -------------------------------------------------------------------------------- */

static void *counted_malloc(size_t size)
{
    al_count(AL_COUNT_calls_malloc);
    return al_real.malloc(size);
}

static void *counted_calloc(size_t count, size_t size)
{
    al_count(AL_COUNT_calls_calloc);
    return al_real.calloc(count, size);
}

/* Moves a block of the boot heap to the real one. */
static void *leave_boot(void *block, size_t size)
{
    size_t old_size = al_boot_size(block);
    void *moved = al_real.malloc(size);

    if (moved)
        memcpy(moved, block, old_size < size ? old_size : size);
    return moved;
}

static void *counted_realloc(void *block, size_t size)
{
    al_count(AL_COUNT_calls_realloc);
    if (al_boot_owns(block))
        return leave_boot(block, size);
    return al_real.realloc(block, size);
}

static void counted_free(void *block)
{
    al_count(AL_COUNT_calls_free);
    if (!al_boot_owns(block))
        al_real.free(block);
}

static void *counted_memalign(size_t alignment, size_t size)
{
    al_count(AL_COUNT_calls_memalign);
    return al_real.memalign(alignment, size);
}

static void *counted_aligned_alloc(size_t alignment, size_t size)
{
    al_count(AL_COUNT_calls_memalign);
    return al_real.aligned_alloc(alignment, size);
}

static int counted_posix_memalign(void **ret_block, size_t alignment, size_t size)
{
    al_count(AL_COUNT_calls_memalign);
    return al_real.posix_memalign(ret_block, alignment, size);
}

static void *counted_valloc(size_t size)
{
    al_count(AL_COUNT_calls_memalign);
    return al_real.valloc(size);
}

static void *counted_pvalloc(size_t size)
{
    al_count(AL_COUNT_calls_memalign);
    return al_real.pvalloc(size);
}

static size_t counted_malloc_usable_size(void *block)
{
    al_count(AL_COUNT_calls_malloc_usable_size);
    if (al_boot_owns(block))
        return al_boot_size(block);
    return al_real.malloc_usable_size(block);
}

/* -- boot ----------------------------------------------------------------------------------- */

static bool power_of_two(size_t value)
{
    return value && (value & (value - 1)) == 0;
}

static void *boot_aligned(size_t alignment, size_t size)
{
    if (!power_of_two(alignment)) {
        errno = EINVAL;
        return NULL;
    }
    al_count(AL_COUNT_calls_memalign);
    return al_boot_alloc(size, alignment);
}

static void *boot_malloc(size_t size)
{
    if (al_real_resolve())
        return heap.malloc(size);
    al_count(AL_COUNT_calls_malloc);
    return al_boot_alloc(size, 0);
}

static void *boot_calloc(size_t count, size_t size)
{
    size_t bytes;

    if (al_real_resolve())
        return heap.calloc(count, size);
    al_count(AL_COUNT_calls_calloc);
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return al_boot_alloc(bytes, 0);
}

static void *boot_realloc(void *block, size_t size)
{
    void *moved;

    if (al_real_resolve())
        return heap.realloc(block, size);
    al_count(AL_COUNT_calls_realloc);
    moved = al_boot_alloc(size, 0);
    /* Whoever got a block before the real functions are known, got it from the boot heap. */
    if (moved && block && al_boot_owns(block))
        memcpy(moved, block, al_boot_size(block) < size ? al_boot_size(block) : size);
    return moved;
}

static void boot_free(void *block)
{
    /* free(NULL) is common in start-up code and needs nothing resolved. */
    if (block && !al_boot_owns(block) && al_real_resolve())
        heap.free(block);
    else
        al_count(AL_COUNT_calls_free);
}

static void *boot_memalign(size_t alignment, size_t size)
{
    return al_real_resolve() ? heap.memalign(alignment, size) : boot_aligned(alignment, size);
}

static void *boot_aligned_alloc(size_t alignment, size_t size)
{
    return al_real_resolve() ? heap.aligned_alloc(alignment, size) : boot_aligned(alignment, size);
}

static int boot_posix_memalign(void **ret_block, size_t alignment, size_t size)
{
    int saved = errno;
    void *block;

    if (al_real_resolve())
        return heap.posix_memalign(ret_block, alignment, size);
    if (!power_of_two(alignment) || alignment % sizeof(void *))
        return EINVAL;
    block = boot_aligned(alignment, size);
    errno = saved;
    if (!block)
        return ENOMEM;
    *ret_block = block;
    return 0;
}

static void *boot_valloc(size_t size)
{
    return al_real_resolve() ? heap.valloc(size) : boot_aligned(al_page_size(), size);
}

static void *boot_pvalloc(size_t size)
{
    return al_real_resolve() ? heap.pvalloc(size) : boot_aligned(al_page_size(), size);
}

static size_t boot_malloc_usable_size(void *block)
{
    if (al_boot_owns(block))
        return al_boot_size(block);
    return al_real_resolve() ? heap.malloc_usable_size(block) : 0;
}

static struct heap heap = {
#define AL_REAL(result, name, arguments) .name = boot_##name,
    AL_REAL_HEAP
#undef AL_REAL
};

/* -- the table ------------------------------------------------------------------------------ */

/* Each entry by itself is right at any moment, so that other threads may run meanwhile. */
#define SET(name, function) __atomic_store_n(&heap.name, (function), __ATOMIC_RELEASE)

void al_heap_connect(void)
{
#define AL_REAL(result, name, arguments) SET(name, counted_##name);
    AL_REAL_HEAP
#undef AL_REAL
}

static bool takes_block(const char *name)
{
    return strcmp(name, "free") == 0 || strcmp(name, "realloc") == 0 ||
           strcmp(name, "malloc_usable_size") == 0;
}

void al_heap_disconnect(void)
{
    /* Blocks of the boot heap, if there are any, must be told apart for ever. */
    bool boot_used = al_boot_used;

#define AL_REAL(result, name, arguments)                                                           \
    if (!boot_used || !takes_block(#name))                                                         \
        SET(name, al_real.name);
    AL_REAL_HEAP
#undef AL_REAL
}

/* -- what the program calls ----------------------------------------------------------------- */

AL_EXPORT void *malloc(size_t size)
{
    return heap.malloc(size);
}

AL_EXPORT void *calloc(size_t count, size_t size)
{
    return heap.calloc(count, size);
}

AL_EXPORT void *realloc(void *block, size_t size)
{
    return heap.realloc(block, size);
}

/* As libc has it, but without its way back through realloc(), which would count twice. */
AL_EXPORT void *reallocarray(void *block, size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return heap.realloc(block, bytes);
}

AL_EXPORT void free(void *block)
{
    heap.free(block);
}

/* C23: the size is a hint that must be right; free() finds it out by itself. */
AL_EXPORT void free_sized(void *block, size_t size);
AL_EXPORT void free_sized(void *block, size_t size)
{
    (void)size;
    heap.free(block);
}

AL_EXPORT void free_aligned_sized(void *block, size_t alignment, size_t size);
AL_EXPORT void free_aligned_sized(void *block, size_t alignment, size_t size)
{
    (void)alignment;
    (void)size;
    heap.free(block);
}

AL_EXPORT void *memalign(size_t alignment, size_t size)
{
    return heap.memalign(alignment, size);
}

AL_EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
    return heap.aligned_alloc(alignment, size);
}

AL_EXPORT int posix_memalign(void **ret_block, size_t alignment, size_t size)
{
    return heap.posix_memalign(ret_block, alignment, size);
}

AL_EXPORT void *valloc(size_t size)
{
    return heap.valloc(size);
}

AL_EXPORT void *pvalloc(size_t size)
{
    return heap.pvalloc(size);
}

AL_EXPORT size_t malloc_usable_size(void *block)
{
    return heap.malloc_usable_size(block);
}
