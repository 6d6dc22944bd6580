#include "run_proof.h"

#include "command.h"
#include "memory.h"
#include "now.h"
#include "reader.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* A program may be over in a millisecond, so the first looks come one after the other. */
enum { LOOKS_AT_ONCE = 20, LOOKS_SOON = 60, SOON_MS = 2, LATER_MS = 50 };

/* For programs of whose start nothing certain can be said from outside; a loader takes far less. */
enum { PATIENCE_MS = 10000 };

/* /proc may be that of other processes, or not there at all. */
static bool proc_is_ours(void)
{
    char self[32];
    ssize_t length = readlink("/proc/self", self, sizeof(self) - 1);

    if (length <= 0)
        return false;
    self[length] = '\0';
    return strtol(self, NULL, 10) == getpid();
}

static bool is_c_library(const char *line)
{
    return strstr(line, "/libc.so.") || strstr(line, "/libc-2.");
}

struct sight {
    bool library;
    bool c_library;
};

static bool look_at_maps(pid_t pid, struct sight *ret_sight)
{
    FILE *maps = fopen(text_of("/proc/%d/maps", (int)pid), "re");
    char *line = NULL;
    size_t size = 0;

    *ret_sight = (struct sight){false, false};
    if (!maps)
        return false;
    while (getline(&line, &size, maps) > 0) {
        ret_sight->library |= strstr(line, "/libautolock") != NULL;
        ret_sight->c_library |= is_c_library(line);
    }
    free(line);
    (void)fclose(maps);
    return true;
}

void run_proof_complain(const char *program, const char *why)
{
    complain("%s: the library does not take hold: %s", program, why);
}

static void set_not_held(struct run_proof *proof, const char *why)
{
    proof->held = RUN_NOT_HELD;
    if (proof->program)
        run_proof_complain(proof->program, why);
}

static int give_up(struct run_proof *proof, pid_t pid, const char *why)
{
    if (proof->ends_program)
        (void)kill(pid, SIGKILL);
    set_not_held(proof, why);
    return -1;
}

/*
 * Loaders map what is preloaded before the libraries that the program needs: where the C library is
 * and ours is not, it does not come any more. The map is not read at one moment, hence twice.
 */
static int look_further(struct run_proof *proof, pid_t pid)
{
    struct sight sight;

    if (!look_at_maps(pid, &sight))
        return -1;
    proof->without = sight.c_library && !sight.library ? proof->without + 1 : 0;
    if (proof->without >= 2)
        return give_up(proof, pid, "its loader did not preload it, and says why in a line above");
    if (now_ms() >= proof->give_up_ms && sight.library)
        return give_up(proof, pid, "it is there, but inert");
    if (now_ms() >= proof->give_up_ms)
        return give_up(proof, pid, "it is not in its memory");
    proof->looks++;
    if (proof->looks < LOOKS_AT_ONCE)
        return 0;
    return proof->looks < LOOKS_SOON ? SOON_MS : LATER_MS;
}

static int look(pid_t pid, void *data)
{
    static struct al_reading reading;
    struct run_proof *proof = data;

    if (!proc_is_ours())
        return -1;
    if (!proof->give_up_ms)
        proof->give_up_ms = now_ms() + PATIENCE_MS;
    switch (al_reader_read_process(pid, &reading)) {
    case 0:
    case -EBADMSG: /* of another version */
        proof->held = RUN_HELD;
        return -1;
    case -ENOENT:
        return look_further(proof, pid);
    default:
        return -1;
    }
}

void run_proof_begin(struct run_proof *proof, const char *library)
{
    proof->opened = -1;
    if (!proof->ends_program)
        return;
    proof->opened = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (proof->opened >= 0 && inotify_add_watch(proof->opened, library, IN_OPEN) < 0) {
        (void)close(proof->opened);
        proof->opened = -1;
    }
}

struct run_watch run_proof_watch(struct run_proof *proof)
{
    return (struct run_watch){.look = look, .data = proof};
}

enum run_held run_proof_end(struct run_proof *proof)
{
    char event[sizeof(struct inotify_event) + 256];

    if (proof->held == RUN_HELD_UNKNOWN && proof->opened >= 0 &&
        read(proof->opened, event, sizeof(event)) < 0)
        set_not_held(proof, "its file was not opened");
    return proof->held;
}
