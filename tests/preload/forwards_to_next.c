/*
 * What the library replaces goes on to the next library that replaces it, once a call.
 *
 *     forwards_to_next [_exit]
 */
#include "expect.h"
#include "next_library.h"

#include <malloc.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/wait.h>

static unsigned long *calls;

/* How often the function is reached by the statement, itself only. */
#define REACHES(name, statement)                                                                   \
    do {                                                                                           \
        unsigned long before_ = calls[NEXT_##name];                                                \
        statement;                                                                                 \
        expect_equal(calls[NEXT_##name] - before_, 1);                                             \
    } while (0)

static void *nothing(void *unused)
{
    return unused;
}

int main(int argc, char **argv)
{
    void *block = NULL;
    void *aligned = NULL;
    void *attached = NULL;
    char *page = NULL;
    int segment;
    pthread_t thread;
    pid_t child = -1;

    prove_loaded();
    calls = dlsym(RTLD_DEFAULT, "next_calls");
    expect(calls);
    if (argc > 1) {
        expect(strcmp(argv[1], "_exit") == 0);
        _exit(4);
    }

    REACHES(malloc, block = malloc(10));
    REACHES(realloc, block = realloc(block, 20));
    REACHES(malloc_usable_size, expect(malloc_usable_size(block) >= 20));
    REACHES(free, free(block));
    REACHES(calloc, block = calloc(1, 10));
    REACHES(realloc, block = reallocarray(block, 2, 10));
    free(block);
    REACHES(posix_memalign, expect(posix_memalign(&aligned, 64, 10) == 0));
    free(aligned);
    REACHES(aligned_alloc, aligned = aligned_alloc(64, 64));
    free(used(aligned));
    REACHES(memalign, aligned = memalign(64, 64));
    free(used(aligned));
    REACHES(valloc, aligned = valloc(64));
    free(used(aligned));
    REACHES(pvalloc, aligned = pvalloc(64));
    free(used(aligned));

    REACHES(mmap, page = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    REACHES(mprotect, expect(mprotect(page, PAGE, PROT_READ | PROT_WRITE) == 0));
    REACHES(madvise, expect(madvise(page, PAGE, MADV_NORMAL) == 0));
    REACHES(msync, expect(msync(page, PAGE, MS_ASYNC) == 0));
    REACHES(mlock, (void)mlock(page, PAGE));
    REACHES(mlock2, (void)mlock2(page, PAGE, 1));
    REACHES(munlock, (void)munlock(page, PAGE));
    REACHES(mremap, page = mremap(page, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
    REACHES(munmap, expect(munmap(page, 2 * PAGE) == 0));
    REACHES(mlockall, expect(mlockall(0) == -1));
    REACHES(munlockall, expect(munlockall() == 0));
    REACHES(sbrk, expect(sbrk(0) != (void *)-1));
    REACHES(brk, expect(brk(sbrk(0)) == 0));
    segment = shmget(IPC_PRIVATE, PAGE, 0600);
    REACHES(shmat, attached = shmat(segment, NULL, 0));
    REACHES(shmdt, (void)shmdt(attached));
    (void)shmctl(segment, IPC_RMID, NULL);

    REACHES(pthread_create, expect(pthread_create(&thread, NULL, nothing, NULL) == 0));
    expect(pthread_join(thread, NULL) == 0);
    REACHES(dlopen, expect(dlopen("libc.so.6", RTLD_NOW)));
    REACHES(fork, child = fork());
    if (child == 0)
        syscall(SYS_exit_group, 0);
    expect(waitpid(child, NULL, 0) == child);
    return 0;
}
