#include "page_html.h"

#include "markup.h"
#include "memory.h"
#include "text.h"

#include <string.h>

const json_t *page_process(const json_t *run)
{
    size_t index;
    json_t *process;

    json_array_foreach(json_object_get(run, "processes"), index, process)
    {
        if (json_is_true(json_object_get(process, "main")))
            return process;
    }
    return NULL;
}

const json_t *page_report(const json_t *run)
{
    return json_object_get(page_process(run), "report");
}

/* -- texts --------------------------------------------------------------------------------------
 */

const char *page_text(const char *text)
{
    char *escaped = NULL;
    size_t length;
    FILE *to = open_memstream(&escaped, &length);

    if (!to)
        return "";
    markup_put(to, text);
    return fclose(to) ? "" : escaped;
}

const char *page_label(const json_t *run)
{
    const char *label = json_read_text(run, "label");

    return page_text(*label ? label : "a run");
}

const char *page_number_text(enum page_unit unit, int64_t number)
{
    char bytes[64];
    struct al_text text = al_text_over(bytes, sizeof(bytes));

    if (unit == PAGE_LIMIT && number == -1)
        return "no limit";
    if (number < 0)
        return "–";
    if (unit == PAGE_COUNT)
        al_text_count(&text, (uint64_t)number);
    else if (unit == PAGE_NS)
        al_text_duration(&text, (uint64_t)number);
    else
        al_text_size(&text, (uint64_t)number);
    return text_of("%s", bytes);
}

const char *page_number(enum page_unit unit, int64_t number)
{
    const char *text = page_number_text(unit, number);

    if (number < 0)
        return text_of("<span class=\"none\">%s</span>", text);
    return text_of("<data value=\"%lld\">%s</data>", (long long)number, text);
}

/* -- tables -------------------------------------------------------------------------------------
 */

void page_table_begin(const struct page *page, const char *caption)
{
    const char *text = page_text(caption);

    (void)fprintf(page->to,
                  "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"%s\">\n"
                  "<table>\n<caption>%s</caption>\n",
                  text, text);
}

void page_table_end(const struct page *page)
{
    (void)fputs("</table>\n</div>\n", page->to);
}

void page_table_head_of_runs(const struct page *page, const char *first)
{
    size_t index;
    json_t *run;

    (void)fprintf(page->to, "<thead><tr><th scope=\"col\">%s</th>", page_text(first));
    json_array_foreach(page->runs, index, run)
    {
        (void)fprintf(page->to, "<th scope=\"col\" class=\"number\">%s</th>", page_label(run));
    }
    (void)fputs("</tr></thead>\n", page->to);
}
