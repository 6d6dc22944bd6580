#include "manual.h"

static const char head[] =
    "# Completion of autolock in fish: made from the command's own tables.\n"
    "\n"
    "# Whether a call has been named.\n"
    "function __autolock_has_call\n"
    "    set -l tokens (commandline -opc)\n"
    "    test (count $tokens) -ge 2\n"
    "end\n"
    "\n"
    "# The program of `run` and its arguments, as far as they are there; after the one argument, "
    "which\n"
    "# are the options that take a value.\n"
    "function __autolock_program\n"
    "    set -l tokens (commandline -opc)\n"
    "    set -l skip 0\n"
    "    for i in (seq 3 (count $tokens))\n"
    "        if test $skip = 1\n"
    "            set skip 0\n"
    "        else if test \"$tokens[$i]\" = --\n"
    "            test $i -lt (count $tokens); and printf '%s\\n' $tokens[(math $i + 1)..-1]\n"
    "            return\n"
    "        else if not string match -q -- '-*' $tokens[$i]\n"
    "            printf '%s\\n' $tokens[$i..-1]\n"
    "            return\n"
    "        else if contains -- $tokens[$i] $argv\n"
    "            set skip 1\n"
    "        end\n"
    "    end\n"
    "end\n"
    "\n"
    "# Whether the command line is one of this call, before any program.\n"
    "function __autolock_in\n"
    "    set -l tokens (commandline -opc)\n"
    "    test \"$tokens[2]\" = $argv[1]; and not __autolock_in_program $argv\n"
    "end\n"
    "\n"
    "function __autolock_in_program\n"
    "    set -l tokens (commandline -opc)\n"
    "    test \"$tokens[2]\" = $argv[1]; and test (count $argv) -gt 1\n"
    "    and count (__autolock_program $argv[2..-1]) >/dev/null\n"
    "end\n"
    "\n"
    "# As that program's arguments are completed.\n"
    "function __autolock_complete_program\n"
    "    set -l line (string join ' ' -- (string escape -- (__autolock_program $argv)) "
    "(commandline -ct))\n"
    "    complete -C \"$line\"\n"
    "end\n"
    "\n"
    "# Words of a list, behind those that are there.\n"
    "function __autolock_list\n"
    "    set -l before (string replace -r '(^--[a-z-]+=)' '' -- (commandline -ct) | string replace "
    "-r "
    "'[^,]*$' '')\n"
    "    printf \"$before%s\\n\" $argv\n"
    "end\n"
    "\n"
    "# Processes that have the library.\n"
    "function __autolock_pids\n"
    "    grep -ls libautolock /proc/*/maps 2>/dev/null | string replace -rf "
    "'^/proc/([0-9]+)/maps$' "
    "'$1'\n"
    "end\n"
    "\n"
    "complete -c autolock -f\n"
    "complete -c autolock -n 'not __autolock_has_call' -l help -d help\n"
    "complete -c autolock -n 'not __autolock_has_call' -l version -d version\n";

/* The call and, where its operands are a program with arguments, what takes a value. */
static void put_call_and_options(FILE *out, const struct call *call)
{
    (void)fputs(call->name, out);
    for (const struct call_option *option = call_options(call); option->name; option++)
        if (option->value && !option->optional && call->operands_end_options)
            (void)fprintf(out, " --%s", option->name);
}

static void put_arguments(FILE *out, enum call_kind kind, const char *words)
{
    switch (kind) {
    case CALL_FILE:
        (void)fputs(" -r -F", out);
        return;
    case CALL_DIRECTORY:
        (void)fputs(" -x -a '(__fish_complete_directories)'", out);
        return;
    case CALL_PID:
        (void)fputs(" -x -a '(__autolock_pids)'", out);
        return;
    case CALL_PROGRAM:
        (void)fputs(" -x -a '(__fish_complete_command)'", out);
        return;
    case CALL_LIST_OF_WORDS:
        (void)fprintf(out, " -x -a '(__autolock_list %s)'", words);
        return;
    default:
        (void)fputs(" -x", out);
        if (words)
            (void)fprintf(out, " -a '%s'", words);
    }
}

static void put_option(FILE *out, const struct call *call, const struct call_option *option)
{
    (void)fprintf(out, "complete -c autolock -n \"__autolock_in $__autolock_%s\" -l %s", call->name,
                  option->name);
    if (option->letter)
        (void)fprintf(out, " -s %c", option->letter);
    if (option->value && !option->optional)
        put_arguments(out, option->kind, option->words);
    (void)fputs(" -d ", out);
    manual_put_quoted(out, manual_short_help(option), "\\");
    (void)fputc('\n', out);
}

static void put_call(FILE *out, const struct call *call)
{
    (void)fprintf(out, "\ncomplete -c autolock -n 'not __autolock_has_call' -a %s -d ", call->name);
    manual_put_quoted(out, call->does, "\\");
    (void)fprintf(out, "\nset -l __autolock_%s ", call->name);
    put_call_and_options(out, call);
    (void)fputc('\n', out);
    for (const struct call_option *option = call_options(call); option->name; option++)
        if (!option->hidden)
            put_option(out, call, option);
    if (call->operand_kind == CALL_NOTHING)
        return;
    (void)fprintf(out, "complete -c autolock -n \"__autolock_in $__autolock_%s\"", call->name);
    put_arguments(out, call->operand_kind, NULL);
    (void)fputc('\n', out);
    if (call->operands_end_options)
        (void)fprintf(out,
                      "complete -c autolock -n \"__autolock_in_program $__autolock_%s\" -x -a "
                      "\"(__autolock_complete_program $__autolock_%s[2..-1])\"\n",
                      call->name, call->name);
}

void manual_fish(FILE *out)
{
    (void)fputs(head, out);
    for (const struct call *const *call = manual_calls; *call; call++)
        put_call(out, *call);
}
