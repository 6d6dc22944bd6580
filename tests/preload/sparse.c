/*
 * Asks for far more memory than there is, uses ten pages of it or one a piece, and gives it back:
 *
 *     sparse HOW SIZE
 *
 * HOW: `noreserve` and `plain` anonymous memory, `opened` reserved first and made accessible as a
 * whole afterwards, a `file` that is shared, `malloc`, or `pieces` of 1 MiB by malloc. Tells what
 * it read back, or that the kernel refused.
 */
#include "expect.h"

#define PIECE ((size_t)1 << 20)

enum { PAGES = 10, MOST_PIECES = 1 << 14 };

static void *mapped(size_t size, int protection, int flags, int fd)
{
    void *start = mmap(NULL, size, protection, flags, fd, 0);

    return start == MAP_FAILED ? NULL : start;
}

static void *opened(size_t size)
{
    void *start = mapped(size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);

    if (start && mprotect(start, size, PROT_READ | PROT_WRITE)) {
        expect(munmap(start, size) == 0);
        return NULL;
    }
    return start;
}

static void *file(size_t size)
{
    char name[] = "/tmp/autolock-sparse-XXXXXX";
    int fd = mkstemp(name);
    void *start = NULL;

    expect(fd >= 0);
    expect(unlink(name) == 0);
    if (ftruncate(fd, (off_t)size) == 0)
        start = mapped(size, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
    expect(close(fd) == 0);
    return start;
}

static void *get(const char *how, size_t size)
{
    if (strcmp(how, "noreserve") == 0)
        return mapped(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                      -1);
    if (strcmp(how, "plain") == 0)
        return mapped(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    if (strcmp(how, "opened") == 0)
        return opened(size);
    if (strcmp(how, "file") == 0)
        return file(size);
    if (strcmp(how, "malloc") == 0)
        return malloc(size);
    end_with_1("no such way: %s\n", how);
}

/* Pages as far from each other as can be. */
static unsigned use(volatile unsigned char *start, size_t size)
{
    size_t distance = size / PAGES / PAGE * PAGE;
    unsigned sum = 0;

    for (size_t i = 0; i < PAGES; i++) {
        expect_equal(start[i * distance + 1], 0);
        start[i * distance] = (unsigned char)(i + 1);
    }
    for (size_t i = 0; i < PAGES; i++)
        sum += start[i * distance];
    return sum;
}

static unsigned use_pieces(size_t size)
{
    static unsigned char *pieces[MOST_PIECES];
    size_t count = size / PIECE;
    unsigned sum = 0;

    expect(count <= MOST_PIECES);
    for (size_t i = 0; i < count; i++) {
        pieces[i] = used(malloc(PIECE));
        expect(pieces[i] != NULL);
        pieces[i][PIECE / 2] = 1;
    }
    for (size_t i = 0; i < count; i++) {
        sum += pieces[i][PIECE / 2];
        free(pieces[i]);
    }
    return sum;
}

int main(int argc, char **argv)
{
    size_t size = argc == 3 ? (size_t)strtoull(argv[2], NULL, 10) : 0;
    unsigned char *start;

    expect(size >= PIECE);
    if (strcmp(argv[1], "pieces") == 0) {
        printf("%u pieces\n", use_pieces(size));
        return 0;
    }
    start = used(get(argv[1], size));
    if (!start) {
        printf("refused, errno %d\n", errno);
        return 0;
    }
    printf("read %u\n", use(start, size));
    if (strcmp(argv[1], "malloc") == 0)
        free(start);
    else
        expect(munmap(start, size) == 0);
    return 0;
}
