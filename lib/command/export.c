#include "call.h"
#include "call_export.h"
#include "call_values.h"
#include "command.h"
#include "emit.h"
#include "reader.h"
#include "replace.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* What the names of the files begin with: nobody else's are taken away. */
#define PREFIX "autolock."
#define SUFFIX ".prom"

enum { PATH_BYTES = 4096 };

static volatile sig_atomic_t interrupted;

static void interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

static struct al_reading reading;

/* Which files are of processes that are there. */
static struct {
    char **name;
    size_t count;
    size_t room;
} fresh;

static bool remember(const char *name)
{
    if (fresh.count == fresh.room) {
        size_t room = fresh.room ? 2 * fresh.room : 64;
        char **more = realloc(fresh.name, room * sizeof(*more));

        if (!more)
            return false;
        fresh.name = more;
        fresh.room = room;
    }
    fresh.name[fresh.count] = strdup(name);
    return fresh.name[fresh.count] && ++fresh.count;
}

static void forget_all(void)
{
    while (fresh.count)
        free(fresh.name[--fresh.count]);
}

static bool is_fresh(const char *name)
{
    for (size_t i = 0; i < fresh.count; i++)
        if (strcmp(fresh.name[i], name) == 0)
            return true;
    return false;
}

/* Writes the metrics of one process. Returns 0 or a negative errno: of reading, or of writing. */
static int write_one(const char *directory, pid_t pid, bool *ret_was_read)
{
    static char bytes[AL_REPORT_BYTES];
    struct al_text report = al_text_over(bytes, sizeof(bytes));
    char path_bytes[PATH_BYTES];
    char name_bytes[512];
    struct al_text path = al_text_over(path_bytes, sizeof(path_bytes));
    struct al_text name = al_text_over(name_bytes, sizeof(name_bytes));
    int error = al_reader_read_process(pid, &reading);

    *ret_was_read = !error;
    if (error)
        return error;
    al_emit_prometheus(&report, &reading.snapshot);
    al_text_string(&name, PREFIX);
    al_text_file_name(&name, reading.run.program, 128);
    al_text_char(&name, '.');
    al_text_i64(&name, pid);
    al_text_string(&name, SUFFIX);
    al_text_string(&path, directory);
    al_text_char(&path, '/');
    al_text_string(&path, name_bytes);
    if (path.cut)
        return -ENAMETOOLONG;
    error = al_replace(path_bytes, report.at, report.length);
    if (error)
        return error;
    return remember(name_bytes) ? 0 : -ENOMEM;
}

static bool all_digits(const char *text)
{
    if (!*text)
        return false;
    for (; *text; text++)
        if (!isdigit((unsigned char)*text))
            return false;
    return true;
}

/* Every process that there is; those without the library, and those of others, are passed over. */
static int write_all(const char *directory)
{
    DIR *list = opendir("/proc");
    const struct dirent *entry;
    int status = 0;

    if (!list || access("/proc/self", F_OK)) {
        complain("/proc cannot be read: %s", strerror(errno));
        if (list)
            (void)closedir(list);
        return STATUS_FAILED;
    }
    while ((entry = readdir(list))) {
        bool was_read;
        int error;

        if (!all_digits(entry->d_name))
            continue;
        error = write_one(directory, (pid_t)strtol(entry->d_name, NULL, 10), &was_read);
        if (error && was_read) {
            complain("%s: the metrics of process %s cannot be written: %s", directory,
                     entry->d_name, strerror(-error));
            status = STATUS_FAILED;
        }
    }
    (void)closedir(list);
    return status;
}

static int write_named(const char *directory, char **pids)
{
    int status = 0;

    for (; *pids; pids++) {
        bool was_read;
        int error = write_one(directory, (pid_t)strtol(*pids, NULL, 10), &was_read);

        if (!error)
            continue;
        status = STATUS_FAILED;
        if (was_read)
            complain("%s: the metrics of process %s cannot be written: %s", directory, *pids,
                     strerror(-error));
        else if (error == -ENOENT)
            complain("process %s does not have the library, or it is inert there", *pids);
        else
            complain("process %s cannot be read: %s", *pids, strerror(-error));
    }
    return status;
}

static bool is_ours(const char *name)
{
    size_t length = strlen(name);

    return length > sizeof(PREFIX SUFFIX) && strncmp(name, PREFIX, strlen(PREFIX)) == 0 &&
           strcmp(name + length - strlen(SUFFIX), SUFFIX) == 0;
}

/* Of processes that are gone, also those of a run of this command before. */
static void drop_stale(const char *directory)
{
    DIR *list = opendir(directory);
    const struct dirent *entry;

    if (!list)
        return;
    while ((entry = readdir(list)))
        if (is_ours(entry->d_name) && !is_fresh(entry->d_name))
            (void)unlinkat(dirfd(list), entry->d_name, 0);
    (void)closedir(list);
}

static void wait_for(double seconds)
{
    struct timespec time = {.tv_sec = (time_t)seconds};

    time.tv_nsec = (long)((seconds - (double)time.tv_sec) * 1e9);
    while (!interrupted && nanosleep(&time, &time) && errno == EINTR)
        ;
}

static void watch_for_interrupts(void)
{
    struct sigaction action = {.sa_handler = interrupt};

    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGHUP, &action, NULL);
}

static int export(const char *directory, char **pids, double interval, bool once)
{
    int status;

    watch_for_interrupts();
    for (;;) {
        status = *pids ? write_named(directory, pids) : write_all(directory);
        drop_stale(directory);
        forget_all();
        if (once || interrupted || (*pids && status))
            return once || *pids ? status : 0;
        wait_for(interval);
        if (interrupted)
            return 0;
    }
}

static bool parse_interval(const char *text, double *ret_seconds)
{
    char *end;

    *ret_seconds = strtod(text, &end);
    if (strcmp(end, "s") == 0)
        end++;
    return end != text && !*end && *ret_seconds >= 0.01 && *ret_seconds <= 86400;
}

struct wish {
    const char *directory;
    double interval;
    bool once;
    char **pids;
};

/* Returns CALL_ON, or the status to end with. */
static int parse(int count, char **arguments, struct wish *ret_wish)
{
    struct call_reader reader = call_reader_of(&call_export, count, arguments);
    const struct call_option *option;

    while ((option = call_next(&reader))) {
        switch ((enum call_export_option)option->id) {
        case EXPORT_OPTION_TEXTFILE:
            ret_wish->directory = reader.value;
            break;
        case EXPORT_OPTION_INTERVAL:
            if (parse_interval(reader.value, &ret_wish->interval))
                break;
            complain("--interval %s: it is a number of seconds from 0.01 to 86400", reader.value);
            return STATUS_USAGE;
        case EXPORT_OPTION_ONCE:
            ret_wish->once = true;
            break;
        }
    }
    if (reader.status != CALL_ON)
        return reader.status;
    ret_wish->pids = reader.operands;
    if (ret_wish->directory)
        return call_are_pids(ret_wish->pids) ? CALL_ON : STATUS_USAGE;
    complain("--textfile DIRECTORY says where the files go");
    return STATUS_USAGE;
}

int command_export(int count, char **arguments)
{
    struct wish wish = {.interval = 15};
    struct stat file;
    int status = parse(count, arguments, &wish);

    if (status != CALL_ON)
        return status;
    if (stat(wish.directory, &file)) {
        complain("%s: %s", wish.directory, strerror(errno));
        return STATUS_FAILED;
    }
    if (!S_ISDIR(file.st_mode)) {
        complain("%s: it is no directory", wish.directory);
        return STATUS_FAILED;
    }
    return export(wish.directory, wish.pids, wish.interval, wish.once);
}
