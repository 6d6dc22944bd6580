#include "manual.h"

#include <string.h>

/* What of a word is to be completed is what COMP_WORDBREAKS leaves of it: = and : part words. */
static const char head[] = "# Completion of autolock in bash: made from the command's own tables.\n"
                           "\n"
                           "# What the value of an option is: kind, and the words that it may be.\n"
                           "_autolock_describe() { # call, option\n"
                           "    kind=nothing words=\n"
                           "    case \"$1 $2\" in\n";

static const char tail[] =
    "# Fills COMPREPLY with lines.\n"
    "_autolock_reply() {\n"
    "    local line\n"
    "    while IFS= read -r line; do COMPREPLY+=(\"$line\"); done\n"
    "}\n"
    "\n"
    "_autolock_complete() { # kind, words, what is there\n"
    "    case $1 in\n"
    "    list)\n"
    "        compopt -o nospace 2>/dev/null\n"
    "        local before=\n"
    "        case $3 in *,*) before=${3%,*}, ;; esac\n"
    "        _autolock_reply < <(compgen -P \"$before\" -W \"$2\" -- \"${3##*,}\")\n"
    "        ;;\n"
    "    file | directory | program)\n"
    "        compopt -o filenames 2>/dev/null\n"
    "        case $1 in\n"
    "        file) _autolock_reply < <(compgen -f -- \"$3\") ;;\n"
    "        directory) _autolock_reply < <(compgen -d -- \"$3\") ;;\n"
    "        program) _autolock_reply < <(compgen -c -- \"$3\" | sort -u; compgen -d -- \"$3\") "
    ";;\n"
    "        esac\n"
    "        ;;\n"
    "    pid)\n"
    "        _autolock_reply < <(compgen -W \"$(grep -ls libautolock /proc/[0-9]*/maps 2>/dev/null "
    "|\n"
    "            sed 's|/proc/\\(.*\\)/maps|\\1|')\" -- \"$3\")\n"
    "        ;;\n"
    "    *) _autolock_reply < <(compgen -W \"$2\" -- \"$3\") ;;\n"
    "    esac\n"
    "}\n"
    "\n"
    "# Where the program of `run` stands, or nowhere: 0.\n"
    "_autolock_program() { # call\n"
    "    local i kind words\n"
    "    program=0\n"
    "    for ((i = 2; i < COMP_CWORD; i++)); do\n"
    "        case ${COMP_WORDS[i]} in\n"
    "        --) program=$((i + 1)) && return ;;\n"
    "        -*)\n"
    "            _autolock_describe \"$1\" \"${COMP_WORDS[i]}\"\n"
    "            [ \"${COMP_WORDS[i + 1]}\" = = ] && ((i++))\n"
    "            [ \"$kind\" = nothing ] || ((i++))\n"
    "            ;;\n"
    "        *) program=$i && return ;;\n"
    "        esac\n"
    "    done\n"
    "}\n"
    "\n"
    "_autolock() {\n"
    "    local current=${COMP_WORDS[COMP_CWORD]} call=${COMP_WORDS[1]} option kind words program\n"
    "    COMPREPLY=()\n"
    "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
    "        _autolock_complete words \"$_autolock_calls\" \"$current\"\n"
    "        return\n"
    "    fi\n"
    "    _autolock_describe \"$call\" ''\n"
    "    if [ \"$kind\" = rest ]; then\n"
    "        _autolock_program \"$call\"\n"
    "        if [ \"$program\" -gt 0 ] && [ \"$program\" -lt \"$COMP_CWORD\" ]; then\n"
    "            # As that program's arguments are completed, where that can be had.\n"
    "            if declare -F _command_offset >/dev/null; then\n"
    "                _command_offset \"$program\"\n"
    "            else\n"
    "                _autolock_complete file '' \"$current\"\n"
    "            fi\n"
    "            return\n"
    "        fi\n"
    "        if [ \"$program\" -eq \"$COMP_CWORD\" ]; then\n"
    "            _autolock_complete program '' \"$current\"\n"
    "            return\n"
    "        fi\n"
    "        kind=program\n"
    "    fi\n"
    "    local operands=$kind joined=no\n"
    "    option=${COMP_WORDS[COMP_CWORD - 1]}\n"
    "    if [ \"$current\" = = ]; then\n"
    "        joined=yes current=\n"
    "    elif [ \"$option\" = = ]; then\n"
    "        joined=yes option=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "    fi\n"
    "    _autolock_describe \"$call\" \"$option\"\n"
    "    case $option in -*) ;; *) kind=nothing ;; esac\n"
    "    if [ \"$kind\" != nothing ] || [ \"$joined\" = yes ]; then\n"
    "        _autolock_complete \"$kind\" \"$words\" \"$current\"\n"
    "        return\n"
    "    fi\n"
    "    case $current in\n"
    "    -*)\n"
    "        _autolock_describe \"$call\" options\n"
    "        _autolock_complete words \"$words\" \"$current\"\n"
    "        ;;\n"
    "    *) [ \"$operands\" = nothing ] || _autolock_complete \"$operands\" '' \"$current\" ;;\n"
    "    esac\n"
    "}\n"
    "\n"
    "complete -F _autolock autolock\n";

static const char *kind_name(enum call_kind kind)
{
    switch (kind) {
    case CALL_LIST_OF_WORDS:
        return "list";
    case CALL_FILE:
        return "file";
    case CALL_DIRECTORY:
        return "directory";
    case CALL_PID:
        return "pid";
    case CALL_PROGRAM:
        return "program";
    case CALL_NOTHING:
        return "nothing";
    default:
        return "words";
    }
}

static void put_case(FILE *out, const char *call, const struct call_option *option)
{
    /* One that need not have a value has none in the next word. */
    if (option->hidden || !option->value || option->optional)
        return;
    (void)fprintf(out, "    '%s --%s'", call, option->name);
    if (option->letter)
        (void)fprintf(out, " | '%s -%c'", call, option->letter);
    (void)fprintf(out, ") kind=%s words=", kind_name(option->kind));
    manual_put_quoted(out, option->words ? option->words : "", "");
    (void)fputs(" ;;\n", out);
}

static void put_call(FILE *out, const struct call *call)
{
    const struct call_option *options = call_options(call);

    for (const struct call_option *option = options; option->name; option++)
        put_case(out, call->name, option);
    (void)fprintf(out, "    '%s options') words='", call->name);
    for (const struct call_option *option = options; option->name; option++)
        if (!option->hidden)
            (void)fprintf(out, "%s--%s", option == options ? "" : " ", option->name);
    (void)fprintf(out, "' ;;\n    '%s ') kind=%s ;;\n", call->name,
                  call->operands_end_options ? "rest" : kind_name(call->operand_kind));
}

void manual_bash(FILE *out)
{
    (void)fputs(head, out);
    for (const struct call *const *call = manual_calls; *call; call++)
        put_call(out, *call);
    (void)fputs("    esac\n}\n\n_autolock_calls='", out);
    for (const struct call *const *call = manual_calls; *call; call++)
        (void)fprintf(out, "%s ", (*call)->name);
    (void)fputs("--help --version'\n\n", out);
    (void)fputs(tail, out);
}
