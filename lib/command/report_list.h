/*
 * Reports of processes, from wherever they come (report_read.c): JSON Lines, live files, pages.
 */
#ifndef AL_REPORT_LIST_H
#define AL_REPORT_LIST_H

#include "json_read.h"
#include "reader.h"

struct report_entry {
    json_t *report;     /* the object of docs/report.md */
    json_t *histograms; /* how long calls took, by their names; NULL: not known */
    int64_t began_ns;   /* CLOCK_REALTIME; 0: not known */
    size_t file;        /* number of the file that it comes from */
    size_t order;       /* as they were read */
    bool live;          /* from a live file */
    bool dropped;       /* another one holds */
};

struct report_list {
    struct report_entry *list;
    size_t count;
    size_t room;
};

void report_list_add(struct report_list *list, const struct report_entry *entry);

/* Of a live file, or of a process. Its report is NULL if somebody has spoilt the numbers. */
struct report_entry report_of_reading(const struct al_reading *reading);

/* Why a value is no report, or NULL: it is one, of which nothing that is read has another type than
 * it should. */
const char *report_wrong(const json_t *value);

/*
 * Of reports of one process the later one holds: one of its end rather than one that was made while
 * it ran, else the one that was read later. Takes the others out, and keeps the order.
 */
void report_list_merge(struct report_list *list);

/* A number of a report, by its path in it; of "failures" the sum, of "downgrades" how many.
 * JSON_READ_NONE: it is not known. */
int64_t report_number(const json_t *report, const char *path);

#endif
