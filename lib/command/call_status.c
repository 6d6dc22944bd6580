#include "call_status.h"

#include "call.h"
#include "command.h"

static const struct call_option options[] = {
    {.name = "watch",
     .id = STATUS_OPTION_WATCH,
     .value = "TIME",
     .kind = CALL_TIME,
     .optional = true,
     .help = "again and again, by default each 2 seconds. On a terminal in place, as top does it: "
             "arrows and page keys scroll, s sorts otherwise, q ends"},
    {.name = "sort",
     .id = STATUS_OPTION_SORT,
     .value = "ORDER",
     .kind = CALL_WORDS,
     .words = "address size resident locked unlocked",
     .help = "the order of the mappings: address, or the most first of size, resident, locked or "
             "unlocked; default address"},
    {.name = "all",
     .id = STATUS_OPTION_ALL,
     .help = "each mapping by itself; else neighbours of one name are one"},
    {.name = "format",
     .id = STATUS_OPTION_FORMAT,
     .value = "text|json",
     .kind = CALL_WORDS,
     .words = "text json",
     .help = "what is written: text, or a JSON object on one line for each process; default text"},
    {.name = NULL},
};

const struct call call_status = {
    .name = "status",
    .does = "show what of a process is in memory and locked, mapping by mapping",
    .usage = "[OPTION…] PID…",
    .about = "Shows of each process, with the library or without it, what the kernel counts as "
             "locked and the limit of that; the library's counters; and what is in memory and "
             "what of that is locked, by kinds of memory and mapping by mapping. A process is not "
             "stopped by that.\n",
    .operand_kind = CALL_PID,
    .wrong_status = STATUS_USAGE,
    .sections = {{.title = "Options", .options = options}},
    .statuses =
        {
            {"0", "all processes were read; with --watch: until they ended, or it was interrupted"},
            {"1", "there is no such process, or it may not be looked at"},
            {"64", "it is called wrongly"},
            {"74", "the answer cannot be written"},
        },
};
