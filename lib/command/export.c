#include "command.h"

#include "emit.h"
#include "reader.h"
#include "replace.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
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

static const char help[] =
    "usage: autolock export --textfile DIRECTORY [--interval SECONDS] [--once] [PID…]\n"
    "\n"
    "Keeps in DIRECTORY, for the textfile collector of Prometheus' node exporter, a file of "
    "metrics of\n"
    "each process that has the library (or of those named), and takes it away when the process is\n"
    "gone. Runs until it is interrupted.\n"
    "\n"
    "  --textfile DIRECTORY  where the files go, as " PREFIX "PROGRAM.PID" SUFFIX "\n"
    "  --interval SECONDS    how often they are renewed (15)\n"
    "  --once                renew them once, and end\n"
    "  --help                this text\n"
    "\n"
    "Exits with 0 when it is interrupted, or with --once is through; 1 if a file could not be "
    "written,\n"
    "or a PID that was named is no process with the library; 64 if it is called wrongly.\n";

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

    if (!list) {
        complain("/proc cannot be read: %s", strerror(errno));
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

static bool are_pids(char **pids)
{
    for (; *pids; pids++) {
        if (!all_digits(*pids) || strlen(*pids) > 9) {
            complain("\"%s\" is no process", *pids);
            return false;
        }
    }
    return true;
}

int command_export(int count, char **arguments)
{
    static const struct option options[] = {
        {"textfile", required_argument, NULL, 't'},
        {"interval", required_argument, NULL, 'i'},
        {"once", no_argument, NULL, 'o'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const char *directory = NULL;
    double interval = 15;
    bool once = false;
    struct stat status;
    int option;

    while ((option = getopt_long(count, arguments, "h", options, NULL)) != -1) {
        switch (option) {
        case 't':
            directory = optarg;
            break;
        case 'i':
            if (!parse_interval(optarg, &interval)) {
                complain("--interval %s: it is a number of seconds from 0.01 to 86400", optarg);
                return STATUS_USAGE;
            }
            break;
        case 'o':
            once = true;
            break;
        case 'h':
            return fputs(help, stdout) == EOF || fflush(stdout) ? STATUS_FAILED : 0;
        default:
            return STATUS_USAGE;
        }
    }
    if (!directory) {
        complain("--textfile DIRECTORY says where the files go");
        return STATUS_USAGE;
    }
    if (!are_pids(arguments + optind))
        return STATUS_USAGE;
    if (stat(directory, &status)) {
        complain("%s: %s", directory, strerror(errno));
        return STATUS_FAILED;
    }
    if (!S_ISDIR(status.st_mode)) {
        complain("%s: it is no directory", directory);
        return STATUS_FAILED;
    }
    return export(directory, arguments + optind, interval, once);
}
