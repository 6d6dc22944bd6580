#include "replace.h"

#include "io.h"
#include "sys.h"
#include "text.h"

#include <fcntl.h>
#include <string.h>

/* A name in an open directory (or AT_FDCWD), which stays the same one whatever is renamed. */
struct place {
    int directory;
    const char *name;
};

static int place_open(char *path, struct place *ret_place)
{
    char *slash = strrchr(path, '/');
    int fd;

    *ret_place = (struct place){.directory = AT_FDCWD, .name = path};
    if (!slash)
        return *path ? 0 : -ENOENT;
    if (!slash[1])
        return -EISDIR;
    /* To look names up in it, one need not be allowed to read it. */
    *slash = '\0';
    fd = (int)al_sys4(SYS_openat, AT_FDCWD, slash == path ? "/" : path,
                      O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    *slash = '/';
    if (fd < 0)
        return fd;
    *ret_place = (struct place){.directory = fd, .name = slash + 1};
    return 0;
}

static void place_close(const struct place *place)
{
    if (place->directory != AT_FDCWD)
        al_io_close(place->directory);
}

static int open_at(const struct place *place, int flags)
{
    const int always = O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK;

    return (int)al_sys4(SYS_openat, place->directory, place->name, always | flags, 0644);
}

static int rename_at(const struct place *from, const struct place *to)
{
#if defined(SYS_renameat)
    return (int)al_sys4(SYS_renameat, from->directory, from->name, to->directory, to->name);
#else
    return (int)al_sys6(SYS_renameat2, from->directory, (long)from->name, to->directory,
                        (long)to->name, 0, 0);
#endif
}

/* Some file systems say only here that there was no room. After EINTR it is closed, too. */
static int close_written(int fd)
{
    int error = (int)al_sys1(SYS_close, fd);

    return error == -EINTR ? 0 : error;
}

/* Where others choose a name at the same moment, O_EXCL says so, and the clock has gone on. */
static int create(struct place *place, char *name, size_t size)
{
    enum { ATTEMPTS = 100 };
    int fd = -EEXIST;

    for (int i = 0; fd == -EEXIST && i < ATTEMPTS; i++) {
        struct al_text text = al_text_over(name, size);

        al_text_string(&text, ".autolock-");
        al_text_u64(&text, al_now_ns());
        place->name = name;
        fd = open_at(place, O_CREAT | O_EXCL);
    }
    return fd;
}

static int replace(const struct place *place, const char *bytes, size_t count)
{
    const struct al_io_identity new_file = {.regular = true, .known = true};
    char name[64];
    struct place other = *place;
    int fd = create(&other, name, sizeof(name));
    int error;
    int closing;

    if (fd < 0)
        return fd;
    error = al_io_write_known(fd, new_file, bytes, count);
    closing = close_written(fd);
    if (!error)
        error = closing;
    if (!error)
        error = rename_at(&other, place);
    if (error)
        al_sys3(SYS_unlinkat, other.directory, other.name, 0);
    return error;
}

/* What has become a file since the look is somebody's: it would be written over. */
static int write_to(const struct place *place, const char *bytes, size_t count)
{
    int fd = open_at(place, 0);
    struct al_io_identity identity;
    int error = -EEXIST;

    if (fd < 0)
        return fd;
    identity = al_io_identify(fd);
    if (!identity.regular)
        error = al_io_write_known(fd, identity, bytes, count);
    al_io_close(fd);
    return error;
}

/* What comes there after the look is replaced, and never followed. */
static int replace_or_write(const struct place *place, const char *bytes, size_t count)
{
    struct al_io_identity there = al_io_look(place->directory, place->name);

    if (there.link)
        return -ELOOP;
    if (there.known && !there.regular)
        return write_to(place, bytes, count);
    return replace(place, bytes, count);
}

int al_replace(char *path, const char *bytes, size_t count)
{
    struct place place;
    int error = place_open(path, &place);

    if (error)
        return error;
    error = replace_or_write(&place, bytes, count);
    place_close(&place);
    return error;
}
