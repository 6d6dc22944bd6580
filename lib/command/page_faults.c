#include "page_html.h"

#include "memory.h"

#include <stdbool.h>
#include <string.h>

/*
 * The member "faults" of a run, where somebody asked where they come from: an object of the schema
 * autolock-faults/1, as `autolock run --faults` has it.
 */

/* As many places as somebody looks at. */
enum { ROWS_MAX = 40 };

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static const char *function_of(const json_t *site)
{
    const char *function = json_read_text(site, "function");
    const char *through = json_read_text(site, "through");

    if (!*function)
        function = "not known";
    return *through ? text_of("%s (in %s)", function, through) : function;
}

static const char *place_of(const json_t *site)
{
    const char *source = json_read_text(site, "source");
    const char *module = json_read_text(site, "module");

    if (*source)
        return text_of("%s:%lld", base_of(source), (long long)json_read_integer(site, "line"));
    if (*module && json_read_integer(site, "offset") >= 0)
        return text_of("%s+0x%llx", base_of(module),
                       (unsigned long long)json_read_integer(site, "offset"));
    return base_of(module);
}

/* The key of a cause, in words: "not_locked". */
static const char *words_of(const char *key)
{
    char *words = text_of("%s", key);

    for (char *at = words; *at; at++)
        if (*at == '_' || *at == '-')
            *at = ' ';
    return words;
}

static void table(const struct page *page, const json_t *list)
{
    size_t count = json_array_size(list);

    page_table_begin(page, count > ROWS_MAX ? text_of("The worst %d of %zu places", ROWS_MAX, count)
                                            : "All places, the worst first");
    (void)fputs("<thead><tr><th scope=\"col\" class=\"number\">major</th><th scope=\"col\" "
                "class=\"number\">minor</th><th scope=\"col\">function</th><th scope=\"col\">place"
                "</th><th scope=\"col\">memory</th><th scope=\"col\">cause</th></tr></thead>\n"
                "<tbody>\n",
                page->to);
    for (size_t i = 0; i < count && i < ROWS_MAX; i++) {
        const json_t *site = json_array_get(list, i);
        const char *const texts[] = {function_of(site), place_of(site),
                                     json_read_text(site, "mapping"),
                                     words_of(json_read_text(site, "cause"))};

        (void)fprintf(page->to, "<tr><td class=\"number\">%s</td><td class=\"number\">%s</td>",
                      page_number(PAGE_COUNT, json_read_integer(site, "major")),
                      page_number(PAGE_COUNT, json_read_integer(site, "minor")));
        for (size_t j = 0; j < sizeof(texts) / sizeof(texts[0]); j++)
            (void)fprintf(page->to, "<td class=\"long\">%s</td>", page_text(texts[j]));
        (void)fputs("</tr>\n", page->to);
    }
    (void)fputs("</tbody>\n", page->to);
    page_table_end(page);
}

static void note(const struct page *page, int64_t count, const char *what)
{
    if (count > 0)
        (void)fprintf(page->to, "<p class=\"note\">%s %s.</p>\n", page_number(PAGE_COUNT, count),
                      what);
}

static void faults_of(const struct page *page, const json_t *faults)
{
    const char *refused = json_read_text(faults, "refused");
    const json_t *sites = json_object_get(faults, "sites");

    if (!json_is_object(faults)) {
        (void)fputs("<p class=\"note\">Nobody looked here.</p>\n", page->to);
        return;
    }
    if (*refused) {
        (void)fprintf(page->to, "<p>They could not be sampled: %s</p>\n", page_text(refused));
        return;
    }
    (void)fprintf(page->to, "<p>Since the %s: %s major faults, and %s minor ones.</p>\n",
                  page_text(json_read_text(faults, "since")),
                  page_number(PAGE_COUNT, json_read_integer(faults, "major")),
                  page_number(PAGE_COUNT, json_read_integer(faults, "minor")));
    if (json_array_size(sites))
        table(page, sites);
    note(page, json_read_integer(faults, "other"), "faults more, of places that were not kept");
    note(page, json_read_integer(faults, "lost"), "samples were lost");
    note(page, json_read_integer(faults, "not_sampled"), "faults are counted and were not sampled");
}

void page_faults(const struct page *page)
{
    bool any = false;
    size_t index;
    json_t *run;

    json_array_foreach(page->runs, index, run)
    {
        any |= json_is_object(json_object_get(run, "faults"));
    }
    if (!any)
        return;
    (void)fputs("<section aria-labelledby=\"faults\">\n<h2 id=\"faults\">Where faults came from"
                "</h2>\n",
                page->to);
    json_array_foreach(page->runs, index, run)
    {
        if (page->count > 1)
            (void)fprintf(page->to, "<h3>%s</h3>\n", page_label(run));
        faults_of(page, json_object_get(run, "faults"));
    }
    (void)fputs("</section>\n", page->to);
}
