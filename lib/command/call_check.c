#include "call_check.h"

#include "call.h"
#include "command.h"

static const struct call_option options[] = {
    {.name = "format",
     .id = CHECK_OPTION_FORMAT,
     .value = "text|json",
     .kind = CALL_WORDS,
     .words = "text json",
     .help = "what is written: text, or one JSON object on one line; default text"},
    {.name = "root",
     .id = CHECK_OPTION_ROOT,
     .value = "DIRECTORY",
     .kind = CALL_DIRECTORY,
     .help = "whose /proc and /sys is judged",
     .hidden = true},
    {.name = NULL},
};

const struct call call_check = {
    .name = "check",
    .does = "say what would be locked here, and what helps",
    .usage = "[OPTION…] [PROGRAM]",
    .about = "Says what the library would lock here, and why: limits, capabilities, the container, "
             "the cgroup, what the machine does with memory; and of PROGRAM (as a shell finds it), "
             "whether the library would get into it. Each line has what would help. The variables "
             "AUTOLOCK_… count as they would for the program. Nothing is started, and nothing "
             "stays locked.\n",
    .operand_kind = CALL_PROGRAM,
    .wrong_status = STATUS_USAGE,
    .sections = {{.title = "Options", .options = options}},
    .statuses =
        {
            {"0", "all will be locked"},
            {"1", "some will"},
            {"2", "nothing will"},
            {"64", "it is called wrongly"},
            {"74", "the answer cannot be written"},
        },
};
