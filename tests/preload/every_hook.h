/*
 * A round through everything the library replaces, for places where that may go wrong:
 * constructors, destructors, handlers, children. Ends the process with status 1 on any failure.
 */
#ifndef EVERY_HOOK_H
#define EVERY_HOOK_H

#include "expect.h"

#include <malloc.h>
#include <pthread.h>
#include <sys/wait.h>

static inline void *every_hook_in_thread(void *unused)
{
    char *block = calloc(100, 10);

    expect(block && block[999] == 0);
    free(block);
    return unused;
}

static inline void every_hook_of_memory(void)
{
    const int rw = PROT_READ | PROT_WRITE;
    void *aligned = NULL;
    char *block = malloc(100);
    char *page;

    expect(block);
    memset(used(block), 7, 100);
    block = realloc(block, 100000);
    expect(block && block[0] == 7 && block[99] == 7);
    expect(malloc_usable_size(block) >= 100000);
    block = reallocarray(block, 10, 10);
    expect(block && block[99] == 7);
    free(block);
    block = calloc(10, 10);
    expect(block && block[99] == 0);
    free(block);
    expect(posix_memalign(&aligned, 256, 100) == 0 && (uintptr_t)aligned % 256 == 0);
    free(aligned);
    aligned = memalign(512, 100);
    expect(aligned && (uintptr_t)aligned % 512 == 0);
    free(aligned);
    aligned = aligned_alloc(64, 128);
    expect(aligned && (uintptr_t)aligned % 64 == 0);
    free(aligned);

    page = mmap(NULL, PAGE, rw, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    expect(page != MAP_FAILED);
    *page = 7;
    page = mremap(page, PAGE, 4 * PAGE, MREMAP_MAYMOVE);
    expect(page != MAP_FAILED && *page == 7);
    expect(mprotect(page, PAGE, PROT_READ) == 0 && *page == 7);
    expect(madvise(page, 4 * PAGE, MADV_NORMAL) == 0);
    expect(munmap(page, 4 * PAGE) == 0);
    expect(sbrk(0) != (void *)-1);
}

static inline void every_hook(void)
{
    pthread_t thread;
    pid_t child;
    int status = -1;

    every_hook_of_memory();
    expect(pthread_create(&thread, NULL, every_hook_in_thread, NULL) == 0);
    expect(pthread_join(thread, NULL) == 0);
#if defined(__GLIBC__)
    expect(dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD));
#else
    expect(dlopen(NULL, RTLD_NOW));
#endif
    child = fork();
    expect(child >= 0);
    if (child == 0) {
        every_hook_of_memory();
        _exit(3);
    }
    expect(waitpid(child, &status, 0) == child);
    expect(WIFEXITED(status) && WEXITSTATUS(status) == 3);
}

#endif
