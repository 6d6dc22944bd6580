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

/* By code that is in no object: the program is meant. */
static void *open_from_nowhere(const char *name)
{
#if defined(__x86_64__)
    static const unsigned char call[] = {0x48, 0x83, 0xec, 0x08, /* sub $8, %rsp */
                                         0xff, 0xd2,             /* call *%rdx */
                                         0x48, 0x83, 0xc4, 0x08, /* add $8, %rsp */
                                         0xc3};                  /* ret */
    void *(*open)(const char *name, int flags, void *(*function)(const char *, int));
    void *code = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    expect(code != MAP_FAILED);
    memcpy(code, call, sizeof(call));
    expect(mprotect(code, PAGE, PROT_READ | PROT_EXEC) == 0);
    *(void **)&open = code;
    return open(name, RTLD_NOW, dlopen);
#else
    return dlopen(name, RTLD_NOW);
#endif
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
    expect(strcmp(where(open_from_nowhere("libonlyprogram2.so")), "program") == 0);
    return 0;
}
