#include "live_pages.h"

#include "io.h"
#include "live.h"
#include "sys.h"
#include "times.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

/* Of memfd_create; older headers have neither. */
enum { CLOEXEC = 1, NOEXEC_SEAL = 8 };

static bool shared;

bool al_live_pages_may_write(uint64_t bytes)
{
    uint64_t limit[2] = {0};

    return al_sys4(SYS_prlimit64, 0, RLIMIT_FSIZE, 0, limit) == 0 && limit[0] >= bytes;
}

int al_live_pages_write(int fd, const void *bytes, size_t count)
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
    return al_live_pages_write(fd, &al_live, count);
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
    return al_live_pages_write(fd, &al_live, whole ? sizeof(al_live) : AL_LIVE_USUAL);
}

/* The same pages, with what they hold, from `fd`. */
static int put_into(int fd, enum content content)
{
    bool own = content != FILE_OF_ALL;
    bool whole = !own || al_times_are_used();
    int error;

    if (al_page_size() > AL_LIVE_ALIGNMENT)
        return -EINVAL;
    if (!al_live_pages_may_write(sizeof(al_live)))
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
    shared = true;
    al_times_moved(!whole);
    return 0;
}

bool al_live_pages_are_shared(void)
{
    return shared;
}

int al_live_pages_of_file(int fd)
{
    return put_into(fd, FILE_OF_ALL);
}

int al_live_pages_of_memfd(bool empty)
{
    int fd = (int)al_sys2(SYS_memfd_create, AL_LIVE_NAME, CLOEXEC);
    int error;

    /* Machines that forbid what could be executed (vm.memfd_noexec) ask for a promise. */
    if (fd == -EACCES)
        fd = (int)al_sys2(SYS_memfd_create, AL_LIVE_NAME, CLOEXEC | NOEXEC_SEAL);
    if (fd < 0)
        return fd;
    error = put_into(fd, empty ? EMPTY_MEMFD : MEMFD);
    al_io_close(fd);
    return error;
}

int al_live_pages_of_our_own(void)
{
    long copy = al_sys_mmap(NULL, sizeof(al_live), PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int error;

    if (al_sys_failed(copy))
        return (int)copy;
    memcpy((void *)copy, &al_live, al_times_whole() ? sizeof(al_live) : AL_LIVE_USUAL);
    error = put_there(copy);
    if (error)
        return error;
    shared = false;
    al_times_moved(false);
    return 0;
}
