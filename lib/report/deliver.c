#include "deliver.h"

#include "downgrades.h"
#include "emit.h"
#include "large.h"
#include "procfs.h"
#include "reason.h"
#include "replace.h"
#include "sys.h"

#include <assert.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

/*
 * Descriptors from here on are taken for the duplicate. Programs count on the lowest numbers,
 * shells on 10 and 255; a table of 256 entries is what the kernel allocates in one small piece.
 */
static const int duplicate_from = 192;

/*
 * Where the limit does not reach so far, the highest number there is; but where the program can
 * have so few, it needs each of them. Then there is descriptor 2 alone.
 */
static const int duplicate_least = 64;

static int highest_descriptor(void)
{
    uint64_t limit[2] = {0};

    if (al_sys4(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, limit))
        return -1;
    return (int)limit[0] - 1;
}

static int duplicate(int from)
{
    return (int)al_sys3(SYS_fcntl, STDERR_FILENO, F_DUPFD_CLOEXEC, from);
}

struct al_stderr al_stderr_keep(void)
{
    struct al_stderr err = {.duplicate = -1, .identity = al_io_identify(STDERR_FILENO)};

    if (!err.identity.known)
        return err;
    err.duplicate = duplicate(duplicate_from);
    if (err.duplicate == -EINVAL && highest_descriptor() >= duplicate_least)
        err.duplicate = duplicate(highest_descriptor());
    if (err.duplicate < 0)
        err.duplicate = -1;
    return err;
}

static bool is_stderr(const struct al_stderr *err, int fd)
{
    return al_io_same(err->identity, al_io_identify(fd));
}

/* A program that has put its own standard error in that place has not done so for the end of an
 * exec. */
static bool is_duplicate(const struct al_stderr *err)
{
    long flags = al_sys3(SYS_fcntl, err->duplicate, F_GETFD, 0);

    return flags >= 0 && flags & FD_CLOEXEC && is_stderr(err, err->duplicate);
}

void al_stderr_release(struct al_stderr *err)
{
    if (err->duplicate >= 0 && is_duplicate(err))
        al_io_close(err->duplicate);
    err->duplicate = -1;
}

/* A program that has used up its descriptors leaves us our own, to read and write files. */
static bool leave_descriptor(struct al_stderr *err)
{
    if (err->duplicate < 0 || !is_stderr(err, STDERR_FILENO))
        return false;
    al_stderr_release(err);
    return true;
}

int al_stderr_write(const struct al_stderr *err, const char *bytes, size_t count)
{
    if (err->duplicate >= 0 && is_stderr(err, err->duplicate))
        return al_io_write_known(err->duplicate, err->identity, bytes, count);
    if (is_stderr(err, STDERR_FILENO))
        return al_io_write_known(STDERR_FILENO, err->identity, bytes, count);
    return -EBADF;
}

static int expand_path(struct al_text *path, const char *pattern,
                       const struct al_snapshot *snapshot)
{
    for (; *pattern; pattern++) {
        if (*pattern != '%') {
            al_text_char(path, *pattern);
            continue;
        }
        switch (pattern[1]) {
        case 'p':
            al_text_i64(path, snapshot->pid);
            break;
        case 'n':
            al_text_file_name(path, snapshot->run->program, SIZE_MAX);
            break;
        case '%':
            al_text_char(path, '%');
            break;
        default:
            al_text_char(path, '%');
            continue;
        }
        pattern++;
    }
    return path->cut ? -ENAMETOOLONG : 0;
}

/* Who reads metrics wants one report, whole; who collects the others wants all of them. */
static int write_file(char *path, const struct al_text *report, enum al_stats format)
{
    if (format == AL_STATS_PROMETHEUS)
        return al_replace(path, report->at, report->length);
    return al_io_append(path, report->at, report->length);
}

static void explain(const struct al_stderr *err, const char *path, int error)
{
    char line[1024]; /* a control byte takes four */
    struct al_text text = al_text_over(line, sizeof(line));

    al_text_string(&text, "libautolock: the report cannot be written to \"");
    al_text_printable(&text, path, 200);
    al_text_string(&text, "\": ");
    al_reason_print(&text, error);
    al_text_string(&text, "; here it is\n");
    (void)al_stderr_write(err, text.at, text.length);
}

/* The figures of the kernel are 0 then: a reader must not take them for true. */
static const char without_proc[] =
    "the report's figures of locked and resident memory are missing: /proc is not mounted (mount "
    "-t proc proc /proc)";
static const char without_figures[] =
    "the report's figures of locked and resident memory are missing: /proc/self/status cannot be "
    "read";

static void emit_into(struct al_text *report, const struct al_snapshot *snapshot)
{
    switch ((enum al_stats)snapshot->run->config->stats) {
    case AL_STATS_TEXT:
        al_emit_text(report, snapshot);
        break;
    case AL_STATS_JSON:
        al_emit_json(report, snapshot);
        break;
    case AL_STATS_PROMETHEUS:
        al_emit_prometheus(report, snapshot);
        break;
    case AL_STATS_OFF:
        break;
    }
}

/*
 * A report in memory of our own, which is little, as all of it is locked in every process; where
 * that does not suffice, in memory that is had for the purpose.
 */
static struct al_text emit(const struct al_snapshot *snapshot)
{
    static char bytes[AL_REPORT_USUAL_BYTES] AL_LARGE;
    struct al_text report = al_text_over(bytes, sizeof(bytes));
    static char *more;
    long mapped;

    emit_into(&report, snapshot);
    if (!report.cut)
        return report;
    mapped = more ? (long)more
                  : al_sys_mmap(NULL, AL_REPORT_BYTES, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (al_sys_failed(mapped)) {
        /* Half a line would spoil what comes behind it; half an object is no JSON. */
        while (report.length && report.at[report.length - 1] != '\n')
            report.length--;
        return report;
    }
    more = (char *)mapped;
    report = al_text_over(more, AL_REPORT_BYTES);
    emit_into(&report, snapshot);
    return report;
}

void al_deliver(struct al_stderr *err, struct al_run *run, const char *ended)
{
    /* Not on the stack: the program's last words may come from a small one. */
    static struct al_snapshot snapshot AL_LARGE;
    struct al_text report;
    int error;

    if (run->config->stats == AL_STATS_OFF && !al_live_in_file())
        return;
    error = al_snapshot_take(&snapshot, run, ended);
    if (error == -EMFILE && leave_descriptor(err))
        error = al_snapshot_take(&snapshot, run, ended);
    if (error)
        al_downgrade_add(error == -ENOENT ? without_proc : without_figures);
    al_live_finish(ended);
    if (run->config->stats == AL_STATS_OFF)
        return;
    report = emit(&snapshot);

    if (run->config->stats_file[0]) {
        /* All of /proc is read. */
        char *path_bytes = al_procfs_text;
        struct al_text path = al_text_over(path_bytes, AL_OPTION_PATH_SIZE);

        static_assert(AL_PROCFS_BYTES >= AL_OPTION_PATH_SIZE, "room for a name");
        error = expand_path(&path, run->config->stats_file, &snapshot);
        if (!error)
            error = write_file(path_bytes, &report, run->config->stats);
        if (error == -EMFILE && leave_descriptor(err))
            error = write_file(path_bytes, &report, run->config->stats);
        if (!error)
            return;
        if (run->config->log >= AL_LOG_ERROR)
            explain(err, path_bytes, error);
    }
    (void)al_stderr_write(err, report.at, report.length);
}
