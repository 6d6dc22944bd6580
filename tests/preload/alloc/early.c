/*
 * Preloaded after the library, and so initialized before it: makes memory that exists when the
 * library starts.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BYTES = 64 * 4096 };

extern char *early_small, *early_large, *early_anon, *early_reserved, *early_shared, *early_file;
char *early_small, *early_large, *early_anon, *early_reserved, *early_shared, *early_file;

static char *map(int protection, int flags, int fd)
{
    return mmap(NULL, BYTES, protection, flags, fd, 0);
}

static void __attribute__((constructor)) begin(void)
{
    char name[] = "/tmp/autolock_early.XXXXXX";
    int fd = mkstemp(name);

    if (fd < 0 || unlink(name) || ftruncate(fd, BYTES))
        _exit(1);
    early_small = malloc(3000);
    early_large = malloc(1 << 20);
    early_anon = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    early_reserved = map(PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
    early_shared = map(PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
    early_file = map(PROT_READ | PROT_WRITE, MAP_SHARED, fd);
    close(fd);
}
