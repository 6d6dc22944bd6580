#include "page_html.h"

#include "memory.h"
#include "page_chart.h"

/* The columns of a sample. */
enum { WHEN, LOCKED, RESIDENT, SWAPPED, MINOR, MAJOR };

/* As many rows as somebody reads. */
enum { ROWS = 40 };

static const struct chart_key memory_keys[] = {
    {"locked", "locked", false}, {"resident", "resident", false}, {"swapped", "swapped", false}};

static const json_t *samples_of(const json_t *run)
{
    return json_read_at(run, "timeline.samples");
}

static double value_of(const json_t *samples, size_t index, size_t column)
{
    const json_t *value = json_array_get(json_array_get(samples, index), column);
    json_int_t number = json_integer_value(value);

    return number > 0 ? (double)number : 0;
}

static double time_of(const json_t *samples, size_t index)
{
    double when = value_of(samples, index, WHEN);

    return index && when < value_of(samples, index - 1, WHEN) ? value_of(samples, index - 1, WHEN)
                                                              : when;
}

/* How many since the sample before, a second. */
static double rate_of(const json_t *samples, size_t index, size_t column)
{
    double time = time_of(samples, index) - time_of(samples, index - 1);
    double count = value_of(samples, index, column) - value_of(samples, index - 1, column);

    return time > 0 && count > 0 ? 1e9 * count / time : 0;
}

/* -- what all runs have in common ---------------------------------------------------------------
 */

struct scales {
    double time;
    double memory;
    double minor;
    double major;
};

static double greater(double a, double b)
{
    return a > b ? a : b;
}

/* So that what is side by side can be compared. */
static struct scales scales_of(const struct page *page)
{
    struct scales scales = {0};
    size_t index;
    json_t *run;

    json_array_foreach(page->runs, index, run)
    {
        const json_t *samples = samples_of(run);

        for (size_t i = 0; i < json_array_size(samples); i++) {
            scales.time = greater(scales.time, time_of(samples, i));
            for (size_t column = LOCKED; column <= SWAPPED; column++)
                scales.memory = greater(scales.memory, value_of(samples, i, column));
            if (i) {
                scales.minor = greater(scales.minor, rate_of(samples, i, MINOR));
                scales.major = greater(scales.major, rate_of(samples, i, MAJOR));
            }
        }
    }
    return scales;
}

/* -- charts -------------------------------------------------------------------------------------
 */

static void draw_warmup(FILE *to, const struct chart *chart, const json_t *run)
{
    double warmup = (double)json_read_integer(run, "warmup_ns");

    if (warmup > 0 && warmup < chart->x.top)
        (void)fprintf(to,
                      "<path class=\"warmup\" d=\"M%.1f 0V%d\"><title>end of the warm-up"
                      "</title></path>\n",
                      chart_x(chart, warmup), CHART_HEIGHT);
}

static void draw_curve(FILE *to, const struct chart *chart, const json_t *samples, size_t column)
{
    (void)fprintf(to, "<path class=\"curve %s\" d=\"", memory_keys[column - LOCKED].class);
    for (size_t i = 0; i < json_array_size(samples); i++)
        (void)fprintf(to, "%s%.1f %.1f", i ? "L" : "M", chart_x(chart, time_of(samples, i)),
                      chart_y(chart, value_of(samples, i, column)));
    (void)fputs("\"/>\n", to);
}

static void draw_memory(const struct page *page, const json_t *run, const struct scales *scales)
{
    const json_t *samples = samples_of(run);
    double most[3] = {0};
    struct chart chart = {.title = "Memory",
                          .keys = memory_keys,
                          .key_count = 3,
                          .unit = PAGE_BYTES,
                          .x = chart_axis_of_time(scales->time),
                          .y = chart_axis_of(PAGE_BYTES, scales->memory)};

    for (size_t i = 0; i < json_array_size(samples); i++)
        for (size_t column = LOCKED; column <= SWAPPED; column++)
            most[column - LOCKED] = greater(most[column - LOCKED], value_of(samples, i, column));
    chart.description =
        text_of("At most %s were locked (address space, resident or not), %s resident, and %s "
                "swapped out.",
                page_number_text(PAGE_BYTES, (int64_t)most[0]),
                page_number_text(PAGE_BYTES, (int64_t)most[1]),
                page_number_text(PAGE_BYTES, (int64_t)most[2]));
    chart_begin(page->to, &chart);
    for (size_t column = SWAPPED; column >= LOCKED; column--)
        draw_curve(page->to, &chart, samples, column);
    draw_warmup(page->to, &chart, run);
    chart_end(page->to, &chart);
}

static void draw_faults(const struct page *page, const json_t *run, size_t column, double time,
                        double largest)
{
    const json_t *samples = samples_of(run);
    size_t count = json_array_size(samples);
    bool major = column == MAJOR;
    const char *all = page_number_text(PAGE_COUNT, (int64_t)value_of(samples, count - 1, column));
    struct chart chart = {
        .title = text_of("%s faults a second (%s in all)", major ? "Major" : "Minor", all),
        .description = text_of("%s faults in all, in an interval at most %s a "
                               "second in any run shown here.",
                               all, page_number_text(PAGE_COUNT, (int64_t)largest)),
        .unit = PAGE_COUNT,
        .x = chart_axis_of_time(time),
        .y = chart_axis_of(PAGE_COUNT, largest),
        .low = true};
    double last = 0;

    chart_begin(page->to, &chart);
    (void)fprintf(page->to, "<path class=\"bars %s\" d=\"M0 %d", major ? "major" : "minor",
                  CHART_HEIGHT);
    for (size_t i = 1; i < count; i++) {
        double rate = rate_of(samples, i, column);

        if (rate < last || rate > last)
            (void)fprintf(page->to, "H%.1fV%.1f", chart_x(&chart, time_of(samples, i - 1)),
                          chart_y(&chart, rate));
        last = rate;
    }
    (void)fprintf(page->to, "H%.1fV%dZ\"/>\n", chart_x(&chart, time_of(samples, count - 1)),
                  CHART_HEIGHT);
    draw_warmup(page->to, &chart, run);
    chart_end(page->to, &chart);
}

/* -- the same as a table ------------------------------------------------------------------------
 */

static void table(const struct page *page, const json_t *run)
{
    const json_t *samples = samples_of(run);
    size_t count = json_array_size(samples);
    size_t step = count > ROWS ? (count + ROWS - 1) / ROWS : 1;
    size_t before = 0;

    (void)fputs("<details><summary>Samples as a table</summary>\n", page->to);
    page_table_begin(
        page,
        step > 1 ? text_of("One of %zu of all %zu samples; faults since the row above", step, count)
                 : "All samples; faults since the row above");
    (void)fputs("<thead><tr><th scope=\"col\" class=\"number\">time</th><th scope=\"col\" "
                "class=\"number\">locked</th><th scope=\"col\" class=\"number\">resident</th><th "
                "scope=\"col\" class=\"number\">swapped</th><th scope=\"col\" class=\"number\">"
                "minor faults</th><th scope=\"col\" class=\"number\">major faults</th></tr>"
                "</thead>\n<tbody>\n",
                page->to);
    for (size_t i = 0; i < count; i = i + step < count || i + 1 == count ? i + step : count - 1) {
        (void)fprintf(page->to, "<tr><th scope=\"row\" class=\"number\">%.3f s</th>",
                      time_of(samples, i) / 1e9);
        for (size_t column = LOCKED; column <= SWAPPED; column++)
            (void)fprintf(page->to, "<td class=\"number\">%s</td>",
                          page_number(PAGE_BYTES, (int64_t)value_of(samples, i, column)));
        for (size_t column = MINOR; column <= MAJOR; column++) {
            double more =
                value_of(samples, i, column) - (i ? value_of(samples, before, column) : 0);

            (void)fprintf(page->to, "<td class=\"number\">%s</td>",
                          page_number(PAGE_COUNT, more > 0 ? (int64_t)more : 0));
        }
        (void)fputs("</tr>\n", page->to);
        before = i;
    }
    (void)fputs("</tbody>\n", page->to);
    page_table_end(page);
    (void)fputs("</details>\n", page->to);
}

void page_timeline(const struct page *page)
{
    struct scales scales = scales_of(page);
    size_t index;
    json_t *run;

    if (scales.time <= 0)
        return;
    (void)fputs("<section aria-labelledby=\"time\">\n<h2 id=\"time\">Over time</h2>\n<div "
                "class=\"runs\">\n",
                page->to);
    json_array_foreach(page->runs, index, run)
    {
        (void)fputs("<div>\n", page->to);
        if (page->count > 1)
            (void)fprintf(page->to, "<h3>%s</h3>\n", page_label(run));
        if (json_array_size(samples_of(run)) > 1) {
            draw_memory(page, run, &scales);
            draw_faults(page, run, MAJOR, scales.time, scales.major);
            draw_faults(page, run, MINOR, scales.time, scales.minor);
            table(page, run);
        } else {
            (void)fputs("<p class=\"note\">Nothing was sampled here.</p>\n", page->to);
        }
        (void)fputs("</div>\n", page->to);
    }
    (void)fprintf(page->to,
                  "</div>\n<p class=\"note\">Seen from outside, in the process that was started. "
                  "Locked is address space, whether resident or not, as the kernel counts it.%s"
                  "</p>\n</section>\n",
                  page->count > 1 ? " All columns have the same scales." : "");
}
