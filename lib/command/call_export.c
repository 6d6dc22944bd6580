#include "call_export.h"

#include "call.h"
#include "command.h"

static const struct call_option options[] = {
    {.name = "textfile",
     .id = EXPORT_OPTION_TEXTFILE,
     .value = "DIRECTORY",
     .kind = CALL_DIRECTORY,
     .help = "where the files go, as autolock.PROGRAM.PID.prom"},
    {.name = "interval",
     .id = EXPORT_OPTION_INTERVAL,
     .value = "SECONDS",
     .kind = CALL_TIME,
     .help = "how often they are renewed; default 15"},
    {.name = "once", .id = EXPORT_OPTION_ONCE, .help = "renews them once, and ends"},
    {.name = NULL},
};

const struct call call_export = {
    .name = "export",
    .does = "keep files of metrics of all processes with the library fresh",
    .usage = "--textfile DIRECTORY [OPTION…] [PID…]",
    .about = "Keeps in a directory, for the textfile collector of Prometheus' node exporter, a "
             "file of metrics of each process that has the library (or of those named), and takes "
             "it away when the process is gone. Runs until it is interrupted.\n",
    .operand_kind = CALL_PID,
    .wrong_status = STATUS_USAGE,
    .sections = {{.title = "Options", .options = options}},
    .statuses =
        {
            {"0", "it was interrupted, or with --once is through"},
            {"1", "a file could not be written, or a PID that was named is no process with the "
                  "library"},
            {"64", "it is called wrongly"},
        },
};
