/*
 * The files that autolock report takes: JSON Lines as AUTOLOCK_STATS_FILE has them, live files, and
 * pages, which carry the data that they were made from. Nothing in them is trusted.
 */
#ifndef AL_REPORT_READ_H
#define AL_REPORT_READ_H

#include "report_list.h"

struct report_file {
    const char *name;
    bool is_page;
    json_t *runs; /* of a page (page.h); else NULL */
};

/*
 * Appends the reports of a file ("-": standard input) to `list`, and with them `number` as the
 * file's. Of a page these are only its runs' reports once more. False: something in it is wrong, or
 * all of it, complained of; what is right is in the list all the same.
 */
bool report_read(const char *name, size_t number, struct report_list *list,
                 struct report_file *ret_file);

#endif
