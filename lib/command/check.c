#include "check_call.h"

#include "call.h"
#include "call_check.h"
#include "call_values.h"
#include "command.h"
#include "screen.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STATUS_SOME = 1, STATUS_NOTHING = 2 };

struct wish {
    bool json;
    const char *root;    /* whose /proc and /sys is judged; "": this machine's */
    const char *program; /* NULL: none */
};

/* Returns CALL_ON, or the status to end with. */
static int parse(int count, char **arguments, struct wish *ret_wish)
{
    struct call_reader reader = call_reader_of(&call_check, count, arguments);
    const struct call_option *option;

    while ((option = call_next(&reader))) {
        if (option->id == CHECK_OPTION_ROOT)
            ret_wish->root = reader.value;
        else if (!call_read_format(reader.value, &ret_wish->json))
            return STATUS_USAGE;
    }
    if (reader.status != CALL_ON)
        return reader.status;
    ret_wish->program = reader.operands[0];
    if (reader.operands[0] && reader.operands[1]) {
        complain("\"%s\": one program at a time, without its arguments", reader.operands[1]);
        return STATUS_USAGE;
    }
    if (ret_wish->program && strlen(ret_wish->program) >= PATH_MAX) {
        complain("no program has a name of %zu bytes", strlen(ret_wish->program));
        return STATUS_USAGE;
    }
    return CALL_ON;
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
    bool colour = screen_has_colour();

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
    int status = parse(count, arguments, &wish);

    if (status != CALL_ON)
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
