/*
 * A dlsym that allocates, as the one of old libcs does: to be preloaded around the library, whose
 * first question for the real functions comes back into it. The blocks stay for the program to try.
 */
#include <dlfcn.h>
#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 64 };

struct early_block {
    char *block;
    size_t size;
    int kind;
};

/* Filled while the library asks for its first functions. */
extern struct early_block early_blocks[BLOCKS];
extern size_t early_block_count;
struct early_block early_blocks[BLOCKS];
size_t early_block_count;

#if defined(__aarch64__)
#    define DLSYM_VERSION "GLIBC_2.17"
#elif defined(__i386__)
#    define DLSYM_VERSION "GLIBC_2.0"
#else
#    define DLSYM_VERSION "GLIBC_2.2.5"
#endif

typedef void *dlsym_function(void *, const char *);

static dlsym_function *real_dlsym;

static void keep(char *block, size_t size, int kind)
{
    if (!block || early_block_count == BLOCKS)
        abort();
    if (kind == 1)
        for (size_t i = 0; i < size; i++)
            if (block[i])
                abort();
    memset(block, (int)(early_block_count + 1), size);
    early_blocks[early_block_count++] = (struct early_block){block, size, kind};
}

static void __attribute__((noinline)) allocate(void)
{
    static volatile bool inside;
    void *aligned = NULL;
    size_t size = early_block_count * 700 % 5000 + 1;

    if (inside || early_block_count + 6 > BLOCKS)
        return;
    inside = true;
    keep(malloc(size), size, 0);
    keep(calloc(size, 1), size, 1);
    keep(realloc(realloc(malloc(10), 20), size), size, 2);
    if (posix_memalign(&aligned, 1024, size) || (size_t)aligned % 1024)
        abort();
    keep(aligned, size, 3);
    aligned = memalign(64, size);
    if ((size_t)aligned % 64)
        abort();
    keep(aligned, size, 4);
    free(malloc(30));
    inside = false;
}

/* Leaves its caller's address where it is: the real one looks at it. */
void *dlsym(void *handle, const char *name)
{
    if (!real_dlsym)
        real_dlsym = (dlsym_function *)dlvsym(RTLD_NEXT, "dlsym", DLSYM_VERSION);
    allocate();
    return real_dlsym(handle, name);
}
