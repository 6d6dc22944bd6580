/*
 * Counts what passes through the malloc family's symbols, by whomever it is called: the program
 * itself, or libc and the loader, which call it by name too. Preloaded into a run without the
 * library under test.
 */
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__GLIBC__)
/* By names of its own, as dlsym may come back here. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void __libc_free(void *block);
extern void *__libc_memalign(size_t alignment, size_t size);
#else
#    define AS_LIBC_HAS_IT(result, name, parameters, arguments)                                    \
        static result __libc_##name parameters                                                     \
        {                                                                                          \
            static result(*real) parameters;                                                       \
                                                                                                   \
            if (!real)                                                                             \
                *(void **)&real = dlsym(RTLD_NEXT, #name);                                         \
            return real arguments;                                                                 \
        }

AS_LIBC_HAS_IT(void *, malloc, (size_t size), (size))
AS_LIBC_HAS_IT(void *, realloc, (void *block, size_t size), (block, size))
AS_LIBC_HAS_IT(void, free, (void *block), (block))
AS_LIBC_HAS_IT(void *, aligned_alloc, (size_t alignment, size_t size), (alignment, size))
/* There memalign is a call of aligned_alloc, and calloc one of malloc, by name. */
#    define __libc_memalign __libc_aligned_alloc

static void *__libc_calloc(size_t number, size_t size)
{
    void *block = __libc_malloc(number * size);

    return block ? memset(block, 0, number * size) : NULL;
}
#endif

/* In the order of the program's own counts (record.h). */
uint64_t counted[5];

static void count(unsigned call)
{
    __atomic_fetch_add(&counted[call], 1, __ATOMIC_RELAXED);
}

void *malloc(size_t size)
{
    count(0);
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
    count(1);
    return __libc_calloc(number, size);
}

void *realloc(void *block, size_t size)
{
    count(2);
    return __libc_realloc(block, size);
}

void *reallocarray(void *block, size_t number, size_t size)
{
    return realloc(block, number * size);
}

void free(void *block)
{
    count(3);
    __libc_free(block);
}

void *memalign(size_t alignment, size_t size)
{
    count(4);
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

void *valloc(size_t size)
{
    return memalign((size_t)getpagesize(), size);
}

#if !defined(__GLIBC__)
void *pvalloc(size_t size);
#endif

void *pvalloc(size_t size)
{
    size_t mask = (size_t)getpagesize() - 1;

    return memalign(mask + 1, (size + mask) & ~mask);
}

int posix_memalign(void **ret_block, size_t alignment, size_t size)
{
    void *block = memalign(alignment, size);

    if (!block)
        return ENOMEM;
    *ret_block = block;
    return 0;
}
