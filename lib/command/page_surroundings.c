#include "page_html.h"

#include "memory.h"

#include <stdbool.h>
#include <string.h>

/* An option of a report as its variable has it. */
static const char *value_text(const json_t *value)
{
    const char *words = "";
    size_t index;
    json_t *item;

    if (json_is_string(value))
        return json_string_value(value);
    if (json_is_integer(value))
        return json_integer_value(value) == -1
                   ? "none"
                   : text_of("%lld", (long long)json_integer_value(value));
    json_array_foreach(value, index, item)
    {
        words = text_of("%s%s%s", words, *words ? "," : "", json_read_text(item, ""));
    }
    return words;
}

/* A list of pairs, either as it was taken or from the report. */
static json_t *options_of(const json_t *run)
{
    const json_t *taken = json_object_get(run, "options");
    json_t *list = json_array();
    const char *key;
    json_t *value;

    if (json_is_array(taken))
        return json_copy((json_t *)taken);
    json_object_foreach(json_object_get(page_report(run), "config"), key, value)
    {
        (void)json_array_append_new(list, json_pack("[s,s]", key, value_text(value)));
    }
    return list;
}

static const char *text_at(const json_t *row, size_t column)
{
    const char *text = json_string_value(json_array_get(row, column));

    return text ? text : "";
}

/* The row of that name in a list of pairs. */
static const json_t *find(const json_t *list, const char *name)
{
    size_t index;
    json_t *row;

    json_array_foreach(list, index, row)
    {
        if (strcmp(text_at(row, 0), name) == 0)
            return row;
    }
    return NULL;
}

/* A table of lists of pairs, one for each run: the rows of the first, then what others have more.
 */
static void table(const struct page *page, const char *caption, const char *first, json_t **lists)
{
    page_table_begin(page, caption);
    (void)fprintf(page->to, "<thead><tr><th scope=\"col\">%s</th>", first);
    for (size_t i = 0; i < page->count; i++)
        (void)fprintf(page->to, "<th scope=\"col\">%s</th>",
                      page_label(json_array_get(page->runs, i)));
    (void)fputs("</tr></thead>\n<tbody>\n", page->to);
    for (size_t i = 0; i < page->count; i++) {
        size_t index;
        json_t *row;

        json_array_foreach(lists[i], index, row)
        {
            const char *name = text_at(row, 0);
            bool shown = false;

            for (size_t j = 0; j < i; j++)
                shown |= find(lists[j], name) != NULL;
            if (shown || find(lists[i], name) != row)
                continue;
            (void)fprintf(page->to, "<tr><th scope=\"row\">%s</th>", page_text(name));
            for (size_t j = 0; j < page->count; j++) {
                const json_t *found = find(lists[j], name);
                bool given = json_is_true(json_array_get(found, 2));

                (void)fprintf(page->to, "<td class=\"long\">%s%s%s</td>", given ? "<b>" : "",
                              found ? page_text(text_at(found, 1)) : "–", given ? "</b>" : "");
            }
            (void)fputs("</tr>\n", page->to);
        }
    }
    (void)fputs("</tbody>\n", page->to);
    page_table_end(page);
}

static bool has_any(json_t **lists, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (json_array_size(lists[i]))
            return true;
    return false;
}

static void commands(const struct page *page)
{
    size_t index;
    json_t *run;

    json_array_foreach(page->runs, index, run)
    {
        const char *command = json_read_text(run, "command");

        if (!*command)
            continue;
        (void)fputs("<p class=\"command\">", page->to);
        if (page->count > 1)
            (void)fprintf(page->to, "%s: ", page_label(run));
        (void)fprintf(page->to, "<code>%s</code></p>\n", page_text(command));
    }
}

void page_surroundings(const struct page *page)
{
    json_t **options = allocate(page->count * sizeof(json_t *));
    json_t **environments = allocate(page->count * sizeof(json_t *));

    for (size_t i = 0; i < page->count; i++) {
        const json_t *run = json_array_get(page->runs, i);

        options[i] = options_of(run);
        environments[i] = json_object_get(run, "environment");
    }
    (void)fputs("<section aria-labelledby=\"place\">\n<h2 id=\"place\">How it was run</h2>\n",
                page->to);
    commands(page);
    if (has_any(options, page->count))
        table(page, "Options in force; those in bold were set", "option", options);
    if (has_any(environments, page->count))
        table(page, "Environment", "what", environments);
    (void)fputs("</section>\n", page->to);
}
