/*
 * Libraries that the program loads and unloads.
 *
 * The real dlopen looks at its return address: the RUNPATH, RPATH and $ORIGIN of the library that
 * calls decide what is found. Only a jump, the last thing that our function does, leaves that
 * address as it is. (The folder is therefore always compiled with sibling calls on; a test has a
 * library that only its caller's RUNPATH finds.) Where new segments are to be locked we have to
 * come back afterwards, and do so only when no library has such a path, so that the caller cannot
 * matter; else they are locked on the next occasion.
 */
#include "backend.h"
#include "counters.h"
#include "export.h"
#include "load.h"
#include "lock_alloc.h"
#include "object.h"
#include "real.h"

#include <dlfcn.h>
#include <string.h>

/* Libraries may have come that have not been judged. */
static bool pending;

static int has_search_path(struct dl_phdr_info *info, size_t size, void *data)
{
    const ElfW(Dyn) *entry = al_object_dynamic(info);

    (void)size;
    (void)data;
    /* The kernel's own object loads nothing; some have a path all the same. */
    if (al_object_is_kernels(info))
        return 0;
    for (; entry && entry->d_tag != DT_NULL; entry++)
        if (entry->d_tag == DT_RPATH || entry->d_tag == DT_RUNPATH)
            return 1;
    return 0;
}

static bool caller_matters(const char *name)
{
    return (name && strchr(name, '$')) || dl_iterate_phdr(has_search_path, NULL) != 0;
}

void al_load_catch_up(void)
{
    if (!__atomic_exchange_n(&pending, false, __ATOMIC_ACQ_REL))
        return;
    al_lock_alloc_images();
}

static void *open_and_judge(const char *name, int flags)
{
    void *library = al_real.dlopen(name, flags);

    al_lock_alloc_images();
    return library;
}

AL_EXPORT void *dlopen(const char *name, int flags)
{
    al_count(AL_COUNT_calls_dlopen);
    if (!al_real_resolve() || !al_real.dlopen)
        return NULL;
    if (al_lock_alloc_wants_images()) {
        if (!caller_matters(name))
            return open_and_judge(name, flags);
        __atomic_store_n(&pending, true, __ATOMIC_RELEASE);
    }
    al_backend_look("a library is loaded under a memlock limit: each region is locked by itself");
    return al_real.dlopen(name, flags);
}

AL_EXPORT int dlclose(void *library)
{
    int result;

    al_count(AL_COUNT_calls_dlclose);
    if (!al_real_resolve() || !al_real.dlclose)
        return -1;
    if (!al_lock_alloc_wants_images())
        return al_real.dlclose(library);
    result = al_real.dlclose(library);
    __atomic_store_n(&pending, false, __ATOMIC_RELEASE);
    al_lock_alloc_images();
    return result;
}
