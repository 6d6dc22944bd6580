/* A library that has another one with it: it needs that, or its constructor loads it, if only in a
 * child that it forks. */
#include "guest.h"

#include <dlfcn.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#if !defined(HOST_FORKS)
#    define HOST_FORKS 0
#endif

guest_function guest_of_host;

#if defined(HOST_LOADS)
static guest_function *guest_holds;

__attribute__((constructor)) static void load(void)
{
    char folder[2048];
    char path[4096];
    Dl_info own;
    pid_t child = HOST_FORKS ? fork() : 0;
    int status = -1;
    void *library;

    if (child) {
        if (waitpid(child, &status, 0) != child || status)
            abort();
        return;
    }
    if (!dladdr((void *)guest_of_host, &own))
        return;
    (void)snprintf(folder, sizeof(folder), "%s", own.dli_fname);
    (void)snprintf(path, sizeof(path), "%s/%s", dirname(folder), HOST_LOADS);
    library = dlopen(path, RTLD_NOW);
    if (library)
        *(void **)&guest_holds = dlsym(library, "guest_holds");
    if (HOST_FORKS)
        _exit(!library);
}
#else
guest_function guest_holds;
#endif

const struct guest *guest_of_host(void)
{
    return guest_holds();
}
