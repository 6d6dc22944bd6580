#include "source.h"

#include "procfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

bool al_source_read(const struct al_source *source, uint64_t place, void *buffer, size_t size)
{
    struct iovec here = {buffer, size};
    struct iovec there = {(void *)(uintptr_t)place, size};

    if (source->pid)
        return process_vm_readv(source->pid, &here, 1, &there, 1, 0) == (ssize_t)size;
    return pread(source->fd, buffer, size, (off_t)place) == (ssize_t)size;
}

static FILE *open_of(pid_t pid, const char *name)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    return fopen(path, "re");
}

static bool has_memory(pid_t thread)
{
    FILE *maps = open_of(thread, "maps");
    bool has = maps && fgetc(maps) != EOF;

    if (maps)
        (void)fclose(maps);
    return has;
}

pid_t al_reader_shown_as(pid_t pid)
{
    pid_t found = pid;
    char path[64];
    struct dirent *entry;
    DIR *threads;

    if (has_memory(pid))
        return pid;
    (void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    threads = opendir(path);
    while (threads && found == pid && (entry = readdir(threads))) {
        pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);

        if (thread > 0 && has_memory(thread))
            found = thread;
    }
    if (threads)
        (void)closedir(threads);
    return found;
}

/* A line of maps, as far as it is needed here. */
struct line {
    uint64_t start;
    unsigned device_major;
    unsigned device_minor;
    uint64_t offset;
    uint64_t inode;
    const char *name;
};

static bool parse(const char *text, struct line *ret_line)
{
    int name = 0;

    if (sscanf(text, "%" SCNx64 "-%*x %*s %" SCNx64 " %x:%x %" SCNu64 " %n", &ret_line->start,
               &ret_line->offset, &ret_line->device_major, &ret_line->device_minor,
               &ret_line->inode, &name) < 5)
        return false;
    ret_line->name = text + name;
    return true;
}

/* A memfd of our name, or a file in AUTOLOCK_LIVE_DIR; what it holds is looked at later. */
static bool may_be_ours(const struct line *line)
{
    return line->offset == 0 &&
           (strncmp(line->name, "/memfd:" AL_LIVE_NAME, strlen("/memfd:" AL_LIVE_NAME)) == 0 ||
            strstr(line->name, ".live") != NULL);
}

static bool has_magic(const struct al_source *source)
{
    char magic[sizeof(((struct al_live_head *)0)->magic)];

    return al_source_read(source, source->address, magic, sizeof(magic)) &&
           memcmp(magic, AL_LIVE_MAGIC, sizeof(magic)) == 0;
}

int al_source_find(pid_t pid, struct al_source *ret_source)
{
    FILE *maps;
    char *text = NULL;
    size_t size = 0;
    int result = -ENOENT;

    pid = al_reader_shown_as(pid);
    maps = open_of(pid, "maps");
    if (!maps)
        return errno == ENOENT || errno == ESRCH ? -ESRCH : -errno;
    errno = 0;
    while (result && getline(&text, &size, maps) > 0) {
        struct line line;

        if (!parse(text, &line) || !may_be_ours(&line))
            continue;
        *ret_source = (struct al_source){.pid = pid, .fd = -1, .address = line.start};
        errno = 0;
        if (has_magic(ret_source))
            result = 0;
        else if (errno == EPERM)
            result = -EPERM;
    }
    /* A process that may not be looked at has no maps, but no error either. */
    if (result == -ENOENT && errno == EACCES)
        result = -EPERM;
    free(text);
    (void)fclose(maps);
    return result;
}

bool al_source_is_mapped(pid_t pid, int fd)
{
    FILE *maps = pid > 0 ? open_of(al_reader_shown_as(pid), "maps") : NULL;
    struct stat status;
    char *text = NULL;
    size_t size = 0;
    bool found = false;

    if (!maps)
        return false;
    if (fstat(fd, &status) == 0) {
        while (!found && getline(&text, &size, maps) > 0) {
            struct line line;

            found = parse(text, &line) && line.inode == status.st_ino &&
                    line.device_major == major(status.st_dev) &&
                    line.device_minor == minor(status.st_dev);
        }
    }
    free(text);
    (void)fclose(maps);
    return found;
}

static bool read_all(pid_t pid, const char *name, char *buffer, size_t size)
{
    FILE *file = open_of(pid, name);
    size_t length;

    if (!file)
        return false;
    length = fread(buffer, 1, size - 1, file);
    buffer[length] = '\0';
    (void)fclose(file);
    return length > 0;
}

/* Of all threads, also those that have ended. A program's name may hold anything but its end. */
static bool read_faults(pid_t pid, uint64_t *ret_minor, uint64_t *ret_major)
{
    char stat[1024];
    const char *rest;

    if (!read_all(pid, "stat", stat, sizeof(stat)))
        return false;
    rest = strrchr(stat, ')');
    return rest && sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %" SCNu64 " %*u %" SCNu64, ret_minor,
                          ret_major) == 2;
}

static void fill_faults(struct al_snapshot *snapshot, uint64_t minor, uint64_t major)
{
    const struct al_live_head *head = snapshot->head;
    uint64_t *field = snapshot->field;

    field[AL_FIELD_faults_minor] = minor;
    field[AL_FIELD_faults_major] = major;
    field[AL_FIELD_faults_minor_after_lock] = minor - head->minor_at_lock;
    field[AL_FIELD_faults_major_after_lock] = major - head->major_at_lock;
    field[AL_FIELD_faults_minor_after_mark] = minor - head->minor_at_mark;
    field[AL_FIELD_faults_major_after_mark] = major - head->major_at_mark;
}

static uint64_t greater(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

bool al_source_fill_gauges(pid_t pid, struct al_snapshot *snapshot)
{
    struct al_memory_status status;
    uint64_t *field = snapshot->field;
    char text[16384];
    uint64_t minor;
    uint64_t major;

    pid = al_reader_shown_as(pid);
    if (!read_all(pid, "status", text, sizeof(text)) || !read_faults(pid, &minor, &major))
        return false;
    al_memory_status_parse(text, &status);
    snapshot->ppid = (pid_t)status.parent;
    fill_faults(snapshot, minor, major);
    field[AL_FIELD_locked_kernel_bytes] = status.locked;
    field[AL_FIELD_locked_peak_kernel_bytes] =
        greater(field[AL_FIELD_locked_peak_kernel_bytes], status.locked);
    field[AL_FIELD_memory_locked_bytes] = status.locked;
    field[AL_FIELD_memory_rss_bytes] = status.resident;
    field[AL_FIELD_memory_peak_rss_bytes] = status.peak_resident;
    field[AL_FIELD_memory_swap_bytes] = status.swapped;
    return true;
}
