/*
 * Charts: SVG that is stretched to the width there is, in a frame of HTML whose texts are not. What
 * a chart shows is said in words as well, for who does not see it.
 */
#ifndef AL_PAGE_CHART_H
#define AL_PAGE_CHART_H

#include "page_html.h"

/* What is drawn into; y grows downwards. */
enum { CHART_WIDTH = 1000, CHART_HEIGHT = 100 };

/* An axis from 0 on. */
struct chart_axis {
    double top;   /* where it ends: a multiple of the step, and no less than the largest value */
    double step;  /* from one line to the next */
    size_t steps; /* that fit */
};

/* Of counts and bytes, so that its lines are at round numbers. */
struct chart_axis chart_axis_of(enum page_unit unit, double largest);

/* Of time, in nanoseconds: it ends with the largest. */
struct chart_axis chart_axis_of_time(double largest);

struct chart_key {
    const char *name;
    const char *class; /* of its curve or bars; also what they are drawn with */
    bool bars;
};

struct chart {
    const char *title;       /* a text */
    const char *description; /* the same in words, a text */
    const struct chart_key *keys;
    size_t key_count; /* one needs none */
    enum page_unit unit;
    struct chart_axis x;
    struct chart_axis y;
    const char *const *x_names; /* instead of times, what stands where each slot begins, or NULL */
    size_t x_slots;
    bool low; /* less high than others */
};

/* Between these, elements of SVG. */
void chart_begin(FILE *to, const struct chart *chart);
void chart_end(FILE *to, const struct chart *chart);

double chart_x(const struct chart *chart, double value);
double chart_y(const struct chart *chart, double value);

#endif
