/*
 * Files, read and written so that the program cannot notice: no signal reaches it for our sake,
 * nothing waits for a reader that does not come, errno is untouched. Async-signal safe.
 */
#ifndef AL_IO_H
#define AL_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What tells one open file from another that got the same descriptor later. */
struct al_io_identity {
    uint64_t device;
    uint64_t inode;
    uint64_t generation; /* a file's number is given to another one once it is gone; 0: not known */
    bool regular; /* a file that takes any number of bytes at once, as no pipe or terminal does */
    bool link;    /* a symbolic link */
    bool shared;  /* it has more names than one (hard links) */
    bool known;   /* false: there was no such descriptor or file */
};

struct al_io_identity al_io_identify(int fd);

/* The same of a file in an open directory (or AT_FDCWD), but for the generation, with one system
 * call; a symbolic link is not followed. */
struct al_io_identity al_io_look(int directory, const char *name);

bool al_io_same(struct al_io_identity a, struct al_io_identity b);

/*
 * Writes all of it, with as few calls as the kernel allows (one, as a rule). A pipe or terminal
 * that takes nothing for AL_IO_PATIENCE_MS is given up. SIGPIPE, SIGXFSZ and SIGTTOU that the
 * writing itself raises are taken back.
 *
 * Returns 0 or a negative errno (-EAGAIN: nobody reads; -ENOSPC: disk full …).
 */
int al_io_write(int fd, const char *bytes, size_t count);

#define AL_IO_PATIENCE_MS 200

/* The same for a descriptor that has just been identified: one system call less. */
int al_io_write_known(int fd, struct al_io_identity identity, const char *bytes, size_t count);

/*
 * Reads the file from its beginning until the end or until the buffer is full, and terminates it.
 * Returns the number of bytes or a negative errno. Not for files of /proc that are lists (maps),
 * which give a piece at a time.
 */
long al_io_read_file(const char *path, char *buffer, size_t size);

/*
 * The same of a text from the first place on where `begin`, which is shorter than the buffer,
 * stands (NULL: from the beginning); nothing if it is nowhere.
 */
long al_io_read_file_from(const char *path, const char *begin, char *buffer, size_t size);

/*
 * Opens a file for appending; `*ret_made`: there was none, it is new (0644 less the umask's bits).
 * A symbolic link at the end of the path is not followed, a FIFO without a reader is not waited
 * for. Returns the descriptor (close-on-exec) or a negative errno.
 */
int al_io_open_append(const char *path, bool *ret_made);

/*
 * Appends to the file, opened as above. One that has another name as well (-EMLINK), or has lost
 * the one by which it was opened (-ESTALE), may be any file of ours that somebody has given a name
 * in that directory: it is left alone. For one thread at a time. Returns 0 or a negative errno.
 */
int al_io_append(const char *path, const char *bytes, size_t count);

/*
 * Opens a file for reading (close-on-exec). What is in /proc/self is the calling thread's there:
 * once the main thread has ended, a process has no memory to be seen but in its other threads.
 * Returns the descriptor or a negative errno.
 */
int al_io_open_read(const char *path);

void al_io_close(int fd);

#endif
