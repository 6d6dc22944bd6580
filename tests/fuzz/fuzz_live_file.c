/*
 * A file of counters that somebody has left, or forged. What it says is read or refused, and can be
 * written in every format.
 */
#include "counters.h"
#include "downgrades.h"
#include "emit.h"
#include "fuzz.h"
#include "live.h"
#include "reader.h"
#include "times.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* A whole one, as a process leaves it: the library's own, from this process. */
/* Of memory that is there or not as a whole. */
enum { PIECE = 4096 };

static void make_whole(void)
{
    const struct al_live_start start = {.pid = getpid(), .program = "fuzz", .directory = ""};
    static bool made;

    if (made)
        return;
    made = true;
    strcpy(al_live.head.command, "fuzz with arguments");
    strcpy(al_live.head.options, "AUTOLOCK_MODE=alloc");
    (void)al_live_begin(&start);
    al_count(AL_COUNT_calls_malloc);
    al_times_record(AL_TIMED_mlock2, 1000);
    al_downgrade_add("a downgrade");
    al_live_set_backend("hooks");
    al_live_finish("exit");
}

/* There is no reader of descriptors, so it has a name. */
static void write_file(const char *path, const uint8_t *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    fuzz_expect(fd >= 0);
    fuzz_expect(write(fd, bytes, size) == (ssize_t)size);
    fuzz_expect(close(fd) == 0);
}

/* The memfd ends before what has never been used: there is nothing to be read. */
static void copy_whole(uint8_t *ret_file, size_t size)
{
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);

    fuzz_expect(memory >= 0);
    memset(ret_file, 0, size);
    for (size_t at = 0; at < size; at += PIECE)
        (void)pread(memory, ret_file + at, size - at < PIECE ? size - at : PIECE,
                    (off_t)((uintptr_t)&al_live + at));
    (void)close(memory);
}

static char path[64];

static void remove_file(void)
{
    (void)unlink(path);
}

static void write_all(const struct al_snapshot *snapshot)
{
    static void (*const emitters[])(struct al_text *, const struct al_snapshot *) = {
        al_emit_json, al_emit_prometheus, al_emit_text};
    static char report[AL_REPORT_BYTES];

    for (size_t i = 0; i < sizeof(emitters) / sizeof(emitters[0]); i++) {
        struct al_text text = al_text_over(report, sizeof(report));

        emitters[i](&text, snapshot);
        fuzz_expect(text.length && text.length < sizeof(report));
        fuzz_expect(strlen(report) == text.length);
        fuzz_expect(!text.cut);
        fuzz_expect(report[text.length - 1] == '\n');
    }
}

/*
 * The changes are made to a whole file: pieces of one byte for the length, two for the place, and
 * so many bytes. An input of nothing is the whole file as it was; the first byte says how much of
 * it there is.
 */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct al_reading reading;
    static uint8_t file[sizeof(struct al_live)];
    size_t length = sizeof(file);

    make_whole();
    if (!*path) {
        (void)snprintf(path, sizeof(path), "/dev/shm/autolock.fuzz.%d", (int)getpid());
        (void)atexit(remove_file);
    }
    copy_whole(file, sizeof(file));
    if (size) {
        if (*bytes & 1)
            length = sizeof(file) * (*bytes >> 1) / 127;
        bytes++;
        size--;
    }
    while (size > 3) {
        size_t place = ((size_t)bytes[1] << 8 | bytes[2]) * 4 % sizeof(file);
        size_t count = bytes[0] % 32;

        bytes += 3;
        size -= 3;
        count = count < size ? count : size;
        count = count < sizeof(file) - place ? count : sizeof(file) - place;
        memcpy(file + place, bytes, count);
        bytes += count;
        size -= count;
    }
    write_file(path, file, length);
    if (al_reader_read_file(path, &reading) == 0)
        write_all(&reading.snapshot);
    return 0;
}
