/*
 * The page: one or several runs as one HTML file that needs nothing else, no network and no script.
 *
 * It is made from one JSON value, which it carries with it, so that pages can be put together
 * later. Whoever makes that value has it like this; what is missing or of another type is not
 * known, and not shown:
 *
 *     {schema: PAGE_SCHEMA, version, runs: [{
 *         label                     what the run is called
 *         command program mode      of the process that was started
 *         began_ns duration_ns
 *         ended                     "status 0", "signal 15"
 *         expectations: [{text, measured, holds}]
 *         warmup_ns                 faults are expected from then on; -1: from the mark on
 *         kernel {minor major peak_rss_bytes user_ns system_ns}   as wait4(2) has them
 *         peak {locked_bytes swap_bytes}                          the most that was seen
 *         timeline {interval_ns, samples: [[when_ns, locked, resident, swapped, minor, major]]}
 *         mappings {when_ns, kinds: {heap {resident_bytes locked_bytes unlocked_bytes swap_bytes}},
 *                   unlocked: [{name, kind, resident_bytes}]}
 *         faults                    an object of the schema autolock-faults/1
 *         options: [[name, value, given]]
 *         environment: [[name, value]]
 *         processes: [{report, began_ns, histograms, main}]       reports of docs/report.md
 *     }]}
 */
#ifndef AL_PAGE_H
#define AL_PAGE_H

#include "json_read.h"

#define PAGE_SCHEMA     "autolock-page/1"

/* Between these the data stands in the page; no "<" is in it. */
#define PAGE_DATA_BEGIN "<script type=\"application/json\" id=\"autolock-data\">"
#define PAGE_DATA_END   "</script>"

/* Why a value is not the data of a page, or NULL. */
const char *page_wrong(const json_t *page);

/* A page without runs. */
json_t *page_new(void);

/* Writes the file as a whole. `option`: what named it, for complaints. False: complained of. */
bool page_write(const json_t *page, const char *option, const char *path);

#endif
