/*
 * What the parts of a page (page.h) are written with. A part writes a section of its own, or
 * nothing if there is nothing to be said; whatever is in the data, the HTML is whole.
 *
 *     page.c               the frame, and the data it carries
 *     page_style.c         how it looks
 *     page_verdict.c       what came out, in a line and in key figures
 *     page_timeline.c      memory and faults over time
 *     page_latency.c       how long locking took
 *     page_memory.c        memory by kind, what is not locked, and why
 *     page_faults.c        where faults came from
 *     page_processes.c     each process
 *     page_surroundings.c  options and environment
 *     page_chart.c         drawing
 */
#ifndef AL_PAGE_HTML_H
#define AL_PAGE_HTML_H

#include "page.h"

#include <stdio.h>

struct page {
    FILE *to;
    const json_t *runs; /* an array, at least one */
    size_t count;
};

void page_style(const struct page *page);
void page_verdict(const struct page *page);
void page_timeline(const struct page *page);
void page_latency(const struct page *page);
void page_memory(const struct page *page);
void page_faults(const struct page *page);
void page_processes(const struct page *page);
void page_surroundings(const struct page *page);

/* -- of the data --------------------------------------------------------------------------------
 */

/* The report that a run is about, or NULL: there is none. */
const json_t *page_report(const json_t *run);

/* The same with what was measured around it. */
const json_t *page_process(const json_t *run);

/* -- texts, fit to stand in HTML ----------------------------------------------------------------
 */

const char *page_text(const char *text);

/* What a run is called. */
const char *page_label(const json_t *run);

/* Numbers for people. Bytes and nanoseconds have an exact value besides; less than 0 is a dash. */
enum page_unit { PAGE_COUNT, PAGE_BYTES, PAGE_LIMIT /* bytes, -1: none */, PAGE_NS };
const char *page_number(enum page_unit unit, int64_t number);

/* Bare, for texts and labels. */
const char *page_number_text(enum page_unit unit, int64_t number);

/* -- tables -------------------------------------------------------------------------------------
 */

/* A table that scrolls by itself where it is too wide. `caption` and `name` are texts, not HTML. */
void page_table_begin(const struct page *page, const char *caption);
void page_table_end(const struct page *page);

/* The head of a table with a column for each run. Nothing but a label where there is only one. */
void page_table_head_of_runs(const struct page *page, const char *first);

#endif
