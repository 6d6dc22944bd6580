/*
 * The malloc family, forwarded to the next library in line. Who includes this defines before
 *
 *     static inline void block_appears(void *block, size_t size);    may be told NULL
 *     static inline void block_goes(void *block);                    may be told NULL
 *
 * It is what one would write first and write well: resolved once, at start, and no test on the way
 * but whether that has happened yet.
 */
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define EXPORT      __attribute__((visibility("default")))
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

static struct {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void (*free)(void *);
    void *(*memalign)(size_t, size_t);
    void *(*aligned_alloc)(size_t, size_t);
    int (*posix_memalign)(void **, size_t, size_t);
    void *(*valloc)(size_t);
} real;

/* For dlsym, which allocates in old libraries. Never used again and never freed. */
static _Alignas(16) char boot[16384];
static size_t boot_used;

static bool is_boot(const void *block)
{
    return (uintptr_t)block - (uintptr_t)boot < sizeof(boot);
}

static void *boot_alloc(size_t size)
{
    size_t at = boot_used;

    if (size > sizeof(boot) - at - 16) {
        errno = ENOMEM;
        return NULL;
    }
    boot_used = (at + size + 15) & ~(size_t)15;
    return &boot[at];
}

static void resolve(void)
{
    static volatile bool resolving;

    if (real.malloc || resolving)
        return;
    resolving = true;
#define RESOLVE(name) *(void **)&real.name = dlsym(RTLD_NEXT, #name)
    RESOLVE(calloc);
    RESOLVE(realloc);
    RESOLVE(free);
    RESOLVE(memalign);
    RESOLVE(aligned_alloc);
    RESOLVE(posix_memalign);
    RESOLVE(valloc);
    RESOLVE(malloc);
#undef RESOLVE
    resolving = false;
}

static void __attribute__((constructor)) start(void)
{
    resolve();
}

/* Whether the real functions are still missing, after an attempt to find them. */
static bool missing(void)
{
    if (UNLIKELY(!real.malloc))
        resolve();
    return UNLIKELY(!real.malloc);
}

EXPORT void *malloc(size_t size)
{
    void *block;

    if (missing())
        return boot_alloc(size);
    block = real.malloc(size);
    block_appears(block, size);
    return block;
}

EXPORT void free(void *block)
{
    if (UNLIKELY(is_boot(block)) || missing())
        return;
    block_goes(block);
    real.free(block);
}

EXPORT void *calloc(size_t count, size_t size)
{
    void *block;

    if (missing())
        return boot_alloc(count * size);
    block = real.calloc(count, size);
    block_appears(block, count * size);
    return block;
}

EXPORT void *realloc(void *old, size_t size)
{
    void *block;

    if (UNLIKELY(is_boot(old)) || missing()) {
        errno = ENOMEM;
        return NULL;
    }
    block_goes(old);
    block = real.realloc(old, size);
    block_appears(block, size);
    return block;
}

EXPORT void *memalign(size_t alignment, size_t size)
{
    void *block;

    if (missing())
        return NULL;
    block = real.memalign(alignment, size);
    block_appears(block, size);
    return block;
}

EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
    void *block;

    if (missing())
        return NULL;
    block = real.aligned_alloc(alignment, size);
    block_appears(block, size);
    return block;
}

EXPORT int posix_memalign(void **ret_block, size_t alignment, size_t size)
{
    int error;

    if (missing())
        return ENOMEM;
    error = real.posix_memalign(ret_block, alignment, size);
    if (!error)
        block_appears(*ret_block, size);
    return error;
}

EXPORT void *valloc(size_t size)
{
    void *block;

    if (missing())
        return NULL;
    block = real.valloc(size);
    block_appears(block, size);
    return block;
}
