#include "page.h"

#include "command.h"
#include "memory.h"
#include "page_html.h"
#include "replace.h"
#include "report_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *page_wrong(const json_t *page)
{
    const json_t *runs = json_object_get(page, "runs");
    size_t index;
    json_t *run;

    if (strcmp(json_read_text(page, "schema"), PAGE_SCHEMA) != 0)
        return "the data in it has not the schema " PAGE_SCHEMA;
    if (!json_array_size(runs))
        return "there are no runs in its data";
    json_array_foreach(runs, index, run)
    {
        size_t at;
        json_t *process;

        if (!json_is_object(run))
            return "a run in its data is no object";
        json_array_foreach(json_object_get(run, "processes"), at, process)
        {
            const char *why = report_wrong(json_object_get(process, "report"));

            if (why)
                return text_of("of a report in its data: %s", why);
        }
    }
    return NULL;
}

json_t *page_new(void)
{
    return json_pack("{s:s,s:s,s:[]}", "schema", PAGE_SCHEMA, "version", AL_VERSION, "runs");
}

/* -- writing ------------------------------------------------------------------------------------
 */

/* What ends the element that it is in has a "<", which JSON can write in another way. */
static bool write_data(FILE *to, const json_t *document)
{
    char *text = json_dumps(document, JSON_COMPACT | JSON_ENSURE_ASCII);

    if (!text)
        return false;
    (void)fputs(PAGE_DATA_BEGIN, to);
    for (const char *at = text; *at; at++) {
        if (*at == '<')
            (void)fputs("\\u003c", to);
        else
            (void)fputc(*at, to);
    }
    (void)fputs(PAGE_DATA_END "\n", to);
    free(text);
    return true;
}

static const char *title_of(const struct page *page)
{
    const json_t *first = json_array_get(page->runs, 0);
    const char *program = json_read_text(first, "program");

    if (page->count == 1)
        return *program ? program : json_read_text(first, "label");
    for (size_t i = 1; i < page->count; i++)
        if (strcmp(program, json_read_text(json_array_get(page->runs, i), "program")) != 0)
            return text_of("%zu runs", page->count);
    return text_of("%s: %zu runs", program, page->count);
}

static bool write_page(FILE *to, const json_t *document)
{
    const struct page page = {.to = to,
                              .runs = json_object_get(document, "runs"),
                              .count = json_array_size(json_object_get(document, "runs"))};
    const char *title = page_text(title_of(&page));

    (void)fprintf(
        to,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n"
        "<meta name=\"generator\" content=\"autolock " AL_VERSION "\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
        "'unsafe-inline'; img-src data:\">\n"
        "<link rel=\"icon\" href=\"data:,\">\n<title>%s – autolock</title>\n",
        title);
    page_style(&page);
    (void)fprintf(to,
                  "</head>\n<body>\n<main>\n<header>\n<p class=\"over\">Memory locking report</p>\n"
                  "<h1>%s</h1>\n</header>\n",
                  title);
    page_verdict(&page);
    page_timeline(&page);
    page_memory(&page);
    page_faults(&page);
    page_latency(&page);
    page_processes(&page);
    page_surroundings(&page);
    (void)fputs("</main>\n<footer><p>Made by autolock " AL_VERSION
                ". All data is in this file; <code>autolock report --html</code> puts several "
                "together.</p></footer>\n",
                to);
    if (!write_data(to, document))
        return false;
    (void)fputs("</body>\n</html>\n", to);
    return true;
}

bool page_write(const json_t *document, const char *option, const char *path)
{
    char *bytes = NULL;
    size_t length = 0;
    FILE *to = open_memstream(&bytes, &length);
    int error = to && write_page(to, document) ? 0 : -ENOMEM;

    if (to && fclose(to))
        error = -ENOMEM;
    if (!error)
        error = al_replace(text_of("%s", path), bytes, length);
    free(bytes);
    if (error)
        complain("%s %s: %s", option, path, strerror(-error));
    return !error;
}
