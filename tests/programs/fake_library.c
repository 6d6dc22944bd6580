/*
 * A preload library that only pretends, for harness_test.py: it leaves the report it is given and,
 * on request, breaks the program in one way. It shows that the harness notices each.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *way(void)
{
    const char *text = getenv("FAKE_WAY");
    return text ? text : "";
}

static void say(int descriptor, const char *text)
{
    if (write(descriptor, text, strlen(text)) < 0)
        _exit(99);
}

__attribute__((constructor)) static void begin(void)
{
    if (strcmp(way(), "stdout") == 0)
        say(STDOUT_FILENO, "from the library\n");
    if (strcmp(way(), "stderr") == 0)
        say(STDERR_FILENO, "libautolock: from the library\n");
    if (strcmp(way(), "status") == 0)
        _exit(3);
    if (strcmp(way(), "signal") == 0)
        raise(SIGSEGV);
    if (strcmp(way(), "hang") == 0)
        pause();
    if (strcmp(way(), "unset") == 0)
        unsetenv("LC_ALL");
}

// Puts value in place of the first `mark` of text, if there is one.
static void replace(char *text, size_t size, const char *mark, const char *value)
{
    char *place = strstr(text, mark);
    if (!place)
        return;
    char *rest = strdup(place + strlen(mark));
    if (!rest)
        _exit(99);
    snprintf(place, size - (size_t)(place - text), "%s%s", value, rest);
    free(rest);
}

__attribute__((destructor)) static void end(void)
{
    const char *report = getenv("FAKE_REPORT");
    const char *path = getenv("AUTOLOCK_STATS_FILE");
    if (!report || !path)
        return;
    char pid[32];
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    char name[4096];
    snprintf(name, sizeof name, "%s", path);
    replace(name, sizeof name, "%n", program_invocation_short_name);
    replace(name, sizeof name, "%p", pid);
    static char line[16384];
    snprintf(line, sizeof line, "%s\n", report);
    replace(line, sizeof line, "@PROGRAM@", program_invocation_short_name);
    replace(line, sizeof line, "\"@PID@\"", pid);
    FILE *file = fopen(name, "a");
    if (!file)
        return;
    fputs(line, file);
    fclose(file);
}
