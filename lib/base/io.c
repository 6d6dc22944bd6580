#include "io.h"

#include "sys.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

/* The kernel's own signal set: one bit a signal, 64 of them on every processor we build for. */
typedef uint64_t kernel_sigset;

static kernel_sigset bit_of(int signal_number)
{
    return (kernel_sigset)1 << (signal_number - 1);
}

struct al_io_identity al_io_identify(int fd)
{
    struct al_io_identity identity = {0};

    /* libc's fstat is another symbol in every generation of glibc, the system call is not. */
#if defined(SYS_newfstatat)
    struct stat status = {0};
    long failed = al_sys4(SYS_newfstatat, fd, "", &status, AT_EMPTY_PATH);
#else
    struct stat64 status = {0};
    long failed = al_sys2(SYS_fstat64, fd, &status);
#endif

    if (!failed) {
        identity.device = status.st_dev;
        identity.inode = status.st_ino;
        identity.regular = S_ISREG(status.st_mode);
        identity.known = true;
    }
    return identity;
}

bool al_io_same(struct al_io_identity a, struct al_io_identity b)
{
    return a.known && b.known && a.device == b.device && a.inode == b.inode;
}

/* Waits until `fd` takes bytes. A file that cannot be polled always does. */
static bool takes_bytes(int fd)
{
    struct pollfd want = {.fd = fd, .events = POLLOUT};
    struct timespec patience = {.tv_nsec = AL_IO_PATIENCE_MS * 1000000L};

    return al_sys6(SYS_ppoll, (long)&want, 1, (long)&patience, 0, sizeof(kernel_sigset), 0) != 0;
}

static int write_unsignalled(int fd, const char *bytes, size_t count)
{
    const bool regular = al_io_identify(fd).regular;

    while (count) {
        /* A pipe that polls as writable has room for PIPE_BUF bytes; more could wait for ever. */
        size_t piece = regular || count < PIPE_BUF ? count : PIPE_BUF;
        long written;

        if (!regular && !takes_bytes(fd))
            return -EAGAIN;
        written = al_sys3(SYS_write, fd, bytes, piece);
        if (written == -EINTR)
            continue;
        if (written < 0)
            return (int)written;
        if (written == 0)
            return -EIO;
        bytes += written;
        count -= (size_t)written;
    }
    return 0;
}

int al_io_write(int fd, const char *bytes, size_t count)
{
    const kernel_sigset raised = bit_of(SIGPIPE) | bit_of(SIGXFSZ) | bit_of(SIGTTOU);
    kernel_sigset before = 0;
    kernel_sigset pending_before = 0;
    kernel_sigset pending_after = 0;
    struct timespec no_time = {0};
    int result;

    al_sys4(SYS_rt_sigprocmask, SIG_BLOCK, &raised, &before, sizeof(before));
    al_sys2(SYS_rt_sigpending, &pending_before, sizeof(pending_before));

    result = write_unsignalled(fd, bytes, count);

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

long al_io_read_file(const char *path, char *buffer, size_t size)
{
    size_t length = 0;
    long got = al_sys4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOCTTY, 0);
    int fd = (int)got;

    if (fd < 0)
        return fd;
    while (length < size - 1) {
        got = al_sys3(SYS_read, fd, buffer + length, size - 1 - length);
        if (got == -EINTR)
            continue;
        if (got <= 0)
            break;
        length += (size_t)got;
    }
    buffer[length] = '\0';
    al_io_close(fd);
    return got < 0 ? got : (long)length;
}

int al_io_open_append(const char *path)
{
    const int flags =
        O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK;

    return (int)al_sys4(SYS_openat, AT_FDCWD, path, flags, 0644);
}

void al_io_close(int fd)
{
    al_sys1(SYS_close, fd);
}
