#include "io.h"

#include "large.h"
#include "sys.h"
#include "text.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>

/* The kernel's own signal set: one bit a signal, 64 of them on every processor we build for. */
typedef uint64_t kernel_sigset;

static kernel_sigset bit_of(int signal_number)
{
    return (kernel_sigset)1 << (signal_number - 1);
}

/*
 * What tells a file from a later one that got its number: the file system's generation of the
 * number, else when the file was made. 0 where neither is known.
 */
static uint64_t generation_of(int fd)
{
    unsigned long generation[2] = {0}; /* some file systems write an int, some a long */
#if defined(SYS_statx) && defined(STATX_BTIME)
    struct statx status = {0};
#endif

    if (al_sys3(SYS_ioctl, fd, FS_IOC_GETVERSION, generation) == 0)
        return generation[0];
#if defined(SYS_statx) && defined(STATX_BTIME)
    if (al_sys6(SYS_statx, fd, (long)"", AT_EMPTY_PATH, STATX_BTIME, (long)&status, 0) == 0 &&
        status.stx_mask & STATX_BTIME)
        return (uint64_t)status.stx_btime.tv_sec * 1000000000U + status.stx_btime.tv_nsec;
#endif
    return 0;
}

/* All but the generation. */
static struct al_io_identity look(int directory, const char *name, int flags)
{
    struct al_io_identity identity = {0};

    /* libc's fstat is another symbol in every generation of glibc, the system call is not. */
#if defined(SYS_newfstatat)
    struct stat status = {0};
    long failed = al_sys4(SYS_newfstatat, directory, name, &status, flags);
#else
    struct stat64 status = {0};
    long failed = al_sys4(SYS_fstatat64, directory, name, &status, flags);
#endif

    if (!failed) {
        identity.device = status.st_dev;
        identity.inode = status.st_ino;
        identity.regular = S_ISREG(status.st_mode);
        identity.link = S_ISLNK(status.st_mode);
        identity.shared = status.st_nlink > 1;
        identity.known = true;
    }
    return identity;
}

static struct al_io_identity look_at(int fd)
{
    return look(fd, "", AT_EMPTY_PATH);
}

struct al_io_identity al_io_look(int directory, const char *name)
{
    return look(directory, name, AT_SYMLINK_NOFOLLOW);
}

struct al_io_identity al_io_identify(int fd)
{
    struct al_io_identity identity = look_at(fd);

    if (identity.regular)
        identity.generation = generation_of(fd);
    return identity;
}

bool al_io_same(struct al_io_identity a, struct al_io_identity b)
{
    return a.known && b.known && a.device == b.device && a.inode == b.inode &&
           a.generation == b.generation;
}

/* Waits until `fd` takes bytes. A file that cannot be polled always does. */
static bool takes_bytes(int fd)
{
    struct pollfd want = {.fd = fd, .events = POLLOUT};
    struct timespec patience = {.tv_nsec = AL_IO_PATIENCE_MS * 1000000L};
    long ready;

    do {
        /* After a signal handler, the kernel has left in `patience` what remains of it. */
        ready = al_sys6(SYS_ppoll, (long)&want, 1, (long)&patience, 0, sizeof(kernel_sigset), 0);
    } while (ready == -EINTR);
    return ready != 0;
}

/*
 * A terminal that polls as writable may have room for one byte, and waits when it gets more. Opened
 * anew it does not wait, and who shares the old description does not notice. Returns a descriptor
 * of its own, or -1 if `fd` is no terminal or cannot be opened.
 */
static int open_terminal(int fd)
{
    const int flags = O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    char name[32];
    struct al_text path = al_text_over(name, sizeof(name));
    struct winsize size;

    if (al_sys3(SYS_ioctl, fd, TIOCGWINSZ, &size))
        return -1;
    al_text_string(&path, "/proc/self/fd/");
    al_text_i64(&path, fd);
    return (int)al_sys4(SYS_openat, AT_FDCWD, name, flags, 0);
}

/* Lets a slow reader go on; returns false once it has taken nothing for too long. */
static bool pause_since(uint64_t progress_ns)
{
    struct timespec short_while = {.tv_nsec = 5000000};

    if (al_now_ns() - progress_ns > AL_IO_PATIENCE_MS * (uint64_t)1000000)
        return false;
    al_sys6(SYS_ppoll, 0, 0, (long)&short_while, 0, sizeof(kernel_sigset), 0);
    return true;
}

/*
 * What a failure has left of us at a file's end would spoil the line that comes next. Only in files
 * that are appended to, where nobody else depends on the place, and while nobody has written behind
 * us.
 */
static int taken_back(int fd, size_t written, int error)
{
    long end = al_sys3(SYS_lseek, fd, 0, SEEK_CUR);

    if (written && end >= (long)written && al_sys3(SYS_fcntl, fd, F_GETFL, 0) & O_APPEND &&
        al_sys3(SYS_lseek, fd, 0, SEEK_END) == end)
        al_sys2(SYS_ftruncate, fd, end - (long)written);
    return error;
}

/*
 * A pipe that polls as writable has room for PIPE_BUF bytes; more could wait for ever, and would
 * mix with what others write. With whole lines nobody's line goes on where the rest cannot be
 * written.
 */
static size_t piece_for_pipe(const char *bytes, size_t count)
{
    size_t piece = PIPE_BUF;

    if (count <= PIPE_BUF)
        return count;
    while (piece && bytes[piece - 1] != '\n')
        piece--;
    return piece ? piece : PIPE_BUF;
}

static int write_all(int fd, bool regular, const char *bytes, size_t count)
{
    const char *begin = bytes;
    uint64_t progress_ns = al_now_ns();

    while (count) {
        size_t piece = regular ? count : piece_for_pipe(bytes, count);
        long written;

        if (!regular && !takes_bytes(fd))
            return -EAGAIN;
        written = al_sys3(SYS_write, fd, bytes, piece);
        if (written == -EINTR || (written == -EAGAIN && pause_since(progress_ns)))
            continue;
        if (written == 0)
            written = -EIO;
        if (written < 0)
            return regular ? taken_back(fd, (size_t)(bytes - begin), (int)written) : (int)written;
        bytes += written;
        count -= (size_t)written;
        progress_ns = al_now_ns();
    }
    return 0;
}

static int write_unsignalled(int fd, bool regular, const char *bytes, size_t count)
{
    int terminal = regular ? -1 : open_terminal(fd);
    int result = write_all(terminal < 0 ? fd : terminal, regular, bytes, count);

    if (terminal >= 0)
        al_io_close(terminal);
    return result;
}

int al_io_write(int fd, const char *bytes, size_t count)
{
    struct al_io_identity identity = look_at(fd);

    return identity.known ? al_io_write_known(fd, identity, bytes, count) : -EBADF;
}

int al_io_write_known(int fd, struct al_io_identity identity, const char *bytes, size_t count)
{
    const kernel_sigset raised = bit_of(SIGPIPE) | bit_of(SIGXFSZ) | bit_of(SIGTTOU);
    kernel_sigset before = 0;
    kernel_sigset pending_before = 0;
    kernel_sigset pending_after = 0;
    struct timespec no_time = {0};
    int result;

    al_sys4(SYS_rt_sigprocmask, SIG_BLOCK, &raised, &before, sizeof(before));
    /* What was not blocked until now has been delivered, not left pending. */
    if (before & raised)
        al_sys2(SYS_rt_sigpending, &pending_before, sizeof(pending_before));

    result = write_unsignalled(fd, identity.regular, bytes, count);

    if (result) {
        kernel_sigset ours;

        al_sys2(SYS_rt_sigpending, &pending_after, sizeof(pending_after));
        ours = pending_after & ~pending_before & raised;
        if (ours)
            al_sys4(SYS_rt_sigtimedwait, &ours, 0, &no_time, sizeof(ours));
    }
    al_sys4(SYS_rt_sigprocmask, SIG_SETMASK, &before, 0, sizeof(before));
    return result;
}

static int open_to_read(const char *path)
{
    return (int)al_sys4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOCTTY, 0);
}

int al_io_open_read(const char *path)
{
    static const char self[] = "/proc/self/";
    char name[64];
    struct al_text own = al_text_over(name, sizeof(name));
    int fd;

    if (strncmp(path, self, sizeof(self) - 1) != 0)
        return open_to_read(path);
    al_text_string(&own, "/proc/thread-self/");
    al_text_string(&own, path + sizeof(self) - 1);
    fd = own.cut ? -ENOENT : open_to_read(name);
    /* Before Linux 3.17 there is no such name. */
    return fd == -ENOENT ? open_to_read(path) : fd;
}

long al_io_read_file(const char *path, char *buffer, size_t size)
{
    return al_io_read_file_from(path, NULL, buffer, size);
}

long al_io_read_file_from(const char *path, const char *begin, char *buffer, size_t size)
{
    size_t kept = begin ? strlen(begin) : 0;
    bool found = !begin;
    size_t length = 0;
    int fd = al_io_open_read(path);
    long got = fd;

    if (fd < 0)
        return fd;
    while (length < size - 1) {
        const char *at;

        size_t asked = size - 1 - length;

        got = al_sys3(SYS_read, fd, buffer + length, asked);
        if (got == -EINTR)
            continue;
        if (got <= 0)
            break;
        length += (size_t)got;
        buffer[length] = '\0';
        if (!found) {
            at = strstr(buffer, begin);
            found = at != NULL;
            /* Its first part may stand at the end of what has been read. */
            if (!at)
                at = buffer + (length > kept ? length - kept : 0);
            length -= (size_t)(at - buffer);
            memmove(buffer, at, length);
        }
        if (found && (size_t)got < asked)
            break; /* files, and those of /proc that are one text, give less only at their end */
    }
    if (!found)
        length = 0;
    buffer[length] = '\0';
    al_io_close(fd);
    return got < 0 ? got : (long)length;
}

static int open_append(const char *path, int more)
{
    const int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK | more;

    return (int)al_sys4(SYS_openat, AT_FDCWD, path, flags, 0644);
}

int al_io_open_append(const char *path, bool *ret_made)
{
    int fd = open_append(path, 0);

    *ret_made = false;
    if (fd != -ENOENT)
        return fd;
    fd = open_append(path, O_CREAT | O_EXCL);
    *ret_made = fd >= 0;
    return fd == -EEXIST ? open_append(path, 0) : fd; /* somebody was quicker */
}

/* What a name that is being taken away looks for there; nobody else has it. Returns after that. */
static void wait_for_the_directory(const char *path, char *buffer, size_t size)
{
    struct al_text name = al_text_over(buffer, size);

    al_text_string(&name, path);
    al_text_string(&name, ".");
    al_text_u64(&name, al_now_ns());
    (void)al_io_look(AT_FDCWD, buffer);
}

/*
 * Whether the file has no name but the one by which it was opened. That one may be gone, so that
 * the one that it has is another: the kernel first counts one name less and then takes it away, all
 * with the directory held, and who looks for what is not there has to wait for that. So, if the
 * count said one, and the name of then is still there, it is the only one.
 */
static int check_only_name(int fd, const char *path)
{
    static const char gone[] = " (deleted)";
    static char buffer[PATH_MAX] AL_LARGE;
    const size_t length = sizeof(gone) - 1;
    char name[32];
    struct al_text link = al_text_over(name, sizeof(name));
    long size;

    wait_for_the_directory(path, buffer, sizeof(buffer));
    al_text_string(&link, "/proc/self/fd/");
    al_text_i64(&link, fd);
    size = al_sys4(SYS_readlinkat, AT_FDCWD, name, buffer, sizeof(buffer));
    return size > (long)length && memcmp(buffer + size - length, gone, length) == 0 ? -ESTALE : 0;
}

static int append_to(int fd, const char *path, const char *bytes, size_t count)
{
    struct al_io_identity identity = look_at(fd);
    int result = 0;

    if (identity.regular)
        result = identity.shared ? -EMLINK : check_only_name(fd, path);
    return result ? result : al_io_write_known(fd, identity, bytes, count);
}

int al_io_append(const char *path, const char *bytes, size_t count)
{
    const struct al_io_identity new_file = {.regular = true, .known = true};
    bool made;
    int fd = al_io_open_append(path, &made);
    int result;

    if (fd < 0)
        return fd;
    result =
        made ? al_io_write_known(fd, new_file, bytes, count) : append_to(fd, path, bytes, count);
    al_io_close(fd);
    return result;
}

void al_io_close(int fd)
{
    al_sys1(SYS_close, fd);
}
