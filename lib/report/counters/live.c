#include "live.h"

#include "io.h"
#include "large.h"
#include "live_file.h"
#include "sys.h"
#include "text.h"
#include "times.h"

#include <assert.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

/* Of memfd_create; older headers have neither. */
enum { CLOEXEC = 1, NOEXEC_SEAL = 8 };

struct al_live al_live AL_MAPPED_APART;

static_assert(sizeof(struct al_live) % AL_LIVE_ALIGNMENT == 0, "on pages of its own");
static_assert(sizeof(struct al_slab) == 64, "blocks stay aligned");
static_assert(offsetof(struct al_live_head, began_ns) == 104, "the same on 32 and 64 bits");

/* What is not for others to see. */
static struct {
    bool shared; /* the pages are a memfd's or a file's */
    bool in_file;
    struct al_io_identity file;
} place;

/* -- one mapping for another ---------------------------------------------------------------- */

/* A file that grows past the limit raises a signal, so it is not tried. */
static bool may_write(uint64_t bytes)
{
    uint64_t limit[2] = {0};

    return al_sys4(SYS_prlimit64, 0, RLIMIT_FSIZE, 0, limit) == 0 && limit[0] >= bytes;
}

/* Writing gives the file its size and its memory, so that a full disk is seen here, and is no
 * SIGBUS later. */
static int write_all(int fd, const void *bytes, size_t count)
{
    const char *at = bytes;

    while (count) {
        long written = al_sys3(SYS_write, fd, at, count);

        if (written == -EINTR)
            continue;
        if (written <= 0)
            return written ? (int)written : -EIO;
        at += written;
        count -= (size_t)written;
    }
    return 0;
}

/* The same for pages in which nothing stands yet, which are then had once and not twice. The
 * arguments are those of 64 bits. */
static int write_none(int fd, size_t count)
{
    if (sizeof(long) == sizeof(uint64_t) && al_sys4(SYS_fallocate, fd, 0, 0, count) == 0)
        return 0;
    return write_all(fd, &al_live, count);
}

/* In the place of the pages, with one call: for memfds, which the kernel asks nobody about. */
static int map_over(int fd)
{
    long mapped = al_sys_mmap(&al_live, sizeof(al_live), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_FIXED, fd, 0);

    return al_sys_failed(mapped) ? (int)mapped : 0;
}

/*
 * What was mapped at `from` takes the place of the pages. Mapped there at once, what a file system
 * refuses when the kernel asks it last would leave a hole. Nowhere is there a moment without the
 * pages.
 */
static int put_there(long from)
{
    long moved;

    if (al_sys_failed(from))
        return (int)from;
    moved = al_sys6(SYS_mremap, from, sizeof(al_live), sizeof(al_live),
                    MREMAP_MAYMOVE | MREMAP_FIXED, (long)&al_live, 0);
    if (al_sys_failed(moved))
        al_sys2(SYS_munmap, from, sizeof(al_live));
    return al_sys_failed(moved) ? (int)moved : 0;
}

enum content { EMPTY_MEMFD, MEMFD, FILE_OF_ALL };

/*
 * The bytes of the pages. A memfd ends before the histograms that may never be used: what is mapped
 * behind its end cannot be accessed, and mlockall brings nothing in there.
 */
static int fill(int fd, enum content content, bool whole)
{
    if (whole)
        al_times_have();
    else if (content == EMPTY_MEMFD)
        return write_none(fd, AL_LIVE_USUAL);
    return write_all(fd, &al_live, whole ? sizeof(al_live) : AL_LIVE_USUAL);
}

/* The same pages, with what they hold, from `fd`. */
static int put_into(int fd, enum content content)
{
    bool own = content != FILE_OF_ALL;
    bool whole = !own || al_times_are_used();
    int error;

    if (al_page_size() > AL_LIVE_ALIGNMENT)
        return -EINVAL;
    if (!may_write(sizeof(al_live)))
        return -EFBIG;
    error = fill(fd, content, whole);
    if (error)
        return error;
    if (own)
        error = map_over(fd);
    else
        error = put_there(
            al_sys_mmap(NULL, sizeof(al_live), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    if (error)
        return error;
    /* From here on a child of fork would share them, whatever becomes of the file's name. */
    place.shared = true;
    al_times_moved(!whole);
    return 0;
}

static int put_into_memfd(enum content content)
{
    int fd = (int)al_sys2(SYS_memfd_create, AL_LIVE_NAME, CLOEXEC);
    int error;

    /* Machines that forbid what could be executed (vm.memfd_noexec) ask for a promise. */
    if (fd == -EACCES)
        fd = (int)al_sys2(SYS_memfd_create, AL_LIVE_NAME, CLOEXEC | NOEXEC_SEAL);
    if (fd < 0)
        return fd;
    error = put_into(fd, content);
    al_io_close(fd);
    return error;
}

/* Memory of this process alone. */
static int put_into_private(void)
{
    long copy = al_sys_mmap(NULL, sizeof(al_live), PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int error;

    if (al_sys_failed(copy))
        return (int)copy;
    memcpy((void *)copy, &al_live, al_times_whole() ? sizeof(al_live) : AL_LIVE_USUAL);
    error = put_there(copy);
    if (!error)
        al_times_moved(false);
    return error;
}

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
    error = put_into(fd, FILE_OF_ALL);
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
        (void)put_into_memfd(EMPTY_MEMFD);
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
    if (!place.in_file && !place.shared)
        (void)put_into_memfd(MEMFD);
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

    if (place.shared) {
        own = !place.in_file && put_into_memfd(MEMFD) == 0;
        if (!own) {
            own = put_into_private() == 0;
            place.shared = !own;
        }
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
    if (place.shared)
        return;
    if (!al_live_file_has_directory() || put_into_file() != 0)
        (void)put_into_memfd(MEMFD);
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
    if (!may_write(offset + bytes))
        return -EFBIG;
    if (al_sys3(SYS_lseek, fd, offset, SEEK_SET) != (long)offset)
        return -EIO;
    for (size_t done = 0; done < bytes; done += sizeof(zeroes)) {
        int error = write_all(fd, zeroes, sizeof(zeroes));

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
