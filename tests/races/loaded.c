/*
 * Libraries are loaded in a cgroup that has no room for some of them:
 *
 *     loaded WAY
 *
 * WAY: needs (one that needs one with much in it; what does fit is there at once), takes (its
 * constructor reserves much), locks (its constructor locks a page itself), child (its constructor
 * forks, and the child loads), fails (it cannot be loaded), forks (another thread forks meanwhile).
 * Hardly anything of it is used.
 */
#include "guest.h"
#include "patterns.h"

#include <dlfcn.h>
#include <libgen.h>
#include <pthread.h>
#include <sys/wait.h>

enum { CHILDREN = 40, TURNS = 12 };

static const char *own_path;
static bool over;

static void *try_load(const char *name)
{
    char folder[2048];
    char path[4096];

    (void)snprintf(folder, sizeof(folder), "%s", own_path);
    (void)snprintf(path, sizeof(path), "%s/%s", dirname(folder), name);
    return dlopen(path, RTLD_NOW);
}

static void *load(const char *name)
{
    void *library = try_load(name);

    if (!library)
        end_with_1("%s\n", dlerror());
    return library;
}

static const struct guest *load_guest(const char *name, const char *symbol)
{
    guest_function *holds;

    *(void **)&holds = dlsym(load(name), symbol);
    expect(holds);
    return holds();
}

static bool is_brought_in(void)
{
    const char *mode = getenv("AUTOLOCK_MODE");

    return mode && strcmp(mode, "all") == 0 && !getenv("AUTOLOCK_FLAGS");
}

/* Some of the first and of the last page may be others'. */
static void expect_there(const char *start, size_t length)
{
    expect(is_all_locked(start + PAGE, length - 2 * PAGE));
    expect_equal(resident_pages(start, length), pages_of(start, length));
}

static unsigned needs(void)
{
    const struct guest *guest = load_guest("needs_vast.so", "guest_of_host");

    guest->bytes[0] = guest->bytes[guest->length - 1] = 1;
    if (!is_brought_in())
        return 1;
    guest = load_guest("guest.so", "guest_holds");
    expect_there(guest->bytes, guest->length);
    expect_there(guest->small, GUEST_SMALL);
    expect_there(guest->large, GUEST_LARGE);
    for (size_t i = 0; i < GUEST_BLOCKS; i++)
        expect_equal(resident_pages(guest->blocks[i], GUEST_BLOCK),
                     pages_of(guest->blocks[i], GUEST_BLOCK));
    guest = load_guest("loads_inner.so", "guest_of_host");
    expect_there(guest->bytes, guest->length);
    return 3;
}

static unsigned takes(void)
{
    (void)load_guest("takes.so", "guest_holds");
    return 1;
}

static unsigned locks(void)
{
    const struct guest *guest = load_guest("locks.so", "guest_holds");

    expect(is_all_locked(guest->own, PAGE));
    return 1;
}

static unsigned child(void)
{
    expect(load("forks_and_loads.so"));
    return 1;
}

/* What was there before, and the program has unlocked, is no concern of it. */
static unsigned fails(void)
{
    const struct guest *guest = load_guest("guest.so", "guest_holds");

    expect(munlock(guest->bytes, guest->length) == 0);
    expect(madvise(guest->bytes, guest->length, MADV_DONTNEED) == 0);
    expect(!try_load("cannot_be_loaded.so"));
    expect_equal(resident_pages(guest->bytes, guest->length), 0);
    return 1;
}

static void *load_often(void *data)
{
    for (size_t i = 0; i < TURNS; i++)
        expect(dlclose(load("wide.so")) == 0);
    __atomic_store_n(&over, true, __ATOMIC_RELEASE);
    return data;
}

/* A child that has found the loader's lock held waits for ever. */
static unsigned forks(void)
{
    pthread_t thread;
    unsigned children = 0;

    expect(pthread_create(&thread, NULL, load_often, NULL) == 0);
    for (; !__atomic_load_n(&over, __ATOMIC_ACQUIRE) || children < CHILDREN; children++) {
        int status = -1;
        pid_t child = fork();

        if (child == 0) {
            (void)alarm(60);
            _exit(0);
        }
        expect(child > 0 && waitpid(child, &status, 0) == child);
        expect_equal(status, 0);
    }
    expect(pthread_join(thread, NULL) == 0);
    return children;
}

int main(int count, char **arguments)
{
    static const struct {
        const char *name;
        unsigned (*go)(void);
    } ways[] = {{"needs", needs}, {"takes", takes}, {"locks", locks},
                {"child", child}, {"fails", fails}, {"forks", forks}};
    unsigned times = 0;

    prove_loaded();
    expect(count == 2);
    own_path = arguments[0];
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        if (strcmp(arguments[1], ways[i].name) == 0)
            times = ways[i].go();
    expect(times);
    dprintf(STDOUT_FILENO, "COUNT: %u libraries loaded, or children forked, in a full cgroup\n",
            times);
    return 0;
}
