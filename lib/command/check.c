#include "check_call.h"

#include "command.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "usage: autolock check [--format text|json] [PROGRAM]\n"
    "\n"
    "Says what the library would lock here, and why: limits, capabilities, the container, the "
    "cgroup, what\n"
    "the machine does with memory; and of PROGRAM (as a shell finds it), whether the library would "
    "get into\n"
    "it. Each line has what would help. The variables AUTOLOCK_… count as they would for the "
    "program.\n"
    "Nothing is started, and nothing stays locked.\n"
    "\n"
    "  --format text|json    what is written: text, or one JSON object on one line (text)\n"
    "  --help                this text\n"
    "\n"
    "Exits with 0 if all will be locked, 1 if some will, 2 if nothing will; 64 if it is called "
    "wrongly,\n"
    "74 if the answer cannot be written.\n";

enum { STATUS_SOME = 1, STATUS_NOTHING = 2, STATUS_UNWRITTEN = 74 /* EX_IOERR */ };

struct wish {
    bool json;
    const char *root;    /* whose /proc and /sys is judged; "": this machine's */
    const char *program; /* NULL: none */
};

static bool parse_format(const char *word, bool *ret_json)
{
    *ret_json = strcmp(word, "json") == 0;
    if (*ret_json || strcmp(word, "text") == 0)
        return true;
    complain("--format %s: it is one of text, json", word);
    return false;
}

/* Returns false and the exit status if there is nothing to be checked. */
static bool parse(int count, char **arguments, struct wish *ret_wish, int *ret_status)
{
    static const struct option options[] = {
        {"format", required_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
        {"root", required_argument, NULL, 'r'}, /* for tests: nothing that help names */
        {NULL, 0, NULL, 0},
    };
    int option;

    *ret_status = STATUS_USAGE;
    while ((option = getopt_long(count, arguments, "h", options, NULL)) != -1) {
        switch (option) {
        case 'f':
            if (!parse_format(optarg, &ret_wish->json))
                return false;
            break;
        case 'r':
            ret_wish->root = optarg;
            break;
        case 'h':
            *ret_status = fputs(help, stdout) == EOF || fflush(stdout) ? STATUS_FAILED : 0;
            return false;
        default:
            return false;
        }
    }
    if (count - optind > 1) {
        complain("\"%s\": one program at a time, without its arguments", arguments[optind + 1]);
        return false;
    }
    ret_wish->program = arguments[optind];
    if (ret_wish->program && strlen(ret_wish->program) >= PATH_MAX) {
        complain("no program has a name of %zu bytes", strlen(ret_wish->program));
        return false;
    }
    return true;
}

static int status_of(const struct check_findings *findings)
{
    switch (check_verdict(findings)) {
    case CHECK_PART:
        return STATUS_SOME;
    case CHECK_NONE:
        return STATUS_NOTHING;
    default:
        return 0;
    }
}

static int print(const struct check_result *result, bool json)
{
    bool colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");

    if (json)
        check_print_json(stdout, result);
    else
        check_print_text(stdout, result, colour);
    if (fflush(stdout) || ferror(stdout)) {
        complain("the answer cannot be written: %m");
        return STATUS_UNWRITTEN;
    }
    return status_of(result->findings);
}

int command_check(int count, char **arguments)
{
    static struct check_surroundings here;
    static struct check_program program;
    static struct check_findings findings;
    static struct al_config config;
    static char problem_bytes[4096];
    struct al_text problems = al_text_over(problem_bytes, sizeof(problem_bytes));
    struct wish wish = {.root = ""};
    struct check_result result = {.findings = &findings, .here = &here, .config = &config};
    int status;

    if (!parse(count, arguments, &wish, &status))
        return status;
    (void)al_config_read(&config, environ, &problems);
    check_read(&here, wish.root, environ);
    if (!*wish.root)
        check_probe(&here, &config);
    check_judge_settings(&findings, &config, problem_bytes);
    check_judge_rights(&findings, &here, &config);
    if (wish.program) {
        check_program_read(&program, wish.program, getenv("PATH"));
        check_judge_program(&findings, &program, &here, &config);
        result.program = &program;
    }
    check_judge_machine(&findings, &here, &config);
    return print(&result, wish.json);
}
