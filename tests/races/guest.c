#include "guest.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096 };

#if !defined(GUEST_TAKES)
#    define GUEST_TAKES 0
#endif
#if !defined(GUEST_LOCKS)
#    define GUEST_LOCKS 0
#endif

static const int takes = GUEST_TAKES;
static const int locks = GUEST_LOCKS;
static char bytes[GUEST_BYTES] __attribute__((aligned(PAGE)));
static struct guest guest = {.bytes = bytes, .length = sizeof(bytes)};

static char *map(size_t length)
{
    char *start = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return start == MAP_FAILED ? NULL : start;
}

__attribute__((constructor)) static void take(void)
{
    if (takes && sbrk(takes) == (void *)-1)
        abort();
    if (locks) {
        guest.own = bytes + locks;
        if (mlock(guest.own, PAGE))
            abort();
    }
    guest.small = map(GUEST_SMALL);
    guest.large = map(GUEST_LARGE);
    for (size_t i = 0; i < GUEST_BLOCKS; i++)
        guest.blocks[i] = malloc(GUEST_BLOCK);
}

guest_function guest_holds;

const struct guest *guest_holds(void)
{
    return &guest;
}
