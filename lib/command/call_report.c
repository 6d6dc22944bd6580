#include "call_report.h"

#include "call.h"
#include "command.h"

static const struct call_option options[] = {
    {.name = "sort",
     .id = REPORT_OPTION_SORT,
     .value = "KEY",
     .kind = CALL_WORDS,
     .words = "start pid program mode locked unlocked resident swap majflt minflt failures "
              "downgrades ended",
     .help = "what the processes are sorted by: a column of the table, the largest first, or "
             "start; default start, as far as it is known"},
    {.name = "format",
     .id = REPORT_OPTION_FORMAT,
     .value = "text|json",
     .kind = CALL_WORDS,
     .words = "text json",
     .help = "what is written: a table that fits the terminal, or one JSON object on one line; "
             "default text"},
    {.name = "html",
     .id = REPORT_OPTION_HTML,
     .value = "FILE",
     .kind = CALL_FILE,
     .help = "writes a page instead, with a column for each run: each file of reports is one, and "
             "each run of a page"},
    {.name = NULL},
};

const struct call call_report = {
    .name = "report",
    .does = "show the reports of many processes, as a table or a page",
    .usage = "[OPTION…] FILE…",
    .about = "Reads reports and shows them together: files that AUTOLOCK_STATS=json or --json of "
             "run have written (- is standard input), live files of AUTOLOCK_LIVE_DIR, and pages. "
             "Of two reports of one process the later one holds. The answer goes to standard "
             "output.\n",
    .operand_kind = CALL_FILE,
    .wrong_status = STATUS_USAGE,
    .sections = {{.title = "Options", .options = options}},
    .statuses =
        {
            {"0", "all of it were reports"},
            {"1", "the answer cannot be written"},
            {"64", "it is called wrongly"},
            {"65", "something is not a report; what is one is shown"},
        },
};
