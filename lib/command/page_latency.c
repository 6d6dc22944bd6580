#include "page_html.h"

#include "memory.h"
#include "page_chart.h"

#include <stdbool.h>

static const struct timed {
    const char *name; /* of its histogram, and of its object in "syscalls" */
    const char *title;
    const char *chart;
} timed[] = {
    {"mlockall", "mlockall", "Calls of mlockall by duration"},
    {"mlock2", "mlock2", "Calls of mlock2 by duration"},
    {"munlock", "munlock", "Calls of munlock by duration"},
    {"madvise", "madvise", "Calls of madvise by duration"},
    {"msync", "msync", "Calls of msync by duration"},
    {"hooks", "waiting", "How long the program waited for locks, by duration"},
};

enum { TIMED = sizeof(timed) / sizeof(timed[0]), CALLS_MIN = 10 };

/* -- numbers ------------------------------------------------------------------------------------
 */

static int64_t number_of(const json_t *report, const struct timed *what, const char *key)
{
    if (what == &timed[TIMED - 1])
        return json_read_integer(report, text_of("hooks.%s", key));
    return json_read_integer(report, text_of("syscalls.%s.%s", what->name, key));
}

static int64_t count_of(const json_t *report, const struct timed *what)
{
    return number_of(report, what, what == &timed[TIMED - 1] ? "slow_count" : "count");
}

static int64_t time_of(const json_t *report, const struct timed *what)
{
    return number_of(report, what, what == &timed[TIMED - 1] ? "slow_time_ns" : "time_ns");
}

static bool has_calls(const json_t *report)
{
    for (size_t i = 0; i < TIMED; i++)
        if (count_of(report, &timed[i]) > 0)
            return true;
    return false;
}

static void table(const struct page *page, const json_t *report)
{
    static const char *const times[] = {"p50_ns", "p99_ns", "p999_ns", "max_ns"};

    page_table_begin(page, "By call");
    (void)fputs("<thead><tr><th scope=\"col\">call</th><th scope=\"col\" class=\"number\">count"
                "</th><th scope=\"col\" class=\"number\">in all</th><th scope=\"col\" "
                "class=\"number\">median</th><th scope=\"col\" class=\"number\">99 %</th><th "
                "scope=\"col\" class=\"number\">99.9 %</th><th scope=\"col\" class=\"number\">"
                "longest</th></tr></thead>\n<tbody>\n",
                page->to);
    for (size_t i = 0; i < TIMED; i++) {
        if (count_of(report, &timed[i]) <= 0)
            continue;
        (void)fprintf(page->to,
                      "<tr><th scope=\"row\">%s</th><td class=\"number\">%s</td><td "
                      "class=\"number\">%s</td>",
                      timed[i].title, page_number(PAGE_COUNT, count_of(report, &timed[i])),
                      page_number(PAGE_NS, time_of(report, &timed[i])));
        for (size_t j = 0; j < sizeof(times) / sizeof(times[0]); j++)
            (void)fprintf(page->to, "<td class=\"number\">%s</td>",
                          page_number(PAGE_NS, number_of(report, &timed[i], times[j])));
        (void)fputs("</tr>\n", page->to);
    }
    (void)fputs("</tbody>\n", page->to);
    page_table_end(page);
}

/* -- as a histogram -----------------------------------------------------------------------------
 */

/* Slots begin at 1, 2 and 5 times each power of ten of nanoseconds. */
enum { SLOTS = 33 };

static double slot_begin(size_t slot)
{
    static const double parts[] = {1, 2, 5};
    double begin = parts[slot % 3];

    for (size_t i = 0; i < slot / 3; i++)
        begin *= 10;
    return begin;
}

static size_t slot_of(double ns)
{
    size_t slot = 0;

    while (slot + 1 < SLOTS && ns >= slot_begin(slot + 1))
        slot++;
    return slot;
}

struct slots {
    double count[SLOTS];
    double sum;
    double largest;
    size_t first; /* with anything in it */
    size_t last;
};

static struct slots slots_of(const json_t *buckets)
{
    struct slots slots = {.first = SLOTS};
    size_t index;
    json_t *bucket;

    json_array_foreach(buckets, index, bucket)
    {
        double least = (double)json_integer_value(json_array_get(bucket, 0));
        double count = (double)json_integer_value(json_array_get(bucket, 2));
        size_t slot = slot_of(least);

        if (count <= 0)
            continue;
        slots.count[slot] += count;
        slots.sum += count;
        if (slots.count[slot] > slots.largest)
            slots.largest = slots.count[slot];
        if (slot < slots.first)
            slots.first = slot;
        if (slot > slots.last)
            slots.last = slot;
    }
    return slots;
}

static const char *slot_text(size_t slot)
{
    static const char *const units[] = {"ns", "µs", "ms", "s"};
    double begin = slot_begin(slot);
    size_t unit = 0;

    while (begin >= 1000 && unit < 3) {
        begin /= 1000;
        unit++;
    }
    return text_of("%g %s", begin, units[unit]);
}

static const char *in_words(const struct slots *slots)
{
    const char *words = text_of("%.0f calls:", slots->sum);

    for (size_t i = slots->first; i <= slots->last; i++)
        if (slots->count[i] > 0)
            words = text_of("%s from %s on %.0f;", words, slot_text(i), slots->count[i]);
    return words;
}

static void chart(const struct page *page, const struct timed *what, const struct slots *slots)
{
    const char *names[SLOTS + 1] = {NULL};
    size_t count = slots->last - slots->first + 1;
    struct chart chart = {.title = what->chart,
                          .description = in_words(slots),
                          .unit = PAGE_COUNT,
                          .x = {.top = (double)count, .step = 1},
                          .y = chart_axis_of(PAGE_COUNT, slots->largest),
                          .x_names = names,
                          .x_slots = count,
                          .low = true};

    /* As many names as there is room for on a phone. */
    for (size_t i = 0; i <= count; i++)
        if (i % (count / 6 + 1) == 0)
            names[i] = slot_text(slots->first + i);
    chart_begin(page->to, &chart);
    for (size_t i = 0; i < count; i++) {
        double number = slots->count[slots->first + i];
        double top = chart_y(&chart, number);

        if (number <= 0)
            continue;
        /* One call is seen, too. */
        top = top > CHART_HEIGHT - 1 ? CHART_HEIGHT - 1 : top;
        (void)fprintf(page->to,
                      "<rect class=\"bars count\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                      "height=\"%.1f\"><title>%s to %s: %.0f</title></rect>\n",
                      chart_x(&chart, (double)i + 0.06), top, chart_x(&chart, 0.88),
                      CHART_HEIGHT - top, slot_text(slots->first + i),
                      slot_text(slots->first + i + 1), number);
    }
    chart_end(page->to, &chart);
}

static void charts(const struct page *page, const json_t *run)
{
    const json_t *histograms = json_object_get(page_process(run), "histograms");

    for (size_t i = 0; i < TIMED; i++) {
        struct slots slots = slots_of(json_object_get(histograms, timed[i].name));

        if (slots.sum >= CALLS_MIN)
            chart(page, &timed[i], &slots);
    }
}

void page_latency(const struct page *page)
{
    bool any = false;
    size_t index;
    json_t *run;

    json_array_foreach(page->runs, index, run)
    {
        any |= has_calls(page_report(run));
    }
    if (!any)
        return;
    (void)fputs("<section aria-labelledby=\"latency\">\n<h2 id=\"latency\">How long locking took"
                "</h2>\n<div class=\"runs\">\n",
                page->to);
    json_array_foreach(page->runs, index, run)
    {
        (void)fputs("<div>\n", page->to);
        if (page->count > 1)
            (void)fprintf(page->to, "<h3>%s</h3>\n", page_label(run));
        if (has_calls(page_report(run))) {
            charts(page, run);
            table(page, page_report(run));
        } else {
            (void)fputs("<p class=\"note\">The library made no such calls.</p>\n", page->to);
        }
        (void)fputs("</div>\n", page->to);
    }
    (void)fputs("</div>\n</section>\n", page->to);
}
