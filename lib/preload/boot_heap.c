#include "boot_heap.h"

#include "large.h"
#include "sys.h"

#include <sys/mman.h>

/*
 * The first chunk is the library's own memory, so that boot needs no system call as a rule. A chunk
 * never changes but for `used`, and the list only grows at its head.
 */
enum { FIRST_BYTES = 1024, MORE_BYTES = 256 * 1024 };

struct chunk {
    struct chunk *next;
    char *bytes;
    size_t size; /* of `bytes` */
    size_t used; /* may pass `size`: those requests went elsewhere */
};

/* Stands right before each block. */
struct header {
    size_t size;
};

static char first_bytes[FIRST_BYTES] AL_LARGE;
static struct chunk first = {.bytes = first_bytes, .size = FIRST_BYTES};
static struct chunk *newest = &first;

bool al_boot_used;

/* A block from `chunk`, or NULL if it has not `need` bytes left. */
static void *take(struct chunk *chunk, size_t need, size_t size, size_t alignment)
{
    size_t at = __atomic_fetch_add(&chunk->used, need, __ATOMIC_RELAXED);
    size_t block;

    if (at > chunk->size || need > chunk->size - at)
        return NULL;
    block = (size_t)chunk->bytes + at + sizeof(struct header);
    block = (block + alignment - 1) & ~(alignment - 1);
    ((struct header *)block)[-1].size = size;
    return (void *)block;
}

static void *take_from_new_chunk(size_t need, size_t size, size_t alignment)
{
    size_t bytes = need > MORE_BYTES ? need : MORE_BYTES;
    struct chunk *chunk;
    void *block;
    long mapped;

    if (bytes > SIZE_MAX - sizeof(struct chunk))
        return NULL;
    mapped = al_sys_mmap(NULL, sizeof(struct chunk) + bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (al_sys_failed(mapped))
        return NULL;
    chunk = (struct chunk *)mapped;
    chunk->bytes = (char *)(chunk + 1);
    chunk->size = bytes;
    block = take(chunk, need, size, alignment);
    chunk->next = __atomic_load_n(&newest, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&newest, &chunk->next, chunk, false, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
        ;
    return block;
}

void *al_boot_alloc(size_t size, size_t alignment)
{
    const size_t least = 2 * sizeof(void *);
    void *block = NULL;
    size_t need;

    if (alignment < least)
        alignment = least;
    if (!__builtin_add_overflow(size, alignment + sizeof(struct header), &need)) {
        need = (need + least - 1) & ~(least - 1);
        block = take(__atomic_load_n(&newest, __ATOMIC_ACQUIRE), need, size, alignment);
        if (!block)
            block = take_from_new_chunk(need, size, alignment);
    }
    if (block)
        __atomic_store_n(&al_boot_used, true, __ATOMIC_RELAXED);
    else
        errno = ENOMEM;
    return block;
}

size_t al_boot_size(const void *block)
{
    return ((const struct header *)block)[-1].size;
}

bool al_boot_owns_slow(const void *block)
{
    const char *at = block;
    const struct chunk *chunk = __atomic_load_n(&newest, __ATOMIC_ACQUIRE);

    for (; chunk; chunk = chunk->next)
        if (at >= chunk->bytes && at < chunk->bytes + chunk->size)
            return true;
    return false;
}
