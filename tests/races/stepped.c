/*
 * A signal comes into a call, at any instruction of the library, and its handler does what programs
 * do in theirs:
 *
 *     stepped maps|allocates|jumps|forks EACH [FROM [CALL]]
 *
 * `maps`: mmap, mprotect, munmap. `allocates`: malloc and free, into calls that are none of the
 * allocator's. `jumps`: siglongjmp out of it, the same. `forks`: a child, which ends there, or goes
 * on with the interrupted call, if that is none of the allocator's. Afterwards the call has done
 * what it should, what is to be locked is, and the books agree with the kernel as they did before.
 * Only each EACHth instruction is interrupted, from number FROM on; EACH 0: each one as often as it
 * is executed.
 */
#include "stepped.h"
#include "step.h"

#include "../preload/alloc/watch.h"

#include "autolock/autolock.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/wait.h>

enum { PIECE = 4 * PAGE, CHILD_STATUS = 7 };

static volatile unsigned handled;
static volatile bool in_child;
static const struct stepped_call *interrupted;
static sigjmp_buf out;

/* -- books and kernel ----------------------------------------------------------------------- */

struct truth {
    int64_t beyond_books;  /* bytes that are locked, and not by the books */
    size_t unlocked_bytes; /* accessible ones, in mode all */
};

/* Of the parent, before it was interrupted. */
static struct truth before;

static struct truth find_truth(void)
{
    struct autolock_stats stats;
    struct truth truth = {0};

    if (stepped_wish.nothing) {
        truth.beyond_books = status_kb("VmLck");
        expect_equal(truth.beyond_books, 0);
        return truth;
    }
    expect_equal(autolock_snapshot(&stats, sizeof(stats)), 0);
    if (!stepped_wish.all) {
        truth.beyond_books =
            (int64_t)stats.locked_kernel_bytes - (int64_t)stats.locked_tracked_bytes;
        return truth;
    }
    watch_take();
    for (size_t i = 0; i < watch_count(); i++)
        if (watch_at(i)->accessible && !watch_at(i)->locked)
            truth.unlocked_bytes += watch_at(i)->end - watch_at(i)->start;
    return truth;
}

static void expect_as_before(const char *what)
{
    struct truth now = find_truth();

    if (now.beyond_books != before.beyond_books || now.unlocked_bytes > before.unlocked_bytes)
        end_with_1("%s: locked beyond the books %lld bytes, before %lld; not locked %zu, before "
                   "%zu\n",
                   what, (long long)now.beyond_books, (long long)before.beyond_books,
                   now.unlocked_bytes, before.unlocked_bytes);
}

/* It has no locks but those that the books know of, and no tables locked but its parent's. */
static void expect_books_of_child(void)
{
    struct truth now;

    if (stepped_wish.all)
        return;
    now = find_truth();
    if (now.beyond_books < 0 || now.beyond_books > before.beyond_books)
        end_with_1("a child has %lld bytes locked beyond its books, its parent %lld\n",
                   (long long)now.beyond_books, (long long)before.beyond_books);
}

/* -- handlers ------------------------------------------------------------------------------- */

static void map_something(void)
{
    char *piece = mmap(NULL, PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    expect(piece != MAP_FAILED);
    piece[0] = piece[PIECE - 1] = 1;
    expect(mprotect(piece, PAGE, PROT_NONE) == 0);
    expect(mprotect(piece, PAGE, PROT_READ | PROT_WRITE) == 0);
    expect(piece[0] == 1 && piece[PIECE - 1] == 1);
    expect(munmap(piece, PIECE) == 0);
}

static void maps(int number)
{
    const int saved = errno;

    (void)number;
    map_something();
    handled++;
    errno = saved;
}

static void allocate_something(void)
{
    enum { BLOCKS = 4 };
    static const size_t size[BLOCKS] = {24, 5000, 70000, 300000};
    char *block[BLOCKS];

    for (size_t i = 0; i < BLOCKS; i++) {
        expect((block[i] = malloc(size[i])));
        memset(used(block[i]), 7, size[i]);
    }
    for (size_t i = 0; i < BLOCKS; i++)
        free(block[i]);
}

static void allocates(int number)
{
    const int saved = errno;

    (void)number;
    allocate_something();
    handled++;
    errno = saved;
}

static void jumps(int number)
{
    (void)number;
    handled++;
    siglongjmp(out, 1);
}

/* The child has all that its parent had, locked as it was to be. */
static void live_as_child(void)
{
    static char *piece;

    map_something();
    allocate_something();
    piece = mmap(NULL, PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    expect(piece != MAP_FAILED);
    memset(piece, 7, PIECE);
    expect_books_of_child();
    /* Inside the allocator it is taken for the allocator's own. */
    if (!interrupted->of_heap)
        stepped_expect_locked(piece, PIECE, KIND_ANON);
    _exit(CHILD_STATUS);
}

static void forks(int number)
{
    const int saved = errno;
    int status = -1;
    pid_t child = fork();

    (void)number;
    expect(child >= 0);
    /* Of a heap block that is being booked the child's books would know less, or more. */
    if (child == 0 && (handled % 2 || interrupted->of_heap))
        live_as_child();
    in_child = child == 0;
    /* Nothing is copied for it, unless it is touched. */
    if (in_child)
        stepped_wish.policy.onfault = true;
    if (child) {
        expect(waitpid(child, &status, 0) == child);
        expect_equal(status, CHILD_STATUS << 8);
    }
    handled++;
    errno = saved;
}

static const struct variant {
    const char *name;
    void (*handler)(int number);
    bool of_heap; /* into calls of the heap too */
} variants[] = {{"maps", maps, true},
                {"allocates", allocates, false},
                {"jumps", jumps, false},
                {"forks", forks, true}};

/* -- the calls ------------------------------------------------------------------------------ */

static void (*call_now)(void);

static void call_untouched(void)
{
    errno = ERRNO_UNTOUCHED;
    call_now();
}

static void once(const struct stepped_call *call, bool came_back)
{
    if (came_back) {
        expect_equal(errno, ERRNO_UNTOUCHED);
        if (call->done)
            call->done();
    }
    if (call->clear)
        call->clear();
}

/* Whether the signal came. */
static bool interrupt(const struct stepped_call *call, size_t number)
{
    bool came;

    if (call->prepare)
        call->prepare();
    if (sigsetjmp(out, 1)) {
        step_left();
        once(call, false);
        /* Again, and undisturbed: nothing that was left behind is in its way. */
        if (call->prepare)
            call->prepare();
        call_untouched();
        once(call, true);
        return true;
    }
    came = step_interrupt(call_untouched, number);
    once(call, true);
    if (in_child)
        live_as_child();
    return came;
}

static void record(const struct stepped_call *call, bool all, size_t *ret_count)
{
    if (call->prepare)
        call->prepare();
    *ret_count = step_record(call_untouched, all);
    once(call, true);
}

static unsigned interrupt_all(const struct stepped_call *call, size_t each, size_t from)
{
    size_t count = 0;
    unsigned came = 0;

    call_now = call->call;
    interrupted = call;
    /* What is used for the first time is not compared. */
    for (int i = 0; i < 2; i++)
        record(call, each == 0, &count);
    maps(0);
    if (!call->of_heap)
        allocates(0);
    before = find_truth();
    for (size_t number = from % (each ? each : 1); number < count; number += each ? each : 1) {
        unsigned had = handled;

        if (!interrupt(call, number))
            continue;
        expect_equal(handled, had + 1);
        came++;
    }
    dprintf(STDERR_FILENO, "%s: %u of %zu, %zu executed\n", call->name, came, count,
            step_recorded());
    expect_as_before(call->name);
    return came;
}

static const struct stepped_call *call_at(size_t i)
{
    return i < stepped_mappings_count ? &stepped_mappings[i]
                                      : &stepped_blocks[i - stepped_mappings_count];
}

int main(int count, char **arguments)
{
    const struct variant *variant = NULL;
    struct sigaction action = {.sa_flags = 0};
    size_t each;
    size_t from;
    unsigned total = 0;

    prove_loaded();
    need_privilege();
    expect(count >= 3);
    for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++)
        if (strcmp(arguments[1], variants[i].name) == 0)
            variant = &variants[i];
    expect(variant);
    each = strtoul(arguments[2], NULL, 10);
    from = count > 3 ? strtoul(arguments[3], NULL, 10) : 0;
    stepped_begin();
    step_begin();
    action.sa_handler = variant->handler;
    expect(sigaction(SIGUSR1, &action, NULL) == 0);
    for (size_t i = 0; i < stepped_mappings_count + stepped_blocks_count; i++) {
        const struct stepped_call *call = call_at(i);

        if ((call->of_heap && !variant->of_heap) || (call->wide && !stepped_wish.all) ||
            (count > 4 && strcmp(arguments[4], call->name) != 0))
            continue;
        total += interrupt_all(call, each, from + i);
    }
    expect(total > 0);
    dprintf(STDOUT_FILENO, "COUNT: %u signals at instructions of the library\n", total);
    return 0;
}
