#include "page_chart.h"

#include "memory.h"

#include <string.h>

/* -- axes ---------------------------------------------------------------------------------------
 */

enum { LINES_MAX = 4 };

/* Bytes at powers of two, counts at 1, 2 and 5 times a power of ten. */
struct chart_axis chart_axis_of(enum page_unit unit, double largest)
{
    static const double parts[] = {2, 2.5, 2};
    struct chart_axis axis = {.step = unit == PAGE_COUNT ? 1 : 4096};

    for (size_t i = 0; axis.step * LINES_MAX < largest; i++)
        axis.step *= unit == PAGE_COUNT ? parts[i % 3] : 2;
    do {
        axis.steps++;
        axis.top = axis.step * (double)axis.steps;
    } while (axis.top < largest);
    return axis;
}

struct chart_axis chart_axis_of_time(double largest)
{
    static const double steps[] = {1,      2,      5,       10,      20,     50,     100,
                                   200,    500,    1e3,     2e3,     5e3,    10e3,   20e3,
                                   30e3,   60e3,   120e3,   300e3,   600e3,  1200e3, 1800e3,
                                   3600e3, 7200e3, 14400e3, 43200e3, 86400e3};
    struct chart_axis axis = {.top = largest < 1e6 ? 1e6 : largest};

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        axis.step = steps[i] * 1e6;
        axis.steps = (size_t)(axis.top / axis.step);
        if (axis.steps <= LINES_MAX + 1)
            return axis;
    }
    axis.step = axis.top;
    axis.steps = 1;
    return axis;
}

double chart_x(const struct chart *chart, double value)
{
    return CHART_WIDTH * value / chart->x.top;
}

double chart_y(const struct chart *chart, double value)
{
    return CHART_HEIGHT - CHART_HEIGHT * value / chart->y.top;
}

/* -- texts --------------------------------------------------------------------------------------
 */

/* "231.0 MiB" is on an axis 231 MiB. */
static const char *round_number(enum page_unit unit, double value)
{
    const char *text = page_number_text(unit, (int64_t)value);
    const char *zero = strstr(text, ".0 ");

    return zero ? text_of("%.*s%s", (int)(zero - text), text, zero + 2) : text;
}

static const char *time_text(double ns, double step)
{
    double s = ns / 1e9;

    if (step < 1e9 && ns < 1e9)
        return text_of("%.0f ms", ns / 1e6);
    if (step < 60e9 && s < 120)
        return text_of("%g s", s);
    if (s < 7200)
        return text_of("%d:%02d min", (int)s / 60, (int)s % 60);
    return text_of("%d:%02d h", (int)s / 3600, (int)s / 60 % 60);
}

static void y_labels(FILE *to, const struct chart *chart)
{
    (void)fputs("<div class=\"y\" aria-hidden=\"true\">", to);
    for (size_t i = 0; i <= chart->y.steps; i++) {
        double value = chart->y.step * (double)i;

        (void)fprintf(to, "<span style=\"bottom:%.4g%%\">%s</span>", 100 * value / chart->y.top,
                      i ? round_number(chart->unit, value) : "0");
    }
    (void)fputs("</div>\n", to);
}

static void x_label(FILE *to, double part, const char *text)
{
    /* What would stand at the very end is kept within. */
    (void)fprintf(to, "<span%s style=\"left:%.4g%%\">%s</span>",
                  part > 0.94 ? " class=\"last\"" : "", 100 * part, text);
}

static void x_labels(FILE *to, const struct chart *chart)
{
    (void)fputs("<div class=\"x\" aria-hidden=\"true\">", to);
    for (size_t i = 0; chart->x_names && i <= chart->x_slots; i++)
        if (chart->x_names[i])
            x_label(to, (double)i / (double)chart->x_slots, chart->x_names[i]);
    for (size_t i = 0; !chart->x_names && i <= chart->x.steps; i++) {
        double value = chart->x.step * (double)i;

        x_label(to, value / chart->x.top, i ? time_text(value, chart->x.step) : "0");
    }
    (void)fputs("</div>\n", to);
}

static void keys(FILE *to, const struct chart *chart)
{
    for (size_t i = 0; chart->key_count > 1 && i < chart->key_count; i++)
        (void)fprintf(to,
                      "<span class=\"key\"><svg viewBox=\"0 0 24 10\" aria-hidden=\"true\"><path "
                      "class=\"curve %s\" d=\"M0 5H24\"/></svg>%s</span>\n",
                      chart->keys[i].class, page_text(chart->keys[i].name));
}

/* -- the frame ----------------------------------------------------------------------------------
 */

void chart_begin(FILE *to, const struct chart *chart)
{
    static unsigned number;

    number++;
    (void)fprintf(to, "<figure>\n<figcaption><span>%s</span>\n", page_text(chart->title));
    keys(to, chart);
    (void)fprintf(to, "</figcaption>\n<div class=\"plot%s\">\n", chart->low ? " low" : "");
    y_labels(to, chart);
    (void)fprintf(to,
                  "<svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" role=\"img\" "
                  "aria-labelledby=\"chart%u chart%ud\">\n<title id=\"chart%u\">%s</title>\n<desc "
                  "id=\"chart%ud\">%s</desc>\n",
                  CHART_WIDTH, CHART_HEIGHT, number, number, number, page_text(chart->title),
                  number, page_text(chart->description));
    (void)fputs("<path class=\"grid\" d=\"", to);
    for (size_t i = 0; i <= chart->y.steps; i++)
        (void)fprintf(to, "M0 %.1fH%d", chart_y(chart, chart->y.step * (double)i), CHART_WIDTH);
    (void)fputs("\"/>\n", to);
}

void chart_end(FILE *to, const struct chart *chart)
{
    (void)fputs("</svg>\n", to);
    x_labels(to, chart);
    (void)fputs("</div>\n</figure>\n", to);
}
