/*
 * fork, pthread_create and dlopen: results, errno and messages, of what must work and of what must
 * fail.
 */
#include "calls.h"

#include <pthread.h>
#include <sys/wait.h>

static void *add_one(void *number)
{
    return (char *)number + 1;
}

static void show_threads(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    void *result;

    SHOW_INT(pthread_create(&thread, NULL, add_one, (void *)41));
    SHOW_INT(pthread_join(thread, &result));
    SHOW_INT((intptr_t)result);
    SHOW_INT(pthread_attr_init(&attributes));
    SHOW_INT(pthread_attr_setstacksize(&attributes, BEYOND));
    SHOW_INT(pthread_create(&thread, &attributes, add_one, NULL));
    SHOW_INT(pthread_attr_setstacksize(&attributes, 1 << 20));
    SHOW_INT(pthread_attr_setguardsize(&attributes, 0));
    SHOW_INT(pthread_create(&thread, &attributes, add_one, (void *)1));
    SHOW_INT(pthread_join(thread, &result));
    SHOW_INT((intptr_t)result);
}

static void show_fork(void)
{
    int status = 0;
    pid_t child;

    fflush(stdout);
    errno = ERRNO_UNTOUCHED;
    child = fork();
    if (child == 0)
        _exit(errno == ERRNO_UNTOUCHED ? 5 : 6);
    printf("fork = %s, errno %d\n", child < 0 ? "-1" : "child", errno);
    SHOW_INT(waitpid(child, &status, 0) == child);
    SHOW_INT(status);
}

static void show_dlopen(void)
{
    void *self = dlopen(NULL, RTLD_NOW);
    void *libc;

    SHOW_INT(self != NULL && dlsym(self, "puts") == (void *)(uintptr_t)puts);
    SHOW_INT(dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD) != NULL);
    libc = dlopen("libc.so.6", RTLD_LAZY);
    SHOW_INT(libc != NULL && dlsym(libc, "getpid") != NULL);
    SHOW_INT(dlopen("libthere.is.none.so", RTLD_NOW) == NULL);
    puts(dlerror());
    SHOW_INT(dlopen("/dev/null", RTLD_NOW) == NULL);
    puts(dlerror());
    SHOW_INT(dlopen("libc.so.6", 0) == NULL);
    puts(dlerror());
    SHOW_INT(dlopen("libm.so.6", RTLD_NOW | RTLD_NOLOAD) == NULL);
    SHOW_INT(dlerror() == NULL);
}

int main(void)
{
    /* What our own dlsym has left behind must not be the program's. */
    printf("dlerror at start: %s\n", dlerror() ? "something" : "nothing");
    show_threads();
    show_fork();
    show_dlopen();
    return 0;
}
