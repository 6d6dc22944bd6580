#include "page_html.h"

#include "memory.h"
#include "report_list.h"

#include <stdbool.h>
#include <string.h>

static const struct {
    const char *name;
    const char *means;
} kinds[] = {
    {"heap", "heap"},     {"anon", "anonymous"}, {"file", "files"},
    {"shared", "shared"}, {"stack", "stacks"},   {"image", "image"},
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* -- by kind ------------------------------------------------------------------------------------
 */

static void cells(const struct page *page, const json_t *object, const char *const *keys,
                  size_t count, int64_t *sums)
{
    for (size_t i = 0; i < count; i++) {
        int64_t number = json_read_integer(object, keys[i]);

        if (number > 0)
            sums[i] += number;
        (void)fprintf(
            page->to, "<td class=\"number\">%s</td>",
            page_number(strcmp(keys[i], "regions") == 0 ? PAGE_COUNT : PAGE_BYTES, number));
    }
}

/* A row for each kind that there is, and their sum. */
static void table(const struct page *page, const char *caption, const json_t *object,
                  const char *const *keys, const char *const *titles, size_t count)
{
    int64_t sums[8] = {0};

    page_table_begin(page, caption);
    (void)fputs("<thead><tr><th scope=\"col\">kind</th>", page->to);
    for (size_t i = 0; i < count; i++)
        (void)fprintf(page->to, "<th scope=\"col\" class=\"number\">%s</th>", titles[i]);
    (void)fputs("</tr></thead>\n<tbody>\n", page->to);
    for (size_t i = 0; i < KINDS; i++) {
        const json_t *kind = json_object_get(object, kinds[i].name);

        if (!kind)
            continue;
        (void)fprintf(page->to, "<tr><th scope=\"row\">%s</th>", kinds[i].means);
        cells(page, kind, keys, count, sums);
        (void)fputs("</tr>\n", page->to);
    }
    (void)fputs("</tbody>\n<tfoot><tr><th scope=\"row\">all</th>", page->to);
    for (size_t i = 0; i < count; i++)
        (void)fprintf(
            page->to, "<td class=\"number\">%s</td>",
            page_number(strcmp(keys[i], "regions") == 0 ? PAGE_COUNT : PAGE_BYTES, sums[i]));
    (void)fputs("</tr></tfoot>\n", page->to);
    page_table_end(page);
}

/* The kernel's word, while it ran. */
static void seen(const struct page *page, const json_t *mappings)
{
    static const char *const keys[] = {"resident_bytes", "locked_bytes", "unlocked_bytes",
                                       "swap_bytes"};
    static const char *const titles[] = {"resident", "locked", "not locked", "swapped"};
    const char *when = page_number_text(PAGE_NS, json_read_integer(mappings, "when_ns"));

    if (!json_is_object(json_object_get(mappings, "kinds")))
        return;
    table(page, text_of("In memory by kind, %s after the start", when),
          json_object_get(mappings, "kinds"), keys, titles, 4);
}

/* What the hooks know, in the end. */
static void tracked(const struct page *page, const json_t *report)
{
    static const char *const keys[] = {"requested_bytes", "locked_bytes", "regions"};
    static const char *const titles[] = {"asked for", "locked", "regions"};

    if (strcmp(json_read_text(report, "backend"), "hooks") == 0)
        table(page, "Locked region by region, in the end", json_object_get(report, "by_kind"), keys,
              titles, 3);
}

/* -- what is not locked -------------------------------------------------------------------------
 */

static void unlocked(const struct page *page, const json_t *mappings)
{
    const json_t *list = json_object_get(mappings, "unlocked");
    size_t index;
    json_t *mapping;

    if (!json_array_size(list))
        return;
    page_table_begin(page, "Most of what was resident and not locked then");
    (void)fputs("<thead><tr><th scope=\"col\">mapping</th><th scope=\"col\">kind</th><th "
                "scope=\"col\" class=\"number\">not locked</th></tr></thead>\n<tbody>\n",
                page->to);
    json_array_foreach(list, index, mapping)
    {
        (void)fprintf(page->to,
                      "<tr><th scope=\"row\" class=\"long\">%s</th><td class=\"text\">%s</td><td "
                      "class=\"number\">%s</td></tr>\n",
                      page_text(json_read_text(mapping, "name")),
                      page_text(json_read_text(mapping, "kind")),
                      page_number(PAGE_BYTES, json_read_integer(mapping, "resident_bytes")));
    }
    (void)fputs("</tbody>\n", page->to);
    page_table_end(page);
}

static bool has_word(const json_t *list, const char *word)
{
    size_t index;
    json_t *item;

    json_array_foreach(list, index, item)
    {
        const char *text = json_string_value(item);

        if (text && strcmp(text, word) == 0)
            return true;
    }
    return false;
}

static void reason(const struct page *page, const char *text)
{
    (void)fprintf(page->to, "<li>%s</li>\n", page_text(text));
}

/* What was asked for leaves some of it out. */
static void by_wish(const struct page *page, const json_t *report)
{
    const json_t *flags = json_object_get(report, "flags");
    const json_t *asked = json_object_get(report, "kinds");
    const char *others = "";

    if (strcmp(json_read_text(report, "mode"), "observe") == 0)
        reason(page, "In mode observe nothing is locked.");
    if (json_is_array(flags) && !has_word(flags, "current"))
        reason(page, "Without the flag current, what is there at the start is not locked.");
    if (json_is_array(flags) && !has_word(flags, "future"))
        reason(page, "Without the flag future, what appears after the start is not locked.");
    if (has_word(flags, "onfault"))
        reason(page, "With the flag onfault, pages are locked when they are first touched.");
    if (strcmp(json_read_text(report, "mode"), "alloc") != 0 || !json_is_array(asked))
        return;
    for (size_t i = 0; i < KINDS; i++)
        if (!has_word(asked, kinds[i].name))
            others = text_of("%s%s%s", others, *others ? ", " : "", kinds[i].name);
    if (*others)
        reason(page, text_of("In mode alloc these kinds were not asked for: %s.", others));
}

static void by_counters(const struct page *page, const json_t *report)
{
    static const struct {
        const char *path;
        const char *means;
    } rows[] = {
        {"skipped.size", "Regions left out, outside the sizes asked for"},
        {"skipped.kind", "Regions left out, of a kind not asked for, or that cannot be locked"},
        {"skipped.budget", "Regions left out, past the budget"},
        {"skipped.inaccessible", "Regions left out, reserved but not accessible"},
        {"failures.EPERM", "Calls refused with EPERM, for want of the right to lock"},
        {"failures.ENOMEM", "Calls refused with ENOMEM, past the limit or for want of memory"},
        {"failures.EAGAIN", "Calls refused with EAGAIN, not all could be brought in"},
        {"failures.ENOSYS", "Calls refused with ENOSYS, the kernel has them not"},
        {"failures.EINVAL", "Calls refused with EINVAL"},
        {"failures.other", "Calls refused otherwise"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t number = json_read_integer(report, rows[i].path);

        if (number > 0)
            reason(page, text_of("%s: %s.", rows[i].means, page_number_text(PAGE_COUNT, number)));
    }
}

static void by_downgrades(const struct page *page, const json_t *report)
{
    size_t index;
    json_t *downgrade;

    json_array_foreach(json_object_get(report, "downgrades"), index, downgrade)
    {
        reason(page, text_of("After %s: %s",
                             page_number_text(PAGE_NS, json_read_integer(downgrade, "when_ns")),
                             json_read_text(downgrade, "reason")));
    }
}

static void reasons(const struct page *page, const json_t *run)
{
    const json_t *report = page_report(run);

    (void)fputs("<p>Why something is not locked:</p>\n<ul>\n", page->to);
    if (!report) {
        reason(page, strcmp(json_read_text(run, "mode"), "off") == 0
                         ? "The library was off."
                         : "The library did not count here.");
    } else {
        by_wish(page, report);
        by_counters(page, report);
        by_downgrades(page, report);
        if (json_read_integer(report, "memory.unlocked_resident_bytes") == 0 &&
            json_read_integer(report, "memory.locked_bytes") > 0)
            reason(page, "In the end there was nothing that was not locked.");
        else if (strcmp(json_read_text(report, "backend"), "hooks") == 0)
            reason(page, "Where memory is locked region by region under a memlock limit, the "
                         "main stack stays unlocked, as it has to grow.");
    }
    (void)fputs("</ul>\n", page->to);
}

void page_memory(const struct page *page)
{
    size_t index;
    json_t *run;

    (void)fputs("<section aria-labelledby=\"memory\">\n<h2 id=\"memory\">What was locked</h2>\n"
                "<div class=\"runs\">\n",
                page->to);
    json_array_foreach(page->runs, index, run)
    {
        (void)fputs("<div>\n", page->to);
        if (page->count > 1)
            (void)fprintf(page->to, "<h3>%s</h3>\n", page_label(run));
        seen(page, json_object_get(run, "mappings"));
        tracked(page, page_report(run));
        unlocked(page, json_object_get(run, "mappings"));
        reasons(page, run);
        (void)fputs("</div>\n", page->to);
    }
    (void)fputs("</div>\n</section>\n", page->to);
}
