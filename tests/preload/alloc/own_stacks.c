/*
 * Preloaded after the library: gives each thread a stack of its own, of the program's memory, where
 * the program leaves it to libc.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { STACK = 64 << 10 };

int pthread_create(pthread_t *ret_thread, const pthread_attr_t *attributes,
                   void *(*routine)(void *), void *argument)
{
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    pthread_attr_t own;

    (void)attributes;
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    if (pthread_attr_init(&own) || pthread_attr_setstack(&own, malloc(STACK), STACK))
        _exit(1);
    return real(ret_thread, &own, routine, argument);
}
