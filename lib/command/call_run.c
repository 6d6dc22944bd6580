#include "call_run.h"

#include "call.h"
#include "command.h"

static const struct call_option how[] = {
    {.name = "library",
     .id = RUN_OPTION_LIBRARY,
     .value = "FILE",
     .kind = CALL_FILE,
     .help = "the library; else it is looked for beside this command, and where it is installed"},
    {.name = "memlock",
     .id = RUN_OPTION_MEMLOCK,
     .value = "SIZE|unlimited|keep",
     .kind = CALL_SIZE,
     .words = "unlimited keep",
     .help = "the limit of locked memory, soft and hard; else the soft limit is raised to the hard "
             "one, and that one too where the kernel lets it"},
    {.name = "ambient",
     .id = RUN_OPTION_AMBIENT,
     .help = "passes CAP_IPC_LOCK on to the program, if this command has it, also to an ordinary "
             "user's: no limit of locked memory holds then"},
    {.name = "require",
     .id = RUN_OPTION_REQUIRE,
     .help = "ends with 125 if the library does not take hold in the program, before it runs where "
             "that can be told"},
    {.name = "init",
     .id = RUN_OPTION_INIT,
     .help = "takes care of processes that lose their parent, as process 1 does by itself"},
    {.name = "progress",
     .id = RUN_OPTION_PROGRESS,
     .help = "while it runs, a line on standard error says how far it is, each second; only where "
             "that is a terminal"},
    {.name = "pdeathsig",
     .id = RUN_OPTION_DEATH_SIGNAL,
     .value = "SIGNAL",
     .kind = CALL_WORDS,
     .words = "HUP INT QUIT KILL USR1 USR2 TERM",
     .help = "what the program gets if this command dies, by SIGKILL say; else nothing"},
    {.name = NULL},
};

static const struct call_option gate[] = {
    {.name = "expect",
     .id = RUN_OPTION_EXPECT,
     .value = "LIST",
     .kind = CALL_LIST_OF_WORDS,
     .words = "majflt minflt failures unlocked locked swap coverage downgrades",
     .help = "what has to hold in the end, as 'majflt=0,failures=0,coverage>=99%': 86 if something "
             "of it does not. There are majflt, minflt, failures, unlocked, locked, swap, coverage "
             "and downgrades, and = != < <= > >="},
    {.name = "tree",
     .id = RUN_OPTION_TREE,
     .help = "expects it of the program and of all that it starts, taken together"},
    {.name = "warmup",
     .id = RUN_OPTION_WARMUP,
     .value = "TIME|mark",
     .kind = CALL_TIME,
     .words = "mark",
     .help = "faults, failures and downgrades count from then on: 2s, 500ms, or the program's own "
             "autolock_mark"},
    {.name = "duration",
     .id = RUN_OPTION_DURATION,
     .value = "TIME",
     .kind = CALL_TIME,
     .help = "ends the program by SIGTERM then"},
    {.name = "json",
     .id = RUN_OPTION_JSON,
     .value = "FILE",
     .kind = CALL_FILE,
     .help = "the reports of all its processes, one a line"},
    {.name = "junit",
     .id = RUN_OPTION_JUNIT,
     .value = "FILE",
     .kind = CALL_FILE,
     .help = "what --expect comes to as a JUnit file, one test case an expectation"},
    {.name = "report",
     .id = RUN_OPTION_REPORT,
     .value = "FILE",
     .kind = CALL_FILE,
     .help = "a page about the run, one HTML file that needs nothing else: what came out, memory "
             "and faults over time, what was locked and what was not, and why"},
    {.name = "sample-interval",
     .id = RUN_OPTION_SAMPLE_INTERVAL,
     .value = "TIME",
     .kind = CALL_TIME,
     .help = "how often the program is looked at for the page, 10ms to 1s; default 100ms"},
    {.name = "format",
     .id = RUN_OPTION_FORMAT,
     .value = "text|json",
     .kind = CALL_WORDS,
     .words = "text json",
     .help = "what --expect comes to on standard error: a table, or a JSON object on one line; "
             "default text"},
    {.name = NULL},
};

static const struct call_option faults[] = {
    {.name = "faults",
     .id = RUN_OPTION_FAULTS,
     .value = "FILE",
     .optional = true,
     .kind = CALL_FILE,
     .help = "says of the page faults since the lock, or the warm-up, where in the program they "
             "were, what was touched, and why it was not there; with FILE as JSON too"},
    {.name = NULL},
};

const struct call call_run = {
    .name = "run",
    .does = "run a program with the library, and prove that it took hold",
    .usage = "[OPTION…] [--] PROGRAM [ARG…]",
    .about = "Runs PROGRAM with the library preloaded, and as if this command were not there: "
             "signals, terminal, standard input and output, environment and exit status are the "
             "program's own.\n",
    .operand_kind = CALL_PROGRAM,
    .operands_end_options = true,
    .wrong_status = STATUS_CONFIGURATION,
    .sections =
        {
            {.title =
                 "What is locked, and how (each is the variable AUTOLOCK_…, and goes before it)",
             .settings = true},
            {.title = "How the program is run", .options = how},
            {.title = "What is expected of it", .options = gate},
            {.title = "Where its page faults come from", .options = faults},
        },
    .statuses =
        {
            {"the program's own", "it ended by itself"},
            {"128 + N", "signal N ended it"},
            {"1",
             "a file that was asked for could not be written in the end, or there was no memory "
             "left to look at the program, and the program itself ended with 0"},
            {"78", "an option is wrong, and nothing was run"},
            {"86", "something of --expect does not hold, and the program itself ended with 0"},
            {"125", "the library did not take hold, under --require"},
            {"126", "PROGRAM is there and cannot be run"},
            {"127", "there is no such program"},
        },
};
