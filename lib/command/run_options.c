#include "run.h"

#include "call.h"
#include "call_run.h"
#include "call_values.h"
#include "command.h"
#include "memory.h"
#include "parse.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Between looks at the program. */
enum { SAMPLE_MS_MIN = 10, SAMPLE_MS = 100, SAMPLE_MS_MAX = 1000 };

/* -- what is wrong ---------------------------------------------------------------------------- */

/*
 * The library's own words, without what it would do then: here nothing is done. A line is
 * "libautolock: AUTOLOCK_NAME="value": must be …; using …".
 */
static void print_problems(char *problems)
{
    static const char speaker[] = "libautolock: ";
    char *rest = problems;
    char *line;

    while ((line = strsep(&rest, "\n")) && *line) {
        char *using = NULL;

        for (char *at = line; (at = strstr(at, "; using ")); at++)
            using = at;
        if (using)
            *using = '\0';
        if (strncmp(line, speaker, strlen(speaker)) == 0)
            line += strlen(speaker);
        complain("%s", line);
    }
}

/* As the library itself will judge them, each by itself and all together. */
static int check_settings(char *const *settings)
{
    static struct al_config config;
    char bytes[8192];
    struct al_text problems = al_text_over(bytes, sizeof(bytes));

    if (!al_config_read(&config, settings, &problems))
        return RUN_ON;
    print_problems(bytes);
    return STATUS_CONFIGURATION;
}

/* -- values of our own options ------------------------------------------------------------------
 */

static bool parse_memlock(const char *value, struct run_options *options)
{
    static const struct al_word words[] = {
        {"keep", RUN_MEMLOCK_KEEP}, {"unlimited", RUN_MEMLOCK_SET}, {"", 0}};
    unsigned sort = RUN_MEMLOCK_SET;

    options->memlock_bytes = UINT64_MAX;
    if (al_parse_word(value, words, &sort) &&
        al_parse_size(value, 0, INT64_MAX, &options->memlock_bytes)) {
        complain("--memlock %s: must be keep, unlimited, or a size in bytes, optionally with K, M, "
                 "G or T",
                 value);
        return false;
    }
    options->memlock = sort;
    return true;
}

static bool parse_signal(const char *value, int *ret_signal)
{
    static const struct al_word words[] = {
        {"HUP", SIGHUP},   {"INT", SIGINT},   {"QUIT", SIGQUIT}, {"KILL", SIGKILL},
        {"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"TERM", SIGTERM}, {"", 0}};
    const char *name = strncasecmp(value, "SIG", 3) == 0 ? value + 3 : value;
    unsigned word;
    uint64_t number;

    if (al_parse_word(name, words, &word) == 0) {
        *ret_signal = (int)word;
        return true;
    }
    if (al_parse_count(value, 1, (uint64_t)SIGRTMAX, &number) == 0) {
        *ret_signal = (int)number;
        return true;
    }
    complain("--pdeathsig %s: must be HUP, INT, QUIT, KILL, USR1, USR2, TERM or a signal's number",
             value);
    return false;
}

static bool parse_warmup(const char *value, int64_t *ret_ms)
{
    if (strcmp(value, "mark") == 0) {
        *ret_ms = RUN_WARMUP_MARK;
        return true;
    }
    return call_read_time("--warmup", value, ret_ms);
}

static bool parse_sample_interval(const char *value, int64_t *ret_ms)
{
    if (!call_read_time("--sample-interval", value, ret_ms))
        return false;
    if (*ret_ms >= SAMPLE_MS_MIN && *ret_ms <= SAMPLE_MS_MAX)
        return true;
    complain("--sample-interval %s: must be from 10ms to 1s", value);
    return false;
}

/* -- all of them --------------------------------------------------------------------------------
 */

/* The last one counts. */
static void set(char **settings, const struct al_option *option, const char *value)
{
    char *setting = text_of(AL_OPTION_PREFIX "%s=%s", option->name, value);
    size_t name = strlen(AL_OPTION_PREFIX) + strlen(option->name) + 1;

    while (*settings && strncmp(*settings, setting, name) != 0)
        settings++;
    *settings = setting;
}

static bool take(const struct call_option *option, const char *value, struct run_options *options)
{
    switch ((enum call_run_option)option->id) {
    case RUN_OPTION_LIBRARY:
        options->library_path = value;
        return true;
    case RUN_OPTION_MEMLOCK:
        return parse_memlock(value, options);
    case RUN_OPTION_AMBIENT:
        options->ambient = true;
        return true;
    case RUN_OPTION_REQUIRE:
        options->require = true;
        return true;
    case RUN_OPTION_INIT:
        options->init = true;
        return true;
    case RUN_OPTION_PROGRESS:
        options->progress = true;
        return true;
    case RUN_OPTION_DEATH_SIGNAL:
        return parse_signal(value, &options->death_signal);
    case RUN_OPTION_EXPECT:
        return run_expect_read(value, &options->gate.expectations);
    case RUN_OPTION_TREE:
        options->gate.tree = true;
        return true;
    case RUN_OPTION_WARMUP:
        return parse_warmup(value, &options->gate.warmup_ms);
    case RUN_OPTION_DURATION:
        return call_read_time("--duration", value, &options->gate.duration_ms);
    case RUN_OPTION_JSON:
        options->gate.json = value;
        return true;
    case RUN_OPTION_JUNIT:
        options->gate.junit = value;
        return true;
    case RUN_OPTION_FAULTS:
        options->faults.wanted = true;
        if (value)
            options->faults.file = value;
        return true;
    case RUN_OPTION_REPORT:
        options->gate.report = value;
        return true;
    case RUN_OPTION_SAMPLE_INTERVAL:
        return parse_sample_interval(value, &options->gate.sample_ms);
    case RUN_OPTION_FORMAT:
        return call_read_format(value, &options->gate.as_json);
    }
    return false;
}

int run_options_read(int count, char **arguments, struct run_options *ret_options)
{
    struct call_reader reader = call_reader_of(&call_run, count, arguments);
    const struct call_option *option;

    *ret_options = (struct run_options){.gate.sample_ms = SAMPLE_MS};
    ret_options->settings = allocate((al_option_count + 1) * sizeof(char *));
    while ((option = call_next(&reader))) {
        if (option->setting)
            set(ret_options->settings, option->setting, reader.value);
        else if (!take(option, reader.value, ret_options))
            return STATUS_CONFIGURATION;
    }
    if (reader.status != CALL_ON)
        return reader.status;
    ret_options->program = reader.operands;
    if (!*reader.operands) {
        complain("no program is named: autolock run [OPTION…] -- PROGRAM ARG…; autolock run --help "
                 "says more");
        return STATUS_CONFIGURATION;
    }
    if (ret_options->gate.junit && !ret_options->gate.expectations.count) {
        complain("--junit %s: there is no test without --expect", ret_options->gate.junit);
        return STATUS_CONFIGURATION;
    }
    if (ret_options->gate.as_json && !ret_options->gate.expectations.count) {
        complain("--format json: there is no table without --expect");
        return STATUS_CONFIGURATION;
    }
    return check_settings(ret_options->settings);
}
