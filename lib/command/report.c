#include "call.h"
#include "call_report.h"
#include "call_values.h"
#include "columns.h"
#include "command.h"
#include "memory.h"
#include "page.h"
#include "report_read.h"
#include "report_runs.h"
#include "report_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPORTS_SCHEMA "autolock-reports/1"

struct request {
    const char *sort;
    const char *html;
    bool json;
};

static int written(void)
{
    return fflush(stdout) || ferror(stdout) ? STATUS_FAILED : 0;
}

static int print_json(const struct report_list *list)
{
    json_t *processes = json_array();
    json_t *answer;
    char *text;

    for (size_t i = 0; i < list->count; i++)
        (void)json_array_append(processes, list->list[i].report);
    answer = json_pack("{s:s,s:o,s:o}", "schema", REPORTS_SCHEMA, "processes", processes, "totals",
                       report_table_totals(list));
    /* On a terminal nothing in it is obeyed. */
    text = answer ? json_dumps(answer, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    if (!text) {
        complain("out of memory");
        return STATUS_FAILED;
    }
    puts(text);
    return written();
}

static int show(const struct request *request, struct report_list *list,
                const struct report_file *files, size_t count)
{
    if (request->html)
        return page_write(report_runs(list, files, count), "--html", request->html) ? 0
                                                                                    : STATUS_FAILED;
    if (request->json)
        return print_json(list);
    report_table_print(stdout, list, columns_of_output());
    return written();
}

static int report(const struct request *request, char **names, size_t count)
{
    struct report_file *files = allocate(count * sizeof(*files));
    struct report_list list = {0};
    const char *sort = request->sort ? request->sort : "start";
    int status = 0;
    int shown;

    if (!report_table_sort(&list, sort)) {
        complain("--sort %s: it is one of %s", sort, report_table_keys());
        return STATUS_USAGE;
    }
    for (size_t i = 0; i < count; i++)
        if (!report_read(names[i], i, &list, &files[i]))
            status = STATUS_DATA;
    report_list_merge(&list);
    (void)report_table_sort(&list, sort);
    if (!list.count)
        return status;
    shown = show(request, &list, files, count);
    return shown ? shown : status;
}

int command_report(int count, char **arguments)
{
    struct call_reader reader = call_reader_of(&call_report, count, arguments);
    const struct call_option *option;
    struct request request = {0};
    size_t files = 0;

    while ((option = call_next(&reader))) {
        switch ((enum call_report_option)option->id) {
        case REPORT_OPTION_SORT:
            request.sort = reader.value;
            break;
        case REPORT_OPTION_FORMAT:
            if (!call_read_format(reader.value, &request.json))
                return STATUS_USAGE;
            break;
        case REPORT_OPTION_HTML:
            request.html = reader.value;
            break;
        }
    }
    if (reader.status != CALL_ON)
        return reader.status;
    while (reader.operands[files])
        files++;
    if (files)
        return report(&request, reader.operands, files);
    complain("no file is named; autolock report --help says more");
    return STATUS_USAGE;
}
