/*
 * The documents as text of a page: as much of Markdown as they use. Headings below `##` become
 * subsections; tables become lists; links, their text.
 */
#ifndef AL_MARKDOWN_H
#define AL_MARKDOWN_H

#include <stdbool.h>
#include <stdio.h>

struct markdown_part {
    const char *start;
    const char *end;
};

/* A document's part between one heading of the second level and the next; the first part is what is
 * before the first of them. `heading` is empty then, else without its signs. */
struct markdown_section {
    struct markdown_part heading;
    struct markdown_part body;
    const char *next; /* where the next section begins; NULL: this was the last */
};

struct markdown_section markdown_section_at(const char *document);

bool markdown_is(struct markdown_part part, const char *text);

/*
 * Prints a section's body. `subjects`: subsections and tables that the page has from elsewhere, by
 * their heading or their first column's; a NULL ends them.
 */
void markdown_put(FILE *out, struct markdown_part body, const char *const *subjects);

/* Code, links and emphasis in a line of text. */
void markdown_put_text(FILE *out, struct markdown_part text);

#endif
