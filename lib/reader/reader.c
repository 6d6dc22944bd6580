#include "reader.h"

#include "source.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* More than any process has threads for: a chain that is longer has been spoilt, and is not to keep
 * the reader busy. */
enum { SLABS_MAX = 4096, BLOCKS_MAX = 1 << 18 };

static bool is_known(const struct al_live_head *head)
{
    return memcmp(head->magic, AL_LIVE_MAGIC, sizeof(head->magic)) == 0 &&
           head->layout == AL_LIVE_LAYOUT && head->field_count == AL_FIELD_TOTAL &&
           head->counter_count == AL_COUNTER_TOTAL && head->part_count == AL_PART_TOTAL &&
           head->histogram_count == AL_TIMED_TOTAL && head->block_count == AL_LIVE_BLOCKS + 1 &&
           head->block_stride == sizeof(struct al_counts);
}

static void terminate(struct al_live_head *head)
{
    head->version[sizeof(head->version) - 1] = '\0';
    head->backend[sizeof(head->backend) - 1] = '\0';
    head->ended[sizeof(head->ended) - 1] = '\0';
    head->program[sizeof(head->program) - 1] = '\0';
    head->command[sizeof(head->command) - 1] = '\0';
    memset(head->options + sizeof(head->options) - 2, 0, 2);
    for (size_t i = 0; i < AL_DOWNGRADES_MAX; i++)
        head->downgrade[i].reason[AL_DOWNGRADE_BYTES - 1] = '\0';
}

static void read_options(const struct al_live_head *head, struct al_config *config)
{
    char *environment[64] = {NULL};
    char problem_bytes[256];
    struct al_text problems = al_text_over(problem_bytes, sizeof(problem_bytes));
    const char *option = head->options;

    for (size_t i = 0; *option && i < sizeof(environment) / sizeof(environment[0]) - 1; i++) {
        environment[i] = (char *)option;
        option += strlen(option) + 1;
    }
    /* What this version does not know has its default. */
    (void)al_config_read(config, environment, &problems);
}

static void add_blocks(uint64_t *sum, const struct al_live *live)
{
    al_counters_add_block(sum, &live->shared);
    for (size_t i = 0; i < AL_LIVE_BLOCKS; i++)
        al_counters_add_block(sum, &live->block[i]);
}

/* `left`: so many blocks there may be yet. */
static bool add_slab(const struct al_source *source, uint64_t place, struct al_slab *slab,
                     uint64_t *sum, uint64_t *left)
{
    struct al_counts counts;

    if (!al_source_read(source, place, slab, sizeof(*slab)) || slab->blocks > *left)
        return false;
    *left -= slab->blocks;
    for (uint64_t i = 0; i < slab->blocks; i++) {
        if (!al_source_read(source, place + sizeof(*slab) + i * sizeof(counts), &counts,
                            sizeof(counts)))
            return false;
        al_counters_add_block(sum, &counts);
    }
    return true;
}

/* In a process the blocks of further threads are found by their addresses, in a file by their
 * places there, as far as they have one. */
static bool add_slabs(const struct al_source *source, const struct al_slab *first, uint64_t *sum)
{
    struct al_slab slab = *first;
    uint64_t left = BLOCKS_MAX;

    for (int i = 0; i < SLABS_MAX; i++) {
        uint64_t place = source->pid ? slab.next : slab.next_offset;

        if (!slab.next)
            return true;
        if (!place || !add_slab(source, place, &slab, sum, &left))
            return false;
    }
    return false;
}

/* A part of the area; false if it cannot be read. */
static bool read_part(const struct al_source *source, void *part, size_t size,
                      const struct al_live *live)
{
    uint64_t start = source->pid ? source->address : 0;

    return al_source_read(source, start + (uint64_t)((char *)part - (const char *)live), part,
                          size);
}

/* Where nothing was recorded there may be nothing to read; a file is whole. */
static bool read_times(const struct al_source *source, struct al_live *live)
{
    for (size_t i = 0; i < AL_TIMED_TOTAL; i++)
        if ((!source->pid || al_live_has_times(live, (enum al_timed)i)) &&
            !read_part(source, &live->histogram[i], sizeof(live->histogram[i]), live))
            return false;
    return true;
}

/* First the times and then the sums, see snapshot.h. */
static int read_area(const struct al_source *source, struct al_reading *reading)
{
    struct al_live *live = &reading->live;
    uint64_t sum[AL_COUNTER_TOTAL] = {0};
    const size_t sums = sizeof(live->shared) + sizeof(live->block);

    static_assert(offsetof(struct al_live, block) ==
                      offsetof(struct al_live, shared) + sizeof(struct al_counts),
                  "one behind the other");
    memset(reading, 0, sizeof(*reading));
    if (!read_part(source, &live->head, sizeof(live->head), live) || !is_known(&live->head))
        return -EBADMSG;
    if (!read_times(source, live) || !read_part(source, &live->shared, sums, live))
        return -EBADMSG;
    terminate(&live->head);
    read_options(&live->head, &reading->config);
    reading->run = (struct al_run){.pid = live->head.pid,
                                   .config = &reading->config,
                                   .program = live->head.program,
                                   .backend = live->head.backend};
    reading->snapshot.run = &reading->run;
    reading->snapshot.pid = live->head.pid;
    reading->snapshot.ppid = live->head.ppid;
    al_snapshot_look(&reading->snapshot, live);
    add_blocks(sum, live);
    reading->complete = add_slabs(source, &live->head.slab, sum);
    al_snapshot_count(&reading->snapshot, sum);
    return 0;
}

int al_reader_read_process(pid_t pid, struct al_reading *ret_reading)
{
    struct al_source source;
    int error = al_source_find(pid, &source);

    if (!error)
        error = read_area(&source, ret_reading);
    if (error)
        return error;
    ret_reading->snapshot.ended = "running";
    ret_reading->snapshot.pid = pid;
    ret_reading->current = true;
    return al_source_fill_gauges(pid, &ret_reading->snapshot) ? 0 : -ESRCH;
}

/* The file stays locked for as long as the process is there. Where files cannot be locked, only a
 * process that has it mapped tells. */
static bool is_alive(int fd, const struct al_live_head *head)
{
    if (!head->locked)
        return al_source_is_mapped(head->pid, fd);
    if (flock(fd, LOCK_SH | LOCK_NB))
        return errno == EWOULDBLOCK;
    (void)flock(fd, LOCK_UN);
    return false;
}

static int read_open(int fd, struct al_reading *reading)
{
    const struct al_source source = {.fd = fd};
    const struct al_live_head *head = &reading->live.head;
    struct stat status;
    int error;
    bool alive;

    if (fstat(fd, &status) || !S_ISREG(status.st_mode))
        return -EBADMSG;
    error = read_area(&source, reading);
    if (error)
        return error;
    alive = is_alive(fd, head);
    /* What it says in the end is said before it is gone. */
    if (!alive) {
        error = read_area(&source, reading);
        if (error)
            return error;
    }
    if (alive)
        reading->snapshot.ended = "running";
    else
        reading->snapshot.ended = head->state == AL_LIVE_ENDED ? head->ended : "killed";
    reading->current = !alive && strcmp(reading->snapshot.ended, "killed") != 0 &&
                       strcmp(reading->snapshot.ended, "running") != 0;
    if (alive && al_source_is_mapped(head->pid, fd))
        reading->current = al_source_fill_gauges(head->pid, &reading->snapshot);
    return 0;
}

int al_reader_read_file(const char *path, struct al_reading *ret_reading)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    int error;

    if (fd < 0)
        return -errno;
    error = read_open(fd, ret_reading);
    (void)close(fd);
    return error;
}
