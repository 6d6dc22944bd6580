#include "manual.h"

#include <string.h>

static const char head[] = "#compdef autolock\n"
                           "# Completion of autolock in zsh: made from the command's own tables.\n"
                           "\n"
                           "# Processes that have the library.\n"
                           "_autolock_pids() {\n"
                           "    local -a maps\n"
                           "    maps=(${(f)\"$(grep -ls libautolock /proc/<->/maps(N) /dev/null "
                           "2>/dev/null)\"})\n"
                           "    compadd -- ${${maps#/proc/}%/maps}\n"
                           "}\n"
                           "\n";

static const char tail[] =
    "_autolock() {\n"
    "    local curcontext=$curcontext state line\n"
    "    typeset -A opt_args\n"
    "    _arguments -C '(- *)'{-h,--help}'[help]' '(- *)--version[version]' \\\n"
    "        '1: :_autolock_calls' '*:: :->call' && return\n"
    "    case $state in\n"
    "    call)\n"
    "        curcontext=${curcontext%:*:*}:autolock-$words[1]:\n"
    "        (( $+functions[_autolock_$words[1]] )) && _autolock_$words[1]\n"
    "        ;;\n"
    "    esac\n"
    "}\n"
    "\n"
    "_autolock \"$@\"\n";

/* What a description or a message cannot have as it is. */
#define SPECIAL "[]:\\"

static void put_action(FILE *out, const char *value, enum call_kind kind, const char *words)
{
    switch (kind) {
    case CALL_FILE:
        (void)fputs("_files", out);
        return;
    case CALL_DIRECTORY:
        (void)fputs("_files -/", out);
        return;
    case CALL_PID:
        (void)fputs("_autolock_pids", out);
        return;
    case CALL_PROGRAM:
        (void)fputs("_command_names -e", out);
        return;
    case CALL_LIST_OF_WORDS:
        (void)fprintf(out, "_values -s , %s %s", value, words);
        return;
    default:
        if (words)
            (void)fprintf(out, "(%s)", words);
        else
            (void)fputc(' ', out);
    }
}

/* Where its value is: in the same word, or there or in the next one. */
static const char *sign_of(const struct call_option *option, const char *same, const char *any)
{
    if (option->optional)
        return same;
    return option->value ? any : "";
}

static void put_option(FILE *out, const struct call_option *option)
{
    bool ends = option->id == CALL_HELP || option->id == CALL_VERSION;

    (void)fputs(" \\\n        ", out);
    if (ends)
        (void)fputs("'(- *)'", out);
    if (option->letter)
        (void)fprintf(out, "{-%c%s,--%s%s}", option->letter, sign_of(option, "-", "+"),
                      option->name, sign_of(option, "=-", "="));
    else
        (void)fprintf(out, "--%s%s", option->name, sign_of(option, "=-", "="));
    (void)fputs("\"[\"", out);
    manual_put_quoted(out, manual_short_help(option), SPECIAL);
    (void)fputs("\"]\"", out);
    if (!option->value)
        return;
    (void)fputs(option->optional ? "::" : ":", out);
    manual_put_quoted(out, option->value, SPECIAL);
    (void)fputs(":'", out);
    put_action(out, option->value, option->kind, option->words);
    (void)fputc('\'', out);
}

static void put_call(FILE *out, const struct call *call)
{
    (void)fprintf(out, "_autolock_%s() {\n    _arguments -S", call->name);
    for (const struct call_option *option = call_options(call); option->name; option++)
        if (!option->hidden)
            put_option(out, option);
    if (call->operands_end_options)
        (void)fputs(" \\\n        '(-)1:program:_command_names -e' '*:::arguments:_normal'", out);
    else if (call->operand_kind == CALL_PROGRAM)
        (void)fputs(" \\\n        '1:program:_command_names -e'", out);
    else if (call->operand_kind != CALL_NOTHING) {
        (void)fputs(" \\\n        '*:operand:", out);
        put_action(out, "operand", call->operand_kind, NULL);
        (void)fputc('\'', out);
    }
    (void)fputs("\n}\n\n", out);
}

static void put_calls(FILE *out)
{
    (void)fputs("_autolock_calls() {\n    local -a calls\n    calls=(\n", out);
    for (const struct call *const *call = manual_calls; *call; call++) {
        (void)fprintf(out, "        %s:", (*call)->name);
        manual_put_quoted(out, (*call)->does, ":\\");
        (void)fputc('\n', out);
    }
    (void)fputs("    )\n    _describe call calls\n}\n\n", out);
}

void manual_zsh(FILE *out)
{
    (void)fputs(head, out);
    put_calls(out);
    for (const struct call *const *call = manual_calls; *call; call++)
        put_call(out, *call);
    (void)fputs(tail, out);
}
