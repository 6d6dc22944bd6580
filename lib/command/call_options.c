#include "call.h"

#include "memory.h"
#include "text.h"

#include <ctype.h>
#include <string.h>

static const struct call_option common[] = {
    {.name = "help", .letter = 'h', .id = CALL_HELP, .help = "this text"},
    {.name = "version", .id = CALL_VERSION, .help = "the command's version"},
    {.name = NULL},
};

const struct call_section call_common = {"Of every call", common, false};

/* -- the library's variables --------------------------------------------------------------------
 */

/* AUTOLOCK_MIN_SIZE is --min-size. */
static const char *name_of(const struct al_option *option)
{
    char *name = text_of("%s", option->name);

    for (char *at = name; *at; at++)
        *at = *at == '_' ? '-' : (char)tolower((unsigned char)*at);
    return name;
}

static const char *words_of(const struct al_option *option)
{
    static const char flag_words[] = "no yes";
    const char *words = NULL;

    if (option->type == AL_OPTION_FLAG)
        return flag_words;
    for (const struct al_word *word = al_option_words(option); *word->word; word++)
        words = words ? text_of("%s %s", words, word->word) : word->word;
    return words;
}

static const char *help_of(const struct al_option *option)
{
    char bytes[1024];
    struct al_text help = al_text_over(bytes, sizeof(bytes));

    al_text_string(&help, al_option_help(option));
    al_text_string(&help, "; ");
    al_option_print_allowed(&help, option);
    al_text_string(&help, "; default ");
    al_text_string(&help, *option->default_text ? option->default_text : "none");
    return text_of("%s", bytes);
}

static struct call_option option_of(const struct al_option *setting)
{
    static const struct {
        const char *value;
        enum call_kind kind;
    } types[] = {
        [AL_OPTION_WORD] = {"WORD", CALL_WORDS},     [AL_OPTION_SET] = {"LIST", CALL_LIST_OF_WORDS},
        [AL_OPTION_FLAG] = {"FLAG", CALL_WORDS},     [AL_OPTION_SIZE] = {"SIZE", CALL_SIZE},
        [AL_OPTION_COUNT] = {"NUMBER", CALL_NUMBER}, [AL_OPTION_BUDGET] = {"SIZE", CALL_SIZE},
        [AL_OPTION_PATH] = {"FILE", CALL_FILE},      [AL_OPTION_LIST] = {"GLOBS", CALL_TEXT},
    };
    bool directory = setting == &al_options[AL_OPTION_ID_LIVE_DIR];

    return (struct call_option){
        .name = name_of(setting),
        .value = directory ? "DIRECTORY" : types[setting->type].value,
        .kind = directory ? CALL_DIRECTORY : types[setting->type].kind,
        .words = words_of(setting),
        .help = help_of(setting),
        .setting = setting,
    };
}

static const struct call_option *settings(void)
{
    static struct call_option *list;

    if (list)
        return list;
    list = allocate((al_option_count + 1) * sizeof(*list));
    for (size_t i = 0; i < al_option_count; i++)
        list[i] = option_of(&al_options[i]);
    return list;
}

/* -- of a call ----------------------------------------------------------------------------------
 */

const struct call_option *call_section_options(const struct call_section *section)
{
    return section->settings ? settings() : section->options;
}

static size_t count_of(const struct call_section *section)
{
    const struct call_option *options = call_section_options(section);
    size_t count = 0;

    while (options[count].name)
        count++;
    return count;
}

const struct call_option *call_options(const struct call *call)
{
    size_t count = count_of(&call_common);
    struct call_option *list;
    struct call_option *end;

    for (const struct call_section *section = call->sections; section->title; section++)
        count += count_of(section);
    list = end = allocate((count + 1) * sizeof(*list));
    for (const struct call_section *section = call->sections; section->title; section++) {
        count = count_of(section);
        memcpy(end, call_section_options(section), count * sizeof(*list));
        end += count;
    }
    memcpy(end, call_common.options, count_of(&call_common) * sizeof(*list));
    return list;
}
