/*
 * What a call of the command takes, described once: its options are read by this, --help, the
 * completion of shells and the manual are made from it.
 *
 *     calls.def, call_NAME.c    the descriptions, nothing but data
 *     call_options.c            all options of a call, as one list
 *     call_read.c               reading them
 *     call_values.c             values that several calls take
 *     call_help.c               --help
 */
#ifndef AL_CALL_H
#define AL_CALL_H

#include "options.h"

#include <stdbool.h>
#include <stddef.h>

/* What a value is, or what follows the options: for those who complete it. */
enum call_kind {
    CALL_NOTHING,
    CALL_TEXT, /* anything else */
    CALL_WORDS,
    CALL_LIST_OF_WORDS, /* separated by commas */
    CALL_NUMBER,
    CALL_SIZE,
    CALL_TIME,
    CALL_FILE,
    CALL_DIRECTORY,
    CALL_PID,
    CALL_PROGRAM /* behind the options: with its own arguments */
};

struct call_option {
    const char *name;
    const char *value; /* what --help has for its value; NULL: it takes none */
    const char
        *words; /* those that the value may be, or begin with; separated by blanks, or NULL */
    const char *help;
    const struct al_option *setting; /* the variable that it is; NULL: none */
    int id;                          /* the call's own number for it, from 1 on, in call_NAME.h */
    enum call_kind kind;
    char letter;   /* of its short form, or 0 */
    bool optional; /* it goes without a value too: --name or --name=VALUE */
    bool hidden;   /* for tests: nothing that anybody is told of */
};

/* Options that belong together. */
struct call_section {
    const char *title;
    const struct call_option *options; /* one without a name ends them */
    bool settings;                     /* all variables of the library instead */
};

enum { CALL_SECTIONS = 8, CALL_STATUSES = 12 };

struct call_status {
    const char *status; /* "78" */
    const char *when;
};

struct call {
    const char *name;
    const char *does;            /* in a line */
    const char *usage;           /* what follows its name */
    const char *about;           /* paragraphs, each with a newline; lines are filled */
    enum call_kind operand_kind; /* what the operands are */
    bool operands_end_options;   /* what follows the first of them is not ours */
    int wrong_status;            /* of what is called wrongly */
    struct call_section sections[CALL_SECTIONS]; /* one without a title ends them */
    struct call_status statuses[CALL_STATUSES];  /* one without a status ends them */
};

#define AL_CALL(name) extern const struct call call_##name;
#include "calls.def"
#undef AL_CALL

/* -- for all calls ----------------------------------------------------------------------------
 */

/* In place of an exit status: nothing is wrong, and nothing has ended. */
enum { CALL_ON = -1 };

/* Ids of the options that every call has. */
enum { CALL_HELP = 1000, CALL_VERSION };

/* Those of that section, those of the library's table too. One without a name ends them. */
const struct call_option *call_section_options(const struct call_section *section);

/* The options that every call has. */
extern const struct call_section call_common;

/* All options, in the order of the sections, the common ones last. One without a name ends them. */
const struct call_option *call_options(const struct call *call);

/* -- reading ------------------------------------------------------------------------------------
 */

struct call_reader {
    const struct call *call;
    int count;
    char **arguments;
    const char *value; /* of the option that was read; NULL: it takes none */
    char **operands;   /* when all have been read: what is no option; NULL ends them */
    int status;        /* then: CALL_ON, or the exit status to end with */
};

/* `arguments` begin with the call's name. Only one reader at a time. */
struct call_reader call_reader_of(const struct call *call, int count, char **arguments);

/*
 * The next option, or NULL: `operands` and `status` are there then. What is wrong has been
 * complained of; --help and --version have been printed, and end with 0.
 */
const struct call_option *call_next(struct call_reader *reader);

/* -- help ---------------------------------------------------------------------------------------
 */

/* Prints what --help prints. Returns an exit status. */
int call_help_print(const struct call *call);

#endif
