#include "family.h"

#include "object.h"
#include "real.h"
#include "sys.h"

#include <string.h>

/* Only glibc has it; what says glibc's version is in musl's compatibility libraries as well. */
extern char *volatile __curbrk __attribute__((weak));

bool al_family_has_glibc(void)
{
    return &__curbrk;
}

/* -- whose a function is -------------------------------------------------------------------- */

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

bool al_family_same_object(const void *a, const void *b)
{
    struct same_object query = {.a = (uintptr_t)a, .b = (uintptr_t)b};

    (void)dl_iterate_phdr(look, &query);
    return query.same;
}

/* In the same object as a function that nobody replaces. */
static bool is_libcs(const void *function)
{
    return al_family_same_object(function, (const void *)getauxval);
}

/* -- what an allocator lacks ---------------------------------------------------------------- */

static void *memalign_by_posix(size_t alignment, size_t size)
{
    void *block = NULL;
    int error = al_real.posix_memalign(&block, alignment, size);

    if (error)
        errno = error;
    return block;
}

static void *valloc_by_memalign(size_t size)
{
    return al_real.memalign(al_page_size(), size);
}

static void *pvalloc_by_memalign(size_t size)
{
    size_t page = al_page_size();
    size_t whole = (size + page - 1) & ~(page - 1);

    if (whole < size) {
        errno = ENOMEM;
        return NULL;
    }
    return al_real.memalign(page, whole ? whole : page);
}

/* -- what would come back ------------------------------------------------------------------- */

size_t al_family_fresh_from = SIZE_MAX;

static void *calloc_by_malloc(size_t count, size_t size)
{
    size_t bytes;
    void *block;

    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    block = al_real.malloc(bytes);
    if (block && bytes < al_family_fresh_from)
        memset(block, 0, bytes);
    return block;
}

static int posix_memalign_by_aligned_alloc(void **ret_block, size_t alignment, size_t size)
{
    void *block;

    if (alignment < sizeof(void *))
        return EINVAL;
    block = al_real.aligned_alloc(alignment, size);
    if (!block)
        return errno;
    *ret_block = block;
    return 0;
}

/*
 * musl's calloc is malloc and memset, its memalign, posix_memalign and valloc are aligned_alloc; by
 * name, so that each would be counted, and its block owned, twice. They are made here as they are
 * made there, where the malloc that they call is not that of another library anyway.
 */
static void bypass_musls(void)
{
    if (is_libcs((const void *)al_real.calloc))
        al_real.calloc = calloc_by_malloc;
    if (!al_real.aligned_alloc)
        return;
    if (is_libcs((const void *)al_real.memalign))
        al_real.memalign = al_real.aligned_alloc;
    if (is_libcs((const void *)al_real.posix_memalign))
        al_real.posix_memalign = posix_memalign_by_aligned_alloc;
    if (is_libcs((const void *)al_real.valloc))
        al_real.valloc = valloc_by_memalign;
}

void al_family_complete(void)
{
    if (!al_family_has_glibc() && al_real.malloc)
        bypass_musls();
    if (!al_real.memalign)
        al_real.memalign = memalign_by_posix;
    if (!al_real.valloc)
        al_real.valloc = valloc_by_memalign;
    if (!al_real.pvalloc)
        al_real.pvalloc = pvalloc_by_memalign;
}
