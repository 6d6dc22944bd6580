/*
 * Holds 64 MiB in pieces of many sizes, half of them by malloc and half by mmap, all of it written
 * to, until SIGTERM; then adds up what it wrote and ends with status 4.
 *
 *     holder READY      the file READY is made once all is there
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HALF ((size_t)32 << 20)

enum { PIECES = 4096, FAILED = 1, HELD = 4 };

static struct {
    unsigned char *at;
    size_t size;
} pieces[PIECES];
static size_t count;

static void hold(unsigned char *at, size_t size)
{
    if (!at || at == MAP_FAILED || count == PIECES) {
        perror("holder");
        exit(FAILED);
    }
    memset(at, (int)(count % 251), size);
    pieces[count].at = at;
    pieces[count].size = size;
    count++;
}

/* Sizes from `least` on, doubled up to `most` and begun again, until half is had. */
static void hold_half(size_t least, size_t most, unsigned char *(*get)(size_t))
{
    size_t size = least;

    for (size_t had = 0; had < HALF; had += size) {
        hold(get(size), size);
        size = size < most ? size * 2 : least;
    }
}

static unsigned char *by_malloc(size_t size)
{
    return malloc(size);
}

static unsigned char *by_mmap(size_t size)
{
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

int main(int argc, char **argv)
{
    unsigned long sum = 0;
    sigset_t end;
    int sent;
    int ready;

    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    sigprocmask(SIG_BLOCK, &end, NULL);
    hold_half(1 << 10, 1 << 20, by_malloc);
    hold_half(1 << 16, 1 << 22, by_mmap);
    ready = argc > 1 ? open(argv[1], O_CREAT | O_WRONLY | O_CLOEXEC, 0644) : -1;
    if (ready < 0) {
        perror("holder");
        return FAILED;
    }
    sigwait(&end, &sent);
    for (size_t i = 0; i < count; i++)
        for (size_t at = 0; at < pieces[i].size; at += 64)
            sum = sum * 31 + pieces[i].at[at];
    printf("%zu pieces, %lx\n", count, sum);
    return HELD;
}
