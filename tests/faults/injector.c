/*
 * Runs a program and makes system calls fail in it: those of one library, or of one executable, and
 * no other's.
 *
 *     injector [OPTION…] PROGRAM ARGUMENT…
 *
 *     -l FILE     calls made at an instruction of this library are judged
 *     -b          those that libc makes for it instead, told by the address to which they return
 *     -p FILE     calls of processes that execute this file are judged, but for the loader's
 *     -a          everybody's calls are judged
 *     -i FROM-TO  with -b: returning to between these offsets of the library (hexadecimal)
 *     -x FROM-TO  not what lies between these offsets of the library
 *     -o OFFSET   only what returns to this offset of the library
 *     -f CALL=E,… what fails: the call's number and the errnos' numbers; 0: less is read or written
 *     -w WHEN     "each", "other" (every second time), N (the Nth time in all), or
 *                 "random:SEED:PERMILLE"
 *     -t          all calls are written down, and the number of those that are not judged
 *     -r FILE     what was seen is written there
 *     -e NAME=VALUE  of the program's environment, which is this one's besides
 *     -u ID       the program is run by this user
 *     -m BYTES    under this limit of locked memory
 *
 * A seccomp filter stops the calls that may fail, and no others, for a tracer that looks at the
 * instruction pointer. What fails is not made at all; what is short is made, of less.
 *
 * The lines of the file: "call NUMBER OFFSET TIMES FAILED" of the judged, "other NUMBER TIMES" of
 * the rest, and "locked PID KIB" whenever the library is about to write: what the kernel counts
 * then.
 */
#include "injector.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct wish injector_wish = {.user = -1};
FILE *injector_log;

static const char *log_path;

void injector_trouble(const char *what)
{
    (void)fprintf(stderr, "injector: %s: %s\n", what, strerror(errno));
    exit(TROUBLE);
}

static void read_fault(char *text)
{
    struct fault *fault = &injector_wish.faults[injector_wish.count];
    char *rest = strchr(text, '=');

    if (injector_wish.count == FAULTS_MOST || !rest)
        injector_trouble(text);
    fault->call = strtol(text, NULL, 10);
    for (char *at = rest; *at && fault->count < ERRNOS_MOST;)
        fault->errnos[fault->count++] = (int)strtol(at + 1, &at, 10);
    injector_wish.count++;
}

static void read_when(const char *text)
{
    if (strcmp(text, "each") == 0)
        injector_wish.when = EACH;
    else if (strcmp(text, "other") == 0)
        injector_wish.when = OTHER;
    else if (sscanf(text, "random:%" SCNu64 ":%lu", &injector_wish.random,
                    &injector_wish.permille) == 2) {
        injector_wish.when = RANDOM;
        injector_wish.random = injector_wish.random * 0x9e3779b97f4a7c15u + 1;
    } else {
        injector_wish.when = ONE;
        injector_wish.nth = strtoul(text, NULL, 10);
    }
}

static void read_option(int option, char *value)
{
    struct range *range;

    switch (option) {
    case 'l':
        injector_wish.has_library = true;
        if (stat(value, &injector_wish.library))
            injector_trouble(value);
        break;
    case 'p':
        injector_wish.has_file = true;
        if (stat(value, &injector_wish.file))
            injector_trouble(value);
        break;
    case 'x':
        range = &injector_wish.left_out[injector_wish.ranges++];
        if (injector_wish.ranges == RANGES_MOST ||
            sscanf(value, "%" SCNx64 "-%" SCNx64, &range->start, &range->end) != 2)
            injector_trouble(value);
        break;
    case 'i':
        if (sscanf(value, "%" SCNx64 "-%" SCNx64, &injector_wish.inside.start,
                   &injector_wish.inside.end) != 2)
            injector_trouble(value);
        break;
    case 'o':
        injector_wish.only = strtoull(value, NULL, 16);
        break;
    case 'f':
        read_fault(value);
        break;
    case 'w':
        read_when(value);
        break;
    case 'a':
        injector_wish.anybody = true;
        break;
    case 'b':
        injector_wish.behind = true;
        break;
    case 't':
        injector_wish.all = true;
        break;
    case 'r':
        log_path = value;
        break;
    case 'e':
        if (injector_wish.variable_count == VARIABLES_MOST)
            injector_trouble(value);
        injector_wish.variables[injector_wish.variable_count++] = value;
        break;
    case 'u':
        injector_wish.user = strtol(value, NULL, 10);
        break;
    case 'm':
        injector_wish.has_memlock = true;
        injector_wish.memlock = strtoull(value, NULL, 10);
        break;
    default:
        exit(TROUBLE);
    }
}

int main(int count, char **arguments)
{
    int option, status;

    injector_wish.random = 0x9e3779b97f4a7c15u;
    while ((option = getopt(count, arguments, "+al:p:bi:x:o:f:w:tr:e:u:m:")) != -1)
        read_option(option, optarg);
    if (optind == count) {
        errno = EINVAL;
        injector_trouble("no program");
    }
    if (log_path) {
        injector_log = fopen(log_path, "we");
        if (!injector_log)
            injector_trouble(log_path);
    }
    status = injector_run(arguments + optind);
    if (injector_log) {
        injector_write_seen();
        (void)fclose(injector_log);
    }
    if (WIFSIGNALED(status)) {
        (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        (void)signal(WTERMSIG(status), SIG_DFL);
        (void)raise(WTERMSIG(status));
    }
    return WEXITSTATUS(status);
}
