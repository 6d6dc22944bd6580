/*
 * Mappings, locks and the heap's end: results and errno, of what must work and of what must fail;
 * the failures also as the kernel itself gives them.
 *
 *     map_calls [--unlocked]      --unlocked: also what is told apart only where memory is not
 * locked
 */
#include "calls.h"

#include <sys/ipc.h>
#include <sys/shm.h>

enum { RW = PROT_READ | PROT_WRITE, ANON = MAP_PRIVATE | MAP_ANONYMOUS };

static char *pages(size_t count)
{
    char *start = mmap(NULL, count * PAGE, RW, ANON, -1, 0);

    expect(start != MAP_FAILED);
    return start;
}

/* An address where nothing is. */
static char *hole(void)
{
    char *start = pages(16);

    expect(munmap(start, (size_t)16 * PAGE) == 0);
    return start + (size_t)4 * PAGE;
}

static void show_mmap(void)
{
    const int file = open("/proc/self/exe", O_RDONLY);
    const int write_only = open("/dev/null", O_WRONLY);
    const int directory = open("/", O_RDONLY);
    char *start;
    char *again;

    SHOW_FAILURE(mmap(NULL, 0, RW, ANON, -1, 0), SYS_mmap, NULL, 0L, RW, ANON, -1, 0L);
    SHOW_FAILURE(mmap(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0), SYS_mmap, NULL, (long)PAGE, RW,
                 MAP_ANONYMOUS, -1, 0L);
    SHOW_FAILURE(mmap(NULL, PAGE, RW, MAP_PRIVATE, -1, 0), SYS_mmap, NULL, (long)PAGE, RW,
                 MAP_PRIVATE, -1, 0L);
    SHOW_FAILURE(mmap(NULL, PAGE, RW, MAP_PRIVATE, file, 1), SYS_mmap, NULL, (long)PAGE, RW,
                 MAP_PRIVATE, file, 1L);
    SHOW_FAILURE(mmap(NULL, SIZE_MAX, RW, ANON, -1, 0), SYS_mmap, NULL, SIZE_MAX, RW, ANON, -1, 0L);
    SHOW_FAILURE(mmap(NULL, BEYOND, RW, ANON, -1, 0), SYS_mmap, NULL, BEYOND, RW, ANON, -1, 0L);
    SHOW_FAILURE(mmap((void *)1, PAGE, RW, ANON | MAP_FIXED, -1, 0), SYS_mmap, 1L, (long)PAGE, RW,
                 ANON | MAP_FIXED, -1, 0L);
    SHOW_FAILURE(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, write_only, 0), SYS_mmap, NULL,
                 (long)PAGE, PROT_READ, MAP_PRIVATE, write_only, 0L);
    SHOW_FAILURE(mmap(NULL, PAGE, RW, MAP_SHARED, file, 0), SYS_mmap, NULL, (long)PAGE, RW,
                 MAP_SHARED, file, 0L);
    SHOW_FAILURE(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, directory, 0), SYS_mmap, NULL, (long)PAGE,
                 PROT_READ, MAP_PRIVATE, directory, 0L);
    SHOW_FAILURE(mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE, file, -(long)PAGE), SYS_mmap, NULL,
                 2L * PAGE, PROT_READ, MAP_PRIVATE, file, -(long)PAGE);

    SHOW_POINTER(start, mmap(NULL, 4 * PAGE, RW, ANON, -1, 0), PAGE);
    SHOW_FAILURE(mmap(start, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), SYS_mmap, start,
                 (long)PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0L);
    *start = 1;
    SHOW_POINTER(again, mmap(start, PAGE, RW, ANON | MAP_FIXED, -1, 0), PAGE);
    SHOW_INT(again == start && *start == 0);
    SHOW_POINTER(again, mmap64(NULL, PAGE, PROT_READ, MAP_PRIVATE, file, 0), PAGE);
    SHOW_INT(memcmp(again, "\177ELF", 4));
    SHOW_INT(munmap(again, PAGE));
    SHOW_POINTER(again, mmap(NULL, 100, PROT_NONE, ANON | MAP_NORESERVE, -1, 0), PAGE);
    SHOW_INT(munmap(again, 100));

    SHOW_FAILURE(munmap(start + 1, PAGE), SYS_munmap, start + 1, (long)PAGE);
    SHOW_FAILURE(munmap(start, 0), SYS_munmap, start, 0L);
    SHOW_FAILURE(munmap(start, SIZE_MAX), SYS_munmap, start, SIZE_MAX);
    SHOW_FAILURE(munmap(hole(), PAGE), SYS_munmap, hole(), (long)PAGE);
    SHOW_INT(munmap(start, 4 * PAGE));
    close(file);
    close(write_only);
    close(directory);
}

static void show_mremap(void)
{
    char *start = pages(4);
    char *place = pages(8);
    char *moved;

    SHOW_FAILURE((long)mremap(start + 1, PAGE, PAGE, 0), SYS_mremap, start + 1, (long)PAGE,
                 (long)PAGE, 0, 0L);
    SHOW_FAILURE((long)mremap(start, PAGE, 0, 0), SYS_mremap, start, (long)PAGE, 0L, 0, 0L);
    SHOW_FAILURE((long)mremap(start, PAGE, PAGE, 0x100), SYS_mremap, start, (long)PAGE, (long)PAGE,
                 0x100, 0L);
    SHOW_FAILURE((long)mremap(start, PAGE, PAGE, MREMAP_FIXED, place), SYS_mremap, start,
                 (long)PAGE, (long)PAGE, MREMAP_FIXED, place);
    SHOW_FAILURE((long)mremap(start, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place + 1),
                 SYS_mremap, start, (long)PAGE, (long)PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
                 place + 1);
    SHOW_FAILURE((long)mremap(start, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, start), SYS_mremap,
                 start, (long)PAGE, (long)PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, start);
    SHOW_FAILURE((long)mremap(start, PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL),
                 SYS_mremap, start, (long)PAGE, 2L * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0L);
    SHOW_FAILURE((long)mremap(hole(), PAGE, 2 * PAGE, MREMAP_MAYMOVE), SYS_mremap, hole(),
                 (long)PAGE, 2L * PAGE, MREMAP_MAYMOVE, 0L);
    /* No room to grow in place: the next page is taken. */
    SHOW_FAILURE((long)mremap(start, PAGE, 2 * PAGE, 0), SYS_mremap, start, (long)PAGE, 2L * PAGE,
                 0, 0L);

    strcpy(start, "content");
    SHOW_POINTER(moved, mremap(start, 4 * PAGE, 4 * PAGE, 0), PAGE);
    SHOW_INT(moved == start);
    SHOW_POINTER(moved, mremap(start, 4 * PAGE, 2 * PAGE, 0), PAGE);
    SHOW_INT(moved == start);
    SHOW_POINTER(moved, mremap(start, 2 * PAGE, 64 * PAGE, MREMAP_MAYMOVE), PAGE);
    SHOW_INT(strcmp(moved, "content"));
    start = moved;
    SHOW_POINTER(moved, mremap(start, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place),
                 PAGE);
    SHOW_INT(moved == place);
    SHOW_INT(strcmp(moved, "content"));
    SHOW_POINTER(moved,
                 mremap(place, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, place + 4 * PAGE),
                 PAGE);
    SHOW_INT(strcmp(moved, "content"));
    SHOW_INT(*place);
    SHOW_POINTER(moved,
                 mremap(moved, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP | MREMAP_FIXED,
                        place + 6 * PAGE),
                 PAGE);
    SHOW_INT(moved == place + 6 * PAGE);
    SHOW_INT(strcmp(moved, "content"));

    /* Old length 0: the same shared pages a second time. */
    start = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    strcpy(start, "shared");
    SHOW_POINTER(moved, mremap(start, 0, PAGE, MREMAP_MAYMOVE), PAGE);
    SHOW_INT(moved != start && strcmp(moved, "shared") == 0);
}

static void show_mprotect(void)
{
    const int file = open("/proc/self/exe", O_RDONLY);
    char *start = pages(4);
    char *mapped = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0);

    SHOW_FAILURE(mprotect(start + 1, PAGE, RW), SYS_mprotect, start + 1, (long)PAGE, RW);
    SHOW_FAILURE(mprotect(start, PAGE, 0x100), SYS_mprotect, start, (long)PAGE, 0x100);
    SHOW_FAILURE(mprotect(hole(), PAGE, RW), SYS_mprotect, hole(), (long)PAGE, RW);
    SHOW_FAILURE(mprotect(mapped, PAGE, RW), SYS_mprotect, mapped, (long)PAGE, RW);
    SHOW_FAILURE(mprotect(start, 0, RW), SYS_mprotect, start, 0L, RW);
    SHOW_INT(mprotect(start, 2 * PAGE, PROT_NONE));
    SHOW_INT(mprotect(start, 2 * PAGE, RW));
    SHOW_INT(mprotect(start, 4 * PAGE, PROT_READ | PROT_EXEC));
    close(file);
}

static void show_madvise(void)
{
    char *start = pages(4);

    *start = 1;
    SHOW_FAILURE(madvise(start, PAGE, 9999), SYS_madvise, start, (long)PAGE, 9999);
    SHOW_FAILURE(madvise(start + 1, PAGE, MADV_NORMAL), SYS_madvise, start + 1, (long)PAGE,
                 MADV_NORMAL);
    SHOW_FAILURE(madvise(hole(), PAGE, MADV_NORMAL), SYS_madvise, hole(), (long)PAGE, MADV_NORMAL);
    SHOW_FAILURE(madvise(start, PAGE, MADV_REMOVE), SYS_madvise, start, (long)PAGE, MADV_REMOVE);
    SHOW_INT(madvise(start, 0, MADV_NORMAL));
    SHOW_INT(madvise(start, 4 * PAGE, MADV_NORMAL));
    SHOW_INT(madvise(start, 4 * PAGE, MADV_RANDOM));
    SHOW_INT(madvise(start, 4 * PAGE, MADV_WILLNEED));
    SHOW_INT(madvise(start, 4 * PAGE, MADV_DONTFORK));
    /* Where memory is locked the kernel refuses these; the program must not notice. */
    SHOW_INT(madvise(start, 4 * PAGE, MADV_DONTNEED));
    SHOW_INT(*start);
    *start = 1;
    SHOW_INT(madvise(start, PAGE + 1, MADV_DONTNEED));
    SHOW_INT(*start);
    SHOW_INT(madvise(start, 4 * PAGE, MADV_FREE));
    SHOW_INT(madvise(start, 4 * PAGE, MADV_COLD));
    SHOW_INT(madvise(start, 4 * PAGE, MADV_PAGEOUT));
    /* And these are wrong with a lock and without. */
    SHOW_INT(madvise(start + 1, PAGE, MADV_DONTNEED));
    SHOW_INT(madvise(start + 1, PAGE, MADV_FREE));
    SHOW_INT(madvise(start, SIZE_MAX, MADV_DONTNEED));
    SHOW_INT(madvise(start, SIZE_MAX, MADV_FREE));
    SHOW_INT(madvise(start, SIZE_MAX, MADV_COLD));
    SHOW_INT(madvise(hole(), PAGE, MADV_DONTNEED));
    SHOW_INT(madvise(hole(), PAGE, MADV_FREE));
    SHOW_INT(madvise(hole(), PAGE, MADV_PAGEOUT));
    SHOW_INT(madvise(start, 0, MADV_DONTNEED));
}

/* Where memory is not locked, what the kernel refuses is refused. */
static void show_madvise_unlocked(void)
{
    char *shared = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    SHOW_FAILURE(madvise(shared, PAGE, MADV_FREE), SYS_madvise, shared, (long)PAGE, MADV_FREE);
}

static void show_heap_end(void)
{
    char *end = sbrk(0);

    SHOW_INT((char *)sbrk(3 * PAGE) == end);
    SHOW_INT((char *)sbrk(0) - end);
    SHOW_INT((char *)sbrk(-PAGE) - end);
    SHOW_INT(brk(end));
    SHOW_INT((char *)sbrk(0) - end);
    SHOW_INT((long)sbrk(INTPTR_MAX));
    SHOW_INT((long)sbrk(INTPTR_MIN));
    SHOW_INT(brk((void *)UINTPTR_MAX));
    SHOW_INT((char *)sbrk(0) - end);
}

static void show_shared_memory(void)
{
    const int id = shmget(IPC_PRIVATE, PAGE, 0600);
    char *start;
    void *second;

    if (id < 0) {
        puts("no shared memory segments");
        return;
    }
    SHOW_FAILURE((long)shmat(-1, NULL, 0), SYS_shmat, -1, NULL, 0);
    SHOW_FAILURE((long)shmat(id, (void *)1, 0), SYS_shmat, id, (void *)1, 0);
    SHOW_FAILURE((long)shmat(id, NULL, SHM_REMAP), SYS_shmat, id, NULL, SHM_REMAP);
    SHOW_FAILURE(shmdt(hole()), SYS_shmdt, hole());
    SHOW_FAILURE(shmdt((void *)1), SYS_shmdt, (void *)1);
    SHOW_POINTER(start, shmat(id, NULL, 0), PAGE);
    strcpy(start, "segment");
    SHOW_POINTER(second, shmat(id, NULL, SHM_RDONLY), PAGE);
    SHOW_INT(strcmp(second, "segment"));
    SHOW_INT(shmdt(start));
    SHOW_INT(shmdt(second));
    SHOW_FAILURE(shmdt(second), SYS_shmdt, second);
    SHOW_INT(shmctl(id, IPC_RMID, NULL));
    SHOW_FAILURE((long)shmat(id, NULL, 0), SYS_shmat, id, NULL, 0);
}

static void show_locks(void)
{
    char *start = pages(4);

    SHOW_FAILURE(mlock(hole(), PAGE), SYS_mlock, hole(), (long)PAGE);
    SHOW_FAILURE(mlock(start, SIZE_MAX), SYS_mlock, start, SIZE_MAX);
    SHOW_FAILURE(mlock2(start, PAGE, 2), SYS_mlock2, start, (long)PAGE, 2);
    SHOW_FAILURE(mlock2(hole(), PAGE, 1), SYS_mlock2, hole(), (long)PAGE, 1);
    SHOW_FAILURE(munlock(hole(), PAGE), SYS_munlock, hole(), (long)PAGE);
    SHOW_FAILURE(mlockall(0), SYS_mlockall, 0);
    SHOW_FAILURE(mlockall(4), SYS_mlockall, 4);
    SHOW_FAILURE(mlockall(-1), SYS_mlockall, -1);
    SHOW_INT(mlock(start, 1));
    SHOW_INT(mlock(start + 5, 0));
    SHOW_INT(mlock2(start, PAGE, 0));
    SHOW_INT(mlock2(start, PAGE, 1));
    SHOW_INT(munlock(start, 4 * PAGE));
    SHOW_INT(mlockall(MCL_CURRENT));
    SHOW_INT(munlockall());
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOFBF, 0);
    show_mmap();
    show_mremap();
    show_mprotect();
    show_madvise();
    if (argc > 1 && strcmp(argv[1], "--unlocked") == 0)
        show_madvise_unlocked();
    show_heap_end();
    show_shared_memory();
    show_locks();
    return 0;
}
