/*
 * Libraries that the program loads and unloads.
 *
 * The real dlopen looks at its return address: the RUNPATH, RPATH and $ORIGIN of the library that
 * calls decide what is found. Only a jump, the last thing that our function does, leaves that
 * address as it is. (The folder is therefore always compiled with sibling calls on; a test has a
 * library that only its caller's RUNPATH finds.) Where new segments are to be locked we have to
 * come back afterwards, and do so only when the caller cannot matter; else they are locked on the
 * next occasion, or as the kernel does it.
 */
#include "backend.h"
#include "counters.h"
#include "export.h"
#include "load.h"
#include "load_on_fault.h"
#include "lock_alloc.h"
#include "object.h"
#include "real.h"

#include <dlfcn.h>
#include <string.h>

/* Libraries may have come that have not been judged. */
static bool pending;

struct search {
    uintptr_t caller;
    bool path;    /* it is named by one, so that only what it needs is looked for */
    bool first;   /* object: the program */
    bool program; /* calls itself */
    bool known;   /* who calls */
};

/*
 * A RUNPATH holds for what the object itself asks for by a bare name, as does its wish to have
 * nothing from the usual folders; an RPATH also for all that has come by it, at any remove. That
 * of the program holds for everything.
 */
static int caller_may_matter_by(struct dl_phdr_info *info, size_t size, void *data)
{
    const ElfW(Dyn) *entry = al_object_dynamic(info);
    struct search *search = data;
    bool calls = al_object_holds(info, search->caller);
    bool first = search->first;
    bool own = false;
    bool rpath = false;

    (void)size;
    search->first = false;
    search->program |= first && calls;
    search->known |= calls;
    /* The kernel's own object loads nothing; some have a path all the same. */
    if (al_object_is_kernels(info))
        return 0;
    for (; entry && entry->d_tag != DT_NULL; entry++) {
        own |= entry->d_tag == DT_RUNPATH ||
               (entry->d_tag == DT_FLAGS_1 && entry->d_un.d_val & DF_1_NODEFLIB);
        rpath |= entry->d_tag == DT_RPATH;
    }
    return (own && calls && !search->path) || (rpath && !first && !search->program);
}

/* Who is in no object, or in one of another namespace, is taken for another. */
static bool caller_matters(const char *name, void *caller)
{
    struct search search = {
        .caller = (uintptr_t)caller, .path = name && strchr(name, '/'), .first = true};

    return (name && strchr(name, '$')) || dl_iterate_phdr(caller_may_matter_by, &search) != 0 ||
           !search.known;
}

void al_load_forked(void)
{
    __atomic_store_n(&pending, false, __ATOMIC_RELAXED);
    al_load_on_fault_forked();
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

static void *open_on_fault(const char *name, int flags)
{
    struct al_loading loading = al_load_on_fault_begin(__builtin_frame_address(0));
    void *library = al_real.dlopen(name, flags);

    al_load_on_fault_end(&loading, library != NULL);
    return library;
}

AL_EXPORT void *dlopen(const char *name, int flags)
{
    al_count(AL_COUNT_calls_dlopen);
    if (!al_real_resolve() || !al_real.dlopen)
        return NULL;
    if (al_lock_alloc_wants_images()) {
        if (!caller_matters(name, __builtin_return_address(0)))
            return open_and_judge(name, flags);
        __atomic_store_n(&pending, true, __ATOMIC_RELEASE);
    }
    al_backend_look("a library is loaded under a memlock limit: each region is locked by itself");
    if (name && !(flags & RTLD_NOLOAD) && al_load_is_on_fault() &&
        !caller_matters(name, __builtin_return_address(0)))
        return open_on_fault(name, flags);
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
