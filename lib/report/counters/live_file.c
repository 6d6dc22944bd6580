#include "live_file.h"

#include "io.h"
#include "live.h"
#include "sys.h"
#include "text.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>

struct path {
    char text[PATH_MAX];
};

/* Memory that is had where there is to be a file. */
static struct {
    char directory[PATH_MAX];
    struct path hidden; /* two names are much for a thread's stack */
} * paths;

static bool have_paths(void)
{
    long mapped;

    if (paths)
        return true;
    mapped = al_sys_mmap(NULL, sizeof(*paths), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                         -1, 0);
    if (al_sys_failed(mapped))
        return false;
    paths = (void *)mapped;
    return true;
}

int al_live_file_set_directory(const char *directory)
{
    struct al_text path;

    if (!have_paths())
        return -ENOMEM;
    path = al_text_over(paths->directory, sizeof(paths->directory));
    if (*directory && *directory != '/') {
        long length = al_sys2(SYS_getcwd, paths->directory, sizeof(paths->directory));

        if (length < 0)
            return (int)length;
        path.length = (size_t)length - 1;
        al_text_char(&path, '/');
    }
    al_text_string(&path, directory);
    return path.cut ? -ENAMETOOLONG : 0;
}

bool al_live_file_has_directory(void)
{
    return paths && paths->directory[0] != '\0';
}

/* DIRECTORY/PROGRAM.PID.NANOSECONDS.live; ….new, and hidden, until it is whole. */
static int path_of(struct path *ret_path, bool whole)
{
    struct al_text text = al_text_over(ret_path->text, sizeof(ret_path->text));

    al_text_string(&text, paths->directory);
    al_text_string(&text, whole ? "/" : "/.");
    al_text_file_name(&text, al_live.head.program, 128);
    al_text_char(&text, '.');
    al_text_i64(&text, al_live.head.pid);
    al_text_char(&text, '.');
    al_text_u64(&text, al_live.head.began_real_ns);
    al_text_string(&text, whole ? ".live" : ".new");
    return text.cut ? -ENAMETOOLONG : 0;
}

/* One descriptor suffices: there may be no more. Nobody is waited for who holds a lease on what he
 * has put there. */
static int open_path(bool whole, int flags)
{
    struct path path;
    int error = path_of(&path, whole);

    return error ? error
                 : (int)al_sys4(SYS_openat, AT_FDCWD, path.text,
                                O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | flags,
                                0600);
}

int al_live_file_create(void)
{
    return open_path(false, O_CREAT | O_EXCL);
}

int al_live_file_open(void)
{
    return open_path(true, 0);
}

static int rename_path(const char *from, const char *to)
{
#if defined(SYS_renameat)
    return (int)al_sys4(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
#else
    return (int)al_sys6(SYS_renameat2, AT_FDCWD, (long)from, AT_FDCWD, (long)to, 0, 0);
#endif
}

int al_live_file_settle(int error)
{
    struct path whole;

    (void)path_of(&paths->hidden, false);
    if (!error)
        error = path_of(&whole, true);
    if (!error)
        error = rename_path(paths->hidden.text, whole.text);
    if (error)
        al_sys3(SYS_unlinkat, AT_FDCWD, paths->hidden.text, 0);
    return error;
}
