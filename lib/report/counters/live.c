#include "live.h"

#include "io.h"
#include "large.h"
#include "live_file.h"
#include "live_pages.h"
#include "sys.h"
#include "text.h"

#include <assert.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <time.h>

struct al_live al_live AL_MAPPED_APART;

static_assert(sizeof(struct al_live) % AL_LIVE_ALIGNMENT == 0, "on pages of its own");
static_assert(sizeof(struct al_slab) == 64, "blocks stay aligned");
static_assert(offsetof(struct al_live_head, began_ns) == 104, "the same on 32 and 64 bits");

/* What is not for others to see. */
static struct {
    bool in_file;
    struct al_io_identity file;
} place;

/*
 * The lock belongs to the open file, which the mapping holds when the descriptor is closed: the
 * kernel lets it go when the process ends, in whatever way, or executes another program.
 */
static int put_into_open(int fd)
{
    long parent = al_sys0(SYS_getppid);
    int error;

    al_live.head.ppid = parent > 0 ? (int32_t)parent : 0;
    al_live.head.locked = al_sys2(SYS_flock, fd, LOCK_EX | LOCK_NB) == 0;
    error = al_live_pages_of_file(fd);
    if (!error)
        place.file = al_io_identify(fd);
    al_io_close(fd);
    return al_live_file_settle(error);
}

static int put_into_file(void)
{
    int fd = al_live_file_create();
    int error = fd < 0 ? fd : put_into_open(fd);

    place.in_file = !error;
    if (error)
        al_live.head.locked = 0;
    return error;
}

/* -- begin, fork, end ----------------------------------------------------------------------- */

#define OFFSET(member) (uint32_t) offsetof(struct al_live, member)

static void describe_layout(void)
{
    struct al_live_head *head = &al_live.head;

    memcpy(head->magic, AL_LIVE_MAGIC, sizeof(head->magic));
    memcpy(head->version, AL_VERSION, sizeof(AL_VERSION));
    head->layout = AL_LIVE_LAYOUT;
    head->total_bytes = sizeof(al_live);
    head->field_offset = OFFSET(head.field);
    head->field_count = AL_FIELD_TOTAL;
    head->downgrade_offset = OFFSET(head.downgrade);
    head->downgrade_stride = sizeof(struct al_downgrade);
    head->histogram_offset = OFFSET(histogram);
    head->histogram_stride = sizeof(struct al_histogram);
    head->histogram_count = AL_TIMED_TOTAL;
    head->block_offset = OFFSET(shared);
    head->block_stride = sizeof(struct al_counts);
    head->block_count = AL_LIVE_BLOCKS + 1;
    head->part_count = AL_PART_TOTAL;
    head->counter_count = AL_COUNTER_TOTAL;
    head->page_bytes = (uint32_t)al_page_size();
    head->slab.blocks = AL_LIVE_BLOCKS;
}

static void copy_string(char *to, size_t size, const char *from)
{
    struct al_text text = al_text_over(to, size);

    al_text_string(&text, from);
}

static void set_state(enum al_live_state state)
{
    __atomic_store_n(&al_live.head.state, state, __ATOMIC_RELEASE);
}

static void describe_process(int32_t pid)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_REALTIME, &now);
    al_live.head.pid = pid;
    al_live.head.began_real_ns = (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
    al_live.head.ended[0] = '\0';
    al_live.head.locked = 0;
    al_live.head.lock_ns = 0;
    al_live.head.mark_ns = 0;
    set_state(AL_LIVE_RUNNING);
}

void al_live_take_place(void)
{
    if (!al_counters_used())
        (void)al_live_pages_of_memfd(true);
}

int al_live_begin(const struct al_live_start *start)
{
    struct al_live_head *head = &al_live.head;
    int error = 0;

    describe_layout();
    describe_process(start->pid);
    copy_string(head->program, sizeof(head->program), start->program);
    if (*start->directory) {
        error = al_live_file_set_directory(start->directory);
        if (!error)
            error = put_into_file();
        if (error)
            (void)al_live_file_set_directory("");
    }
    if (!place.in_file && !al_live_pages_are_shared())
        (void)al_live_pages_of_memfd(false);
    return error;
}

void al_live_set_backend(const char *backend)
{
    char word[sizeof(al_live.head.backend)] = "";
    uint64_t as_one;

    copy_string(word, sizeof(word), backend);
    memcpy(&as_one, word, sizeof(as_one));
    __atomic_store_n((uint64_t *)(void *)al_live.head.backend, as_one, __ATOMIC_RELAXED);
}

bool al_live_forked(int32_t pid)
{
    bool own = true;

    if (al_live_pages_are_shared()) {
        own = !place.in_file && al_live_pages_of_memfd(false) == 0;
        if (!own)
            own = al_live_pages_of_our_own() == 0;
    }
    place.in_file = false;
    if (!own)
        return false;
    describe_process(pid);
    al_live.head.total_bytes = sizeof(al_live);
    memset(al_live.head.field, 0, sizeof(al_live.head.field));
    return true;
}

void al_live_show_forked(void)
{
    if (al_live_pages_are_shared())
        return;
    if (!al_live_file_has_directory() || put_into_file() != 0)
        (void)al_live_pages_of_memfd(false);
}

bool al_live_in_file(void)
{
    return place.in_file;
}

/* Before whatever the thread looks at next: see al_books_show(). */
static void store(uint64_t *word, uint64_t value)
{
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

void al_live_set(enum al_field field, uint64_t value)
{
    store(&al_live.head.field[field], value);
}

void al_live_set_lock(uint64_t minor, uint64_t major)
{
    store(&al_live.head.minor_at_lock, minor);
    store(&al_live.head.major_at_lock, major);
    store(&al_live.head.lock_ns, al_now_ns());
}

void al_live_set_mark(uint64_t minor, uint64_t major)
{
    store(&al_live.head.minor_at_mark, minor);
    store(&al_live.head.major_at_mark, major);
    store(&al_live.head.mark_ns, al_now_ns());
}

void al_live_finish(const char *ended)
{
    struct al_text text = al_text_over(al_live.head.ended, sizeof(al_live.head.ended));

    al_text_string(&text, ended);
    set_state(AL_LIVE_ENDED);
}

void al_live_resume(void)
{
    set_state(AL_LIVE_RUNNING);
}

/* -- more ----------------------------------------------------------------------------------- */

static long map_private(size_t bytes)
{
    return al_sys_mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* What was written before the disk was full would keep it full. Others may have written behind. The
 * arguments are those of 64 bits. */
static void give_back(int fd, uint64_t offset, size_t bytes)
{
    if (sizeof(long) == sizeof(offset))
        al_sys4(SYS_fallocate, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, bytes);
}

/* At the end of the file, as far as it is still there, and still ours. */
static long map_of_file(int fd, size_t bytes, uint64_t *ret_offset)
{
    const char zeroes[512] = {0};
    uint64_t offset;

    if (!al_io_same(place.file, al_io_identify(fd)))
        return -ENOENT;
    offset = __atomic_fetch_add(&al_live.head.total_bytes, (uint32_t)bytes, __ATOMIC_RELAXED);
    if (!al_live_pages_may_write(offset + bytes))
        return -EFBIG;
    if (al_sys3(SYS_lseek, fd, offset, SEEK_SET) != (long)offset)
        return -EIO;
    for (size_t done = 0; done < bytes; done += sizeof(zeroes)) {
        int error = al_live_pages_write(fd, zeroes, sizeof(zeroes));

        if (error) {
            give_back(fd, offset, bytes);
            return error;
        }
    }
    *ret_offset = offset;
    return al_sys_mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (int64_t)offset);
}

static long map_more_of_file(size_t bytes, uint64_t *ret_offset)
{
    int fd = al_live_file_open();
    long mapped;

    if (fd < 0)
        return fd;
    mapped = map_of_file(fd, bytes, ret_offset);
    al_io_close(fd);
    return mapped;
}

void *al_live_extend(size_t bytes, uint64_t *ret_offset)
{
    long mapped = place.in_file ? map_more_of_file(bytes, ret_offset) : -ENOENT;

    if (al_sys_failed(mapped)) {
        *ret_offset = 0;
        mapped = map_private(bytes);
    }
    return al_sys_failed(mapped) ? NULL : (void *)mapped;
}
