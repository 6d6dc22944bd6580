#include "patterns.h"

#include "autolock/autolock.h"

enum { LIVING = 6 };

static unsigned char byte_at(const struct piece *piece, size_t at)
{
    return (unsigned char)(piece->mark + at / 64 + at);
}

struct piece piece_make(unsigned long number, unsigned char mark)
{
    static const size_t sizes[] = {24, 700, 5000, 40000, 150000, 400000};
    struct piece piece = {.length = sizes[number % 6] + number * 7919 % 512,
                          .mapping = number % 7 == 0,
                          .mark = mark};

    if (piece.mapping)
        piece.start =
            mmap(NULL, piece.length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    else
        piece.start = malloc(piece.length);
    expect(piece.start && piece.start != MAP_FAILED);
    for (size_t i = 0; i < piece.length; i++)
        piece.start[i] = byte_at(&piece, i);
    return piece;
}

void piece_check(const struct piece *piece)
{
    for (size_t i = 0; i < piece->length; i++)
        if (piece->start[i] != byte_at(piece, i))
            end_with_1("byte %zu of %zu at %p is %d, not %d\n", i, piece->length,
                       (void *)piece->start, piece->start[i], byte_at(piece, i));
}

void piece_end(struct piece *piece)
{
    if (!piece->start)
        return;
    piece_check(piece);
    if (piece->mapping)
        expect(munmap(piece->start, piece->length) == 0);
    else
        free(piece->start);
    piece->start = NULL;
}

/* Of blocks alone: realloc. Of mappings: their protection. */
static void change(struct piece *piece)
{
    size_t length = piece->length;

    if (piece->mapping) {
        expect(mprotect(piece->start, length, PROT_READ) == 0);
        piece_check(piece);
        expect(mprotect(piece->start, length, PROT_READ | PROT_WRITE) == 0);
        return;
    }
    piece->start = realloc(piece->start, 2 * length);
    expect(piece->start);
    piece_check(piece);
    piece->length = 2 * length;
    for (size_t i = length; i < piece->length; i++)
        piece->start[i] = byte_at(piece, i);
}

void pieces_turn(unsigned long first, unsigned long rounds, unsigned char mark)
{
    struct piece living[LIVING] = {{NULL, 0, false, 0}};

    for (unsigned long i = first; i < first + rounds; i++) {
        struct piece *piece = &living[i % LIVING];

        piece_end(piece);
        *piece = piece_make(i, (unsigned char)(mark + i));
        if (i % 3 == 0)
            change(piece);
    }
    for (size_t i = 0; i < LIVING; i++)
        piece_end(&living[i]);
}

/* The kernel refuses to invalidate what is locked. */
bool is_all_locked(const void *start, size_t length)
{
    const char *page = (const char *)((uintptr_t)start & ~(uintptr_t)(PAGE - 1));
    const int saved = errno;
    bool locked = true;

    for (; locked && page < (const char *)start + length; page += PAGE)
        locked = syscall(SYS_msync, page, (long)PAGE, (long)(MS_ASYNC | MS_INVALIDATE)) != 0 &&
                 errno == EBUSY;
    errno = saved;
    return locked;
}

bool is_wanted(enum kind kind)
{
    const char *mode = getenv("AUTOLOCK_MODE");
    struct policy policy = policy_read();

    if (!mode || strcmp(mode, "all") == 0)
        return true;
    return strcmp(mode, "alloc") == 0 && policy_has(&policy, kind);
}

static bool is_alloc(void)
{
    const char *mode = getenv("AUTOLOCK_MODE");

    return mode && strcmp(mode, "alloc") == 0;
}

/* A report is made before an exec; that this one fails is found out by nobody but the kernel. */
static void settle_books(void)
{
    char *nowhere[] = {(char *)1, NULL};

    expect(execv("/proc/self/exe", nowhere) == -1 && errno == EFAULT);
}

long long locked_beyond_books(void)
{
    struct autolock_stats stats;

    if (getenv("RACES_UNDER_VALGRIND"))
        return -1;
    settle_books();
    if (!autolock_snapshot || autolock_snapshot(&stats, sizeof(stats))) {
        expect(!is_alloc());
        return -1;
    }
    return (long long)stats.locked_kernel_bytes - (long long)stats.locked_tracked_bytes;
}

void expect_books(long long before, long long after)
{
    if (is_alloc() && (after < before || after > before + TABLES_MOST))
        end_with_1("%lld bytes are locked beyond the books, %lld before\n", after, before);
}

void need_privilege_here(void)
{
    if (!getenv("RACES_UNDER_VALGRIND"))
        need_privilege();
}
