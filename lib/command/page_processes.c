#include "page_html.h"

#include "fields.h"
#include "memory.h"
#include "report_list.h"

#include <string.h>

/* A tree of compilers has thousands. */
enum { ROWS_MAX = 1000, DETAILS_MAX = 50, FEW = 12 };

static const struct {
    const char *title;
    const char *path;
    enum page_unit unit;
} columns[] = {
    {"locked", "memory.locked_bytes", PAGE_BYTES},
    {"not locked", "memory.unlocked_resident_bytes", PAGE_BYTES},
    {"resident", "memory.rss_bytes", PAGE_BYTES},
    {"swapped", "memory.swap_bytes", PAGE_BYTES},
    {"major faults", "faults.major_after_lock", PAGE_COUNT},
    {"minor faults", "faults.minor_after_lock", PAGE_COUNT},
    {"failures", "failures", PAGE_COUNT},
};

enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

static void row(const struct page *page, const json_t *report)
{
    (void)fprintf(
        page->to, "<tr><td class=\"number\">%lld</td><th scope=\"row\" class=\"long\">%s</th>",
        (long long)json_read_integer(report, "pid"), page_text(json_read_text(report, "program")));
    for (size_t i = 0; i < COLUMNS; i++)
        (void)fprintf(page->to, "<td class=\"number\">%s</td>",
                      page_number(columns[i].unit, report_number(report, columns[i].path)));
    (void)fprintf(page->to, "<td>%s</td></tr>\n", page_text(json_read_text(report, "ended")));
}

static void table(const struct page *page, const json_t *run, const json_t *processes)
{
    size_t count = json_array_size(processes);
    const char *caption = text_of("%zu processes%s; faults are those after the lock", count,
                                  count > ROWS_MAX ? text_of(", the first %d", ROWS_MAX) : "");

    page_table_begin(
        page, page->count > 1 ? text_of("%s: %s", json_read_text(run, "label"), caption) : caption);
    (void)fputs("<thead><tr><th scope=\"col\" class=\"number\">pid</th><th scope=\"col\">program"
                "</th>",
                page->to);
    for (size_t i = 0; i < COLUMNS; i++)
        (void)fprintf(page->to, "<th scope=\"col\" class=\"number\">%s</th>", columns[i].title);
    (void)fputs("<th scope=\"col\">ended</th></tr></thead>\n<tbody>\n", page->to);
    for (size_t i = 0; i < count && i < ROWS_MAX; i++)
        row(page, json_object_get(json_array_get(processes, i), "report"));
    (void)fputs("</tbody>\n", page->to);
    page_table_end(page);
}

/* -- each in full -------------------------------------------------------------------------------
 */

static enum page_unit unit_of(const struct al_field_row *field)
{
    if (strstr(field->key, "limit_bytes"))
        return PAGE_LIMIT;
    return field->unit == AL_UNIT_BYTES ? PAGE_BYTES
           : field->unit == AL_UNIT_NS  ? PAGE_NS
                                        : PAGE_COUNT;
}

/* All numbers that are not 0, with what they mean. */
static void details(const struct page *page, const json_t *report)
{
    (void)fprintf(page->to,
                  "<details><summary>%s, process %lld</summary>\n<p class=\"command\"><code>%s"
                  "</code></p>\n",
                  page_text(json_read_text(report, "program")),
                  (long long)json_read_integer(report, "pid"),
                  page_text(json_read_text(report, "command")));
    page_table_begin(page, "Everything that was counted, but for zeros");
    (void)fputs("<thead><tr><th scope=\"col\">figure</th><th scope=\"col\" class=\"number\">value"
                "</th><th scope=\"col\">meaning</th></tr></thead>\n<tbody>\n",
                page->to);
    for (size_t i = 0; i < AL_FIELD_TOTAL; i++) {
        const struct al_field_row *field = &al_fields[i];
        const char *path =
            text_of("%s%s%s.%s", al_field_outer(field), *al_field_outer(field) ? "." : "",
                    al_field_inner(field), field->key);
        int64_t number = json_read_integer(report, path);

        if (number != 0 && number != JSON_READ_NONE)
            (void)fprintf(page->to,
                          "<tr><th scope=\"row\"><code>%s</code></th><td class=\"number\">%s</td>"
                          "<td class=\"long\">%s</td></tr>\n",
                          path, page_number(unit_of(field), number),
                          page_text(al_field_help(field)));
    }
    (void)fputs("</tbody>\n", page->to);
    page_table_end(page);
    (void)fputs("</details>\n", page->to);
}

void page_processes(const struct page *page)
{
    bool any = false;
    size_t index;
    json_t *run;

    json_array_foreach(page->runs, index, run)
    {
        any |= json_array_size(json_object_get(run, "processes")) > 0;
    }
    if (!any)
        return;
    (void)fputs("<section aria-labelledby=\"processes\">\n<h2 id=\"processes\">Processes</h2>\n",
                page->to);
    json_array_foreach(page->runs, index, run)
    {
        const json_t *processes = json_object_get(run, "processes");
        size_t count = json_array_size(processes);

        if (page->count > 1)
            (void)fprintf(page->to, "<h3>%s</h3>\n", page_label(run));
        if (count > FEW)
            (void)fprintf(page->to, "<details><summary>A table of all %zu</summary>\n", count);
        if (count > 1)
            table(page, run, processes);
        if (count > FEW)
            (void)fputs("</details>\n", page->to);
        if (!count)
            (void)fputs("<p class=\"note\">None has left a report.</p>\n", page->to);
        if (count > FEW)
            (void)fprintf(page->to, "<details><summary>%s in full</summary>\n",
                          count > DETAILS_MAX ? text_of("The first %d", DETAILS_MAX) : "Each");
        for (size_t i = 0; i < count && i < DETAILS_MAX; i++)
            details(page, json_object_get(json_array_get(processes, i), "report"));
        if (count > FEW)
            (void)fputs("</details>\n", page->to);
    }
    (void)fputs("</section>\n", page->to);
}
