#include "call.h"

#include "command.h"
#include "memory.h"
#include "nearest.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

/* What getopt_long returns for the first of the options; letters are below. */
enum { FIRST = 256 };

/* Those of the call that is read. */
static const struct call_option *rows;
static struct option *long_options;
static char *letters;

static int argument_of(const struct call_option *row)
{
    if (row->optional)
        return optional_argument;
    return row->value ? required_argument : no_argument;
}

struct call_reader call_reader_of(const struct call *call, int count, char **arguments)
{
    size_t rows_count = 0;

    rows = call_options(call);
    while (rows[rows_count].name)
        rows_count++;
    long_options = allocate((rows_count + 1) * sizeof(*long_options));
    letters = text_of("%s:", call->operands_end_options ? "+" : "");
    for (size_t i = 0; i < rows_count; i++) {
        long_options[i] =
            (struct option){rows[i].name, argument_of(&rows[i]), NULL, FIRST + (int)i};
        if (rows[i].letter)
            letters = text_of("%s%c%s", letters, rows[i].letter,
                              rows[i].optional ? "::"
                              : rows[i].value  ? ":"
                                               : "");
    }
    opterr = 0;
    return (struct call_reader){
        .call = call, .count = count, .arguments = arguments, .status = CALL_ON};
}

/* -- what is wrong ------------------------------------------------------------------------------
 */

/* More than one option begins so. */
static const char *those_that_begin_with(const char *name)
{
    const char *list = NULL;
    size_t length = strlen(name);
    size_t found = 0;

    for (const struct call_option *row = rows; length && row->name; row++) {
        if (row->hidden || strncmp(row->name, name, length) != 0)
            continue;
        list = list ? text_of("%s, --%s", list, row->name) : text_of("--%s", row->name);
        found++;
    }
    return found > 1 ? list : NULL;
}

static void complain_of_name(const struct call *call, const char *name)
{
    struct al_nearest nearest = AL_NEAREST_NONE;
    const char *several = strncmp(name, "--", 2) == 0 ? those_that_begin_with(name + 2) : NULL;

    for (const struct call_option *row = rows; row->name && strncmp(name, "--", 2) == 0; row++)
        if (!row->hidden)
            al_nearest_offer(&nearest, name + 2, row->name);
    if (several)
        complain("%s: no such option (did you mean one of %s?)", name, several);
    else if (nearest.best)
        complain("%s: no such option (did you mean --%s?)", name, nearest.best);
    else
        complain("%s: no such option; autolock %s --help has them all", name, call->name);
}

static void complain_of_option(const struct call_reader *reader, bool lacks_value)
{
    /* For the short form of an option getopt has its letter, and may not have moved on. */
    bool is_short = optopt > 0 && optopt < FIRST;
    const char *argument = reader->arguments[optind - 1];
    size_t length = strcspn(argument, "=");
    const char *name = is_short ? text_of("-%c", optopt) : text_of("%.*s", (int)length, argument);

    if (lacks_value)
        complain("%s: it takes a value; autolock %s --help says which", name, reader->call->name);
    else if (!is_short && optopt >= FIRST)
        complain("%s: it takes no value", name);
    else
        complain_of_name(reader->call, name);
}

/* -- what is right ------------------------------------------------------------------------------
 */

static const struct call_option *row_of(int option)
{
    const struct call_option *row = rows;

    if (option >= FIRST)
        return &rows[option - FIRST];
    while (row->letter != option)
        row++;
    return row;
}

static int print_version(void)
{
    (void)puts("autolock " AL_VERSION);
    return fflush(stdout) || ferror(stdout) ? STATUS_FAILED : 0;
}

const struct call_option *call_next(struct call_reader *reader)
{
    int option = getopt_long(reader->count, reader->arguments, letters, long_options, NULL);
    const struct call_option *row;

    reader->value = optarg;
    reader->operands = reader->arguments + optind;
    if (option == -1)
        return NULL;
    if (option == '?' || option == ':') {
        complain_of_option(reader, option == ':');
        reader->status = reader->call->wrong_status;
        return NULL;
    }
    row = row_of(option);
    if (row->id != CALL_HELP && row->id != CALL_VERSION)
        return row;
    reader->status = row->id == CALL_HELP ? call_help_print(reader->call) : print_version();
    return NULL;
}
