/* Opens a library by its bare name, with the RUNPATH or RPATH of the library that this is a part
 * of. */
#include <dlfcn.h>

void *open_for_me(const char *name);
void *open_for_me(const char *name)
{
    return dlopen(name, RTLD_NOW);
}
