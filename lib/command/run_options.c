#include "run.h"

#include "command.h"
#include "memory.h"
#include "nearest.h"
#include "parse.h"
#include "run_names.h"

#include <ctype.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What getopt_long returns for those that are not of the table. */
enum own {
    OWN_FIRST = 1000,
    LIBRARY,
    MEMLOCK,
    AMBIENT,
    REQUIRE,
    INIT,
    DEATH_SIGNAL,
    EXPECT,
    WARMUP,
    DURATION,
    JSON,
    HELP,
    VERSION
};

static const struct option own_options[] = {
    {"library", required_argument, NULL, LIBRARY},
    {"memlock", required_argument, NULL, MEMLOCK},
    {"ambient", no_argument, NULL, AMBIENT},
    {"require", no_argument, NULL, REQUIRE},
    {"init", no_argument, NULL, INIT},
    {"pdeathsig", required_argument, NULL, DEATH_SIGNAL},
    {"expect", required_argument, NULL, EXPECT},
    {"warmup", required_argument, NULL, WARMUP},
    {"duration", required_argument, NULL, DURATION},
    {"json", required_argument, NULL, JSON},
    {"help", no_argument, NULL, HELP},
    {"version", no_argument, NULL, VERSION},
};

enum { OWN = sizeof(own_options) / sizeof(own_options[0]) };

void run_option_name(char *ret_name, size_t size, const struct al_option *option)
{
    al_option_key(ret_name, size, option);
    for (char *at = ret_name; *at; at++)
        if (*at == '_')
            *at = '-';
}

static struct option *all_options(void)
{
    struct option *all = allocate((al_option_count + OWN + 1) * sizeof(*all));

    for (size_t i = 0; i < al_option_count; i++) {
        char name[RUN_OPTION_NAME_SIZE];

        run_option_name(name, sizeof(name), &al_options[i]);
        all[i] = (struct option){text_of("%s", name), required_argument, NULL, (int)i};
    }
    memcpy(all + al_option_count, own_options, sizeof(own_options));
    return all;
}

/* -- what is wrong ---------------------------------------------------------------------------- */

static int wrong_option(const struct option *all, const char *argument, bool lacks_value)
{
    struct al_nearest nearest = AL_NEAREST_NONE;
    size_t length = strcspn(argument, "=");
    const char *name = text_of("%.*s", (int)length, argument);

    if (lacks_value) {
        complain("%s: it takes a value; autolock run --help says which", name);
        return STATUS_CONFIGURATION;
    }
    for (; strncmp(name, "--", 2) == 0 && all->name; all++) {
        if (argument[length] && !all->has_arg && strcmp(name + 2, all->name) == 0) {
            complain("%s: it takes no value", name);
            return STATUS_CONFIGURATION;
        }
        al_nearest_offer(&nearest, name + 2, all->name);
    }
    if (nearest.best)
        complain("%s: no such option (did you mean --%s?)", name, nearest.best);
    else
        complain("%s: no such option; autolock run --help has them all", name);
    return STATUS_CONFIGURATION;
}

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
        {"keep", RUN_MEMLOCK_KEEP}, {"unlimited", RUN_MEMLOCK_SET}, {NULL, 0}};
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
    static const struct al_word words[] = {{"HUP", SIGHUP},   {"INT", SIGINT},   {"QUIT", SIGQUIT},
                                           {"KILL", SIGKILL}, {"USR1", SIGUSR1}, {"USR2", SIGUSR2},
                                           {"TERM", SIGTERM}, {NULL, 0}};
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

/* A number of seconds, or with ms, s, m or h; more than none, and at most a week. */
static bool parse_time(const char *option, const char *value, int64_t *ret_ms)
{
    static const struct {
        const char *unit;
        double ms;
    } units[] = {{"", 1000}, {"s", 1000}, {"ms", 1}, {"m", 60000}, {"h", 3600000}};
    char *end;
    double number = strtod(value, &end);

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        double ms = number * units[i].ms;

        if (!isdigit((unsigned char)*value) || strcmp(end, units[i].unit) != 0)
            continue;
        if (!(ms >= 1 && ms <= 7 * 24 * 3600e3))
            break;
        *ret_ms = (int64_t)ms;
        return true;
    }
    complain("%s %s: must be a time, as 2s, 500ms or 1m", option, value);
    return false;
}

static bool parse_warmup(const char *value, int64_t *ret_ms)
{
    if (strcmp(value, "mark") == 0) {
        *ret_ms = RUN_WARMUP_MARK;
        return true;
    }
    return parse_time("--warmup", value, ret_ms);
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

static int take_own(int option, struct run_options *options)
{
    switch (option) {
    case LIBRARY:
        options->library_path = optarg;
        return RUN_ON;
    case MEMLOCK:
        return parse_memlock(optarg, options) ? RUN_ON : STATUS_CONFIGURATION;
    case AMBIENT:
        options->ambient = true;
        return RUN_ON;
    case REQUIRE:
        options->require = true;
        return RUN_ON;
    case INIT:
        options->init = true;
        return RUN_ON;
    case DEATH_SIGNAL:
        return parse_signal(optarg, &options->death_signal) ? RUN_ON : STATUS_CONFIGURATION;
    case EXPECT:
        return run_expect_read(optarg, &options->gate.expectations) ? RUN_ON : STATUS_CONFIGURATION;
    case WARMUP:
        return parse_warmup(optarg, &options->gate.warmup_ms) ? RUN_ON : STATUS_CONFIGURATION;
    case DURATION:
        return parse_time("--duration", optarg, &options->gate.duration_ms) ? RUN_ON
                                                                            : STATUS_CONFIGURATION;
    case JSON:
        options->gate.json = optarg;
        return RUN_ON;
    case HELP:
        return run_help_print();
    default:
        (void)puts("autolock " AL_VERSION);
        return fflush(stdout) ? STATUS_FAILED : 0;
    }
}

int run_options_read(int count, char **arguments, struct run_options *ret_options)
{
    struct option *all = all_options();
    int option;

    *ret_options = (struct run_options){0};
    ret_options->settings = allocate((al_option_count + 1) * sizeof(char *));
    opterr = 0;
    for (;;) {
        int at = optind;
        int status = RUN_ON;

        option = getopt_long(count, arguments, "+:", all, NULL);
        if (option == -1)
            break;
        if (option == '?' || option == ':')
            return wrong_option(all, arguments[at], option == ':');
        if (option < OWN_FIRST)
            set(ret_options->settings, &al_options[option], optarg);
        else
            status = take_own(option, ret_options);
        if (status != RUN_ON)
            return status;
    }
    ret_options->program = arguments + optind;
    if (optind >= count) {
        complain("no program is named: autolock run [OPTION…] -- PROGRAM ARG…; autolock run --help "
                 "says more");
        return STATUS_CONFIGURATION;
    }
    return check_settings(ret_options->settings);
}
