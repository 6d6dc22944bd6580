/*
 * The options in force: read from the environment once, constant from then on.
 */
#ifndef AL_OPTIONS_H
#define AL_OPTIONS_H

#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AL_OPTION_PREFIX    "AUTOLOCK_"

/* The longest file name an option takes, its terminator included (the kernel's PATH_MAX). */
#define AL_OPTION_PATH_SIZE 4096

/* The longest list of texts, its terminator included. */
#define AL_OPTION_LIST_SIZE 4096

enum al_mode { AL_MODE_ALL, AL_MODE_ALLOC, AL_MODE_OBSERVE, AL_MODE_OFF };
enum al_flag { AL_FLAG_CURRENT = 1, AL_FLAG_FUTURE = 2, AL_FLAG_ONFAULT = 4 };
enum al_kinds {
    AL_KIND_HEAP = 1,
    AL_KIND_ANON = 2,
    AL_KIND_FILE = 4,
    AL_KIND_SHARED = 8,
    AL_KIND_STACK = 16,
    AL_KIND_IMAGE = 32
};
enum al_on_failure { AL_ON_FAILURE_WARN, AL_ON_FAILURE_FAIL, AL_ON_FAILURE_IGNORE };
enum al_fork { AL_FORK_NONE, AL_FORK_ONFAULT, AL_FORK_RELOCK };

/* How a budget is given; what `amount` means with it. */
enum al_budget_sort {
    AL_BUDGET_AUTO,      /* nothing */
    AL_BUDGET_UNLIMITED, /* nothing */
    AL_BUDGET_PERCENT,   /* 1 to 100 */
    AL_BUDGET_SIZE       /* bytes */
};
struct al_budget_option {
    unsigned sort; /* enum al_budget_sort */
    uint64_t amount;
};

enum al_stats { AL_STATS_TEXT, AL_STATS_JSON, AL_STATS_PROMETHEUS, AL_STATS_OFF };
enum al_log { AL_LOG_QUIET, AL_LOG_ERROR, AL_LOG_WARN, AL_LOG_INFO, AL_LOG_DEBUG };

/* Storage of an option's value, by its TYPE in options.def. */
#define AL_FIELD_WORD(name)   unsigned name;
#define AL_FIELD_SET(name)    unsigned name;
#define AL_FIELD_FLAG(name)   unsigned name;
#define AL_FIELD_SIZE(name)   uint64_t name;
#define AL_FIELD_BUDGET(name) struct al_budget_option name;
#define AL_FIELD_COUNT(name)  uint64_t name;
#define AL_FIELD_PATH(name)
#define AL_FIELD_LIST(name)

/* Of texts, which are large: behind all others, so that these are on one page. */
#define AL_TEXT_WORD(name)
#define AL_TEXT_SET(name)
#define AL_TEXT_FLAG(name)
#define AL_TEXT_SIZE(name)
#define AL_TEXT_BUDGET(name)
#define AL_TEXT_COUNT(name)
#define AL_TEXT_PATH(name) char name[AL_OPTION_PATH_SIZE];
#define AL_TEXT_LIST(name) char name[AL_OPTION_LIST_SIZE];

struct al_config {
#define AL_OPTION(NAME, TYPE, field, default_text, words, min, max, help) AL_FIELD_##TYPE(field)
#include "options.def"
#undef AL_OPTION
    uint64_t given; /* bit i: option i of al_options was set by the environment */
#define AL_OPTION(NAME, TYPE, field, default_text, words, min, max, help) AL_TEXT_##TYPE(field)
#include "options.def"
#undef AL_OPTION
};

/* The options' places in al_options: AL_OPTION_ID_MODE … */
enum al_option_id {
#define AL_OPTION(NAME, TYPE, field, default_text, words, min, max, help) AL_OPTION_ID_##NAME,
#include "options.def"
#undef AL_OPTION
};

/* An option as the table describes it. */
enum al_option_type {
    AL_OPTION_WORD,
    AL_OPTION_SET,
    AL_OPTION_FLAG,
    AL_OPTION_SIZE,
    AL_OPTION_COUNT,
    AL_OPTION_BUDGET,
    AL_OPTION_PATH,
    AL_OPTION_LIST
};

/* The longest texts of the table, with their ends. */
enum { AL_WORD_BYTES = 12, AL_OPTION_NAME_BYTES = 20, AL_OPTION_DEFAULT_BYTES = 16 };

struct al_word {
    char word[AL_WORD_BYTES]; /* an empty one ends a list */
    unsigned value;
};

/*
 * There are no pointers in it: the loader would have to write each of them, into memory that no
 * process then shares with others.
 */
struct al_option {
    char name[AL_OPTION_NAME_BYTES]; /* without the prefix */
    char default_text[AL_OPTION_DEFAULT_BYTES];
    enum al_option_type type;
    uint32_t offset; /* of the value in struct al_config */
    uint16_t words;  /* see al_option_words() */
    uint16_t help;   /* see al_option_help() */
    uint64_t min;
    uint64_t max;
};

extern const struct al_option al_options[];
extern const size_t al_option_count;

/*
 * Reads every option from `environment` (a NULL-terminated list of NAME=value, or NULL for the
 * defaults). What is wrong in it is appended to `problems`, one line each; such an option keeps its
 * default. Returns the number of problems. Async-signal safe; `ret_config` is wholly overwritten.
 */
unsigned al_config_read(struct al_config *ret_config, char *const environment[],
                        struct al_text *problems);

/* The words that it takes, or that stand for a size's largest value. */
const struct al_word *al_option_words(const struct al_option *option);

/* What it means, for people. */
const char *al_option_help(const struct al_option *option);

/* The option's name in reports: "stats_file" is AUTOLOCK_STATS_FILE. */
void al_option_key(char *ret_key, size_t size, const struct al_option *option);

/* Appends the value in force, written as the variable takes it. */
void al_option_print(struct al_text *text, const struct al_option *option,
                     const struct al_config *config);

/* Appends what the option takes, for people: "one of all, observe, off". */
void al_option_print_allowed(struct al_text *text, const struct al_option *option);

#endif
