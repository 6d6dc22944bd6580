/*
 * dlopen looks for a library where its caller's RUNPATH says: the program's own, a shared
 * library's, and one with $ORIGIN. With OF_ALL the same by RPATH: that of the program holds for
 * all.
 */
#include "expect.h"

#if !defined(OF_ALL)
#    define OF_ALL false
#endif

void *open_for_me(const char *name);

static const char *where(void *library)
{
    const char *(*where_am_i)(void);

    if (!library)
        end_with_1("%s\n", dlerror());
    where_am_i = (const char *(*)(void))dlsym(library, "where_am_i");
    expect(where_am_i);
    return where_am_i();
}

int main(void)
{
    prove_loaded();
    expect(strcmp(where(dlopen("libonlyprogram.so", RTLD_NOW)), "program") == 0);
    expect(strcmp(where(open_for_me("libonlylibrary.so")), "library") == 0);
    expect(!dlopen("libonlylibrary.so.0", RTLD_NOW));
    /* Each knows only its own directory. */
    expect(!dlopen("libonlylibrary2.so", RTLD_NOW));
    expect((open_for_me("libonlyprogram2.so") != NULL) == OF_ALL);
    expect(strcmp(where(open_for_me("libonlylibrary2.so")), "library") == 0);
    expect(strcmp(where(dlopen("libonlyprogram2.so", RTLD_NOW)), "program") == 0);
    return 0;
}
