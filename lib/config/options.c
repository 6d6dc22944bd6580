#include "options.h"

#include <assert.h>

/* -- words ---------------------------------------------------------------------------------- */

/* All lists, one behind the other. Each is ended by what is not given here. */
static const struct word_lists {
    struct al_word mode_words[5];
    struct al_word kind_words[7];
    struct al_word flag_words[4];
    struct al_word on_failure_words[4];
    struct al_word fork_words[4];
    struct al_word stats_words[5];
    struct al_word log_words[6];
    struct al_word budget_words[3];
    struct al_word none_words[2];
    struct al_word no_words[1];
} word_lists = {
    .mode_words = {{"all", AL_MODE_ALL},
                   {"alloc", AL_MODE_ALLOC},
                   {"observe", AL_MODE_OBSERVE},
                   {"off", AL_MODE_OFF}},
    .kind_words = {{"heap", AL_KIND_HEAP},
                   {"anon", AL_KIND_ANON},
                   {"file", AL_KIND_FILE},
                   {"shared", AL_KIND_SHARED},
                   {"stack", AL_KIND_STACK},
                   {"image", AL_KIND_IMAGE}},
    .flag_words = {{"current", AL_FLAG_CURRENT},
                   {"future", AL_FLAG_FUTURE},
                   {"onfault", AL_FLAG_ONFAULT}},
    .on_failure_words = {{"warn", AL_ON_FAILURE_WARN},
                         {"fail", AL_ON_FAILURE_FAIL},
                         {"ignore", AL_ON_FAILURE_IGNORE}},
    .fork_words = {{"none", AL_FORK_NONE},
                   {"onfault", AL_FORK_ONFAULT},
                   {"relock", AL_FORK_RELOCK}},
    .stats_words = {{"text", AL_STATS_TEXT},
                    {"json", AL_STATS_JSON},
                    {"prometheus", AL_STATS_PROMETHEUS},
                    {"off", AL_STATS_OFF}},
    .log_words = {{"quiet", AL_LOG_QUIET},
                  {"error", AL_LOG_ERROR},
                  {"warn", AL_LOG_WARN},
                  {"info", AL_LOG_INFO},
                  {"debug", AL_LOG_DEBUG}},
    .budget_words = {{"auto", AL_BUDGET_AUTO}, {"unlimited", AL_BUDGET_UNLIMITED}},
    .none_words = {{"none", 1}}, /* the value does not matter */
};

const struct al_word *al_option_words(const struct al_option *option)
{
    return (const struct al_word *)(const void *)((const char *)&word_lists + option->words);
}

/* -- helps ---------------------------------------------------------------------------------- */

/* All helps, one behind the other. */
static const struct helps {
#define AL_OPTION(NAME, TYPE, field, default_text, words, min, max, help) char NAME[sizeof(help)];
#include "options.def"
#undef AL_OPTION
} helps = {
#define AL_OPTION(NAME, TYPE, field, default_text, words, min, max, help) help,
#include "options.def"
#undef AL_OPTION
};

static_assert(sizeof(helps) <= UINT16_MAX, "an option has room for the place of its help");

const char *al_option_help(const struct al_option *option)
{
    return (const char *)&helps + option->help;
}

/* -- the table ------------------------------------------------------------------------------ */

#define AL_OPTION(NAME, TYPE, field, default_text, words, min, max, help)                          \
    static_assert(sizeof(#NAME) <= AL_OPTION_NAME_BYTES &&                                         \
                      sizeof(default_text) <= AL_OPTION_DEFAULT_BYTES,                             \
                  "room for the ends");
#include "options.def"
#undef AL_OPTION

const struct al_option al_options[] = {
#define AL_OPTION(NAME, TYPE, field, default_text, words, min, max, help)                          \
    {#NAME,                                                                                        \
     default_text,                                                                                 \
     AL_OPTION_##TYPE,                                                                             \
     offsetof(struct al_config, field),                                                            \
     offsetof(struct word_lists, words),                                                           \
     offsetof(struct helps, NAME),                                                                 \
     min,                                                                                          \
     max},
#include "options.def"
#undef AL_OPTION
};

const size_t al_option_count = sizeof(al_options) / sizeof(al_options[0]);

/* -- values --------------------------------------------------------------------------------- */

void al_option_key(char *ret_key, size_t size, const struct al_option *option)
{
    const char *name = option->name;
    size_t i = 0;

    for (; name[i] && i < size - 1; i++)
        ret_key[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] - 'A' + 'a') : name[i];
    ret_key[i] = '\0';
}

static const void *value_of(const struct al_option *option, const struct al_config *config)
{
    return (const char *)config + option->offset;
}

static void print_words(struct al_text *text, const struct al_word *words, const char *separator,
                        unsigned mask)
{
    const char *before = "";

    for (const struct al_word *word = words; *word->word; word++) {
        if (!(word->value & mask) && mask != ~0U)
            continue;
        al_text_string(text, before);
        al_text_string(text, word->word);
        before = separator;
    }
}

static void print_budget(struct al_text *text, const struct al_word *words,
                         const struct al_budget_option *budget)
{
    if (budget->sort == AL_BUDGET_SIZE) {
        al_text_exact_size(text, budget->amount);
        return;
    }
    if (budget->sort == AL_BUDGET_PERCENT) {
        al_text_u64(text, budget->amount);
        al_text_char(text, '%');
        return;
    }
    for (; *words->word; words++)
        if (words->value == budget->sort)
            al_text_string(text, words->word);
}

void al_option_print(struct al_text *text, const struct al_option *option,
                     const struct al_config *config)
{
    const void *value = value_of(option, config);

    switch (option->type) {
    case AL_OPTION_WORD:
        for (const struct al_word *word = al_option_words(option); *word->word; word++)
            if (word->value == *(const unsigned *)value)
                al_text_string(text, word->word);
        break;
    case AL_OPTION_SET:
        print_words(text, al_option_words(option), ",", *(const unsigned *)value);
        break;
    case AL_OPTION_FLAG:
        al_text_u64(text, *(const unsigned *)value);
        break;
    case AL_OPTION_SIZE:
        if (*al_option_words(option)->word && *(const uint64_t *)value == option->max)
            al_text_string(text, al_option_words(option)->word);
        else
            al_text_exact_size(text, *(const uint64_t *)value);
        break;
    case AL_OPTION_COUNT:
        al_text_u64(text, *(const uint64_t *)value);
        break;
    case AL_OPTION_BUDGET:
        print_budget(text, al_option_words(option), value);
        break;
    case AL_OPTION_PATH:
    case AL_OPTION_LIST:
        al_text_string(text, value);
        break;
    }
}

void al_option_print_allowed(struct al_text *text, const struct al_option *option)
{
    switch (option->type) {
    case AL_OPTION_WORD:
        al_text_string(text, "one of ");
        print_words(text, al_option_words(option), ", ", ~0U);
        break;
    case AL_OPTION_SET:
        al_text_string(text, "a comma-separated list of ");
        print_words(text, al_option_words(option), ", ", ~0U);
        break;
    case AL_OPTION_FLAG:
        al_text_string(text, "one of 0, 1, no, yes, off, on, false, true");
        break;
    case AL_OPTION_SIZE:
        al_text_string(text, "a size in bytes, optionally with K, M, G or T");
        if (option->min || option->max != UINT64_MAX) {
            al_text_string(text, ", from ");
            al_text_exact_size(text, option->min);
            al_text_string(text, " to ");
            al_text_exact_size(text, option->max);
        }
        if (*al_option_words(option)->word) {
            al_text_string(text, ", or ");
            al_text_string(text, al_option_words(option)->word);
        }
        break;
    case AL_OPTION_BUDGET:
        print_words(text, al_option_words(option), ", ", ~0U);
        al_text_string(text, ", 1% to 100%, or a size in bytes, optionally with K, M, G or T");
        break;
    case AL_OPTION_PATH:
        al_text_string(text, "a file name shorter than ");
        al_text_u64(text, AL_OPTION_PATH_SIZE);
        al_text_string(text, " bytes");
        break;
    case AL_OPTION_COUNT:
        al_text_string(text, "a number from ");
        al_text_u64(text, option->min);
        al_text_string(text, " to ");
        al_text_u64(text, option->max);
        break;
    case AL_OPTION_LIST:
        al_text_string(text,
                       "a comma-separated list of globs, none empty, each excluding after a !");
        break;
    }
}
