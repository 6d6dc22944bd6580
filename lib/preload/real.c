#include "real.h"

#include "family.h"
#include "heap_table.h"
#include "sys.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <sys/mman.h>

/*
 * glibc 2.34 moved dlsym into libc and gave it a new version. Bound to the first version it ever
 * had, the library loads on older systems as well.
 */
#if defined(__GLIBC__)
#    if defined(__x86_64__) && defined(__LP64__)
__asm__(".symver dlsym, dlsym@GLIBC_2.2.5");
#    elif defined(__aarch64__)
__asm__(".symver dlsym, dlsym@GLIBC_2.17");
#    elif defined(__i386__)
__asm__(".symver dlsym, dlsym@GLIBC_2.0");
#    elif defined(__arm__)
__asm__(".symver dlsym, dlsym@GLIBC_2.4");
#    endif
#endif

/* A kernel's answer as libc's functions give it. */
static long with_errno(long result)
{
    if (!al_sys_failed(result))
        return result;
    errno = (int)-result;
    return -1;
}

static void *raw_mmap(void *start, size_t length, int protection, int flags, int fd, off_t offset)
{
    return (void *)with_errno(al_sys_mmap(start, length, protection, flags, fd, offset));
}

#if !defined(__LP64__)
static void *raw_mmap64(void *start, size_t length, int protection, int flags, int fd,
                        int64_t offset)
{
    return (void *)with_errno(al_sys_mmap(start, length, protection, flags, fd, offset));
}
#endif

static int raw_munmap(void *start, size_t length)
{
    return (int)with_errno(al_sys2(SYS_munmap, start, length));
}

static void *raw_mremap(void *start, size_t old_length, size_t new_length, int flags, ...)
{
    va_list arguments;
    void *target;

    va_start(arguments, flags);
    target = va_arg(arguments, void *);
    va_end(arguments);
    return (void *)with_errno(al_sys6(SYS_mremap, (long)start, (long)old_length, (long)new_length,
                                      flags, (long)target, 0));
}

static int raw_mprotect(void *start, size_t length, int protection)
{
    return (int)with_errno(al_sys3(SYS_mprotect, start, length, protection));
}

static int raw_pkey_mprotect(void *start, size_t length, int protection, int key)
{
    /* As glibc does: without a key it is mprotect, on every kernel. */
    if (key == -1)
        return raw_mprotect(start, length, protection);
    return (int)with_errno(al_sys4(SYS_pkey_mprotect, start, length, protection, key));
}

static int raw_madvise(void *start, size_t length, int advice)
{
    return (int)with_errno(al_sys3(SYS_madvise, start, length, advice));
}

static int raw_prctl(int option, unsigned long b, unsigned long c, unsigned long d, unsigned long e)
{
    return (int)with_errno(al_sys6(SYS_prctl, option, (long)b, (long)c, (long)d, (long)e, 0));
}

static long raw_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    return with_errno(al_sys6(number, a, b, c, d, e, f));
}

static int raw_msync(void *start, size_t length, int flags)
{
    return (int)with_errno(al_sys3(SYS_msync, start, length, flags));
}

static int raw_execve(const char *path, char *const argv[], char *const envp[])
{
    return (int)with_errno(al_sys3(SYS_execve, path, argv, envp));
}

static int raw_execveat(int directory, const char *path, char *const argv[], char *const envp[],
                        int flags)
{
    return (int)with_errno(
        al_sys6(SYS_execveat, directory, (long)path, (long)argv, (long)envp, flags, 0));
}

static int raw_mlock(const void *start, size_t length)
{
    return (int)with_errno(al_sys2(SYS_mlock, start, length));
}

static int raw_mlock2(const void *start, size_t length, unsigned flags)
{
    /* As glibc does: without flags it is mlock, on every kernel. */
    if (!flags)
        return raw_mlock(start, length);
    return (int)with_errno(al_sys3(SYS_mlock2, start, length, flags));
}

static int raw_munlock(const void *start, size_t length)
{
    return (int)with_errno(al_sys2(SYS_munlock, start, length));
}

static int raw_mlockall(int flags)
{
    return (int)with_errno(al_sys1(SYS_mlockall, flags));
}

static int raw_munlockall(void)
{
    return (int)with_errno(al_sys0(SYS_munlockall));
}

struct al_real al_real = {
#define AL_REAL(result, name, arguments) .name = raw_##name,
    AL_REAL_MAP
#undef AL_REAL
#if !defined(__LP64__)
        .mmap64 = raw_mmap64,
#endif
};

void *al_real_find(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

/* Sets one entry if the process has the function, without a moment in which it is NULL. */
static void resolve(void *entry, const char *name)
{
    void *found = al_real_find(name);

    if (found)
        __atomic_store_n((void **)entry, found, __ATOMIC_RELAXED);
}

void al_real_resolve_threads(void)
{
    resolve(&al_real.pthread_create, "pthread_create");
    resolve(&al_real.pthread_key_create, "pthread_key_create");
    resolve(&al_real.pthread_setspecific, "pthread_setspecific");
}

bool al_real_resolve(void)
{
    enum { UNRESOLVED, RESOLVING, RESOLVED };
    static int state;
    int expected = UNRESOLVED;

    if (__atomic_load_n(&state, __ATOMIC_ACQUIRE) == RESOLVED)
        return true;
    if (!__atomic_compare_exchange_n(&state, &expected, RESOLVING, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE))
        return expected == RESOLVED;

#define AL_REAL(result, name, arguments) resolve(&al_real.name, #name);
    AL_REAL_HEAP
    AL_REAL_MAP
    AL_REAL_OTHER
#undef AL_REAL
#if !defined(__LP64__)
    resolve(&al_real.mmap64, "mmap64");
#endif
    al_family_complete();
    al_heap_connect();
    __atomic_store_n(&state, RESOLVED, __ATOMIC_RELEASE);
    return true;
}
