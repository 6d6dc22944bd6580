#include "markdown.h"

#include "manual.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>

/* -- parts --------------------------------------------------------------------------------------
 */

static struct markdown_part line_at(const char *at, const char *end)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at));

    return (struct markdown_part){at, newline ? newline : end};
}

static const char *behind(struct markdown_part line, const char *end)
{
    return line.end < end ? line.end + 1 : end;
}

static bool begins(struct markdown_part part, const char *text)
{
    size_t length = strlen(text);

    return (size_t)(part.end - part.start) >= length && strncmp(part.start, text, length) == 0;
}

bool markdown_is(struct markdown_part part, const char *text)
{
    return begins(part, text) && (size_t)(part.end - part.start) == strlen(text);
}

static bool is_among(struct markdown_part part, const char *const *list)
{
    for (; *list; list++)
        if (markdown_is(part, *list))
            return true;
    return false;
}

static struct markdown_part without_blanks(struct markdown_part part)
{
    while (part.start < part.end && *part.start == ' ')
        part.start++;
    while (part.start < part.end && part.end[-1] == ' ')
        part.end--;
    return part;
}

/* -- sections -----------------------------------------------------------------------------------
 */

struct markdown_section markdown_section_at(const char *document)
{
    const char *end = document + strlen(document);
    struct markdown_part line = line_at(document, end);
    struct markdown_section section = {.heading = {document, document}};
    const char *at = document;
    bool code = false;

    if (begins(line, "## ")) {
        section.heading = (struct markdown_part){line.start + 3, line.end};
        at = behind(line, end);
    }
    section.body.start = at;
    for (; at < end; at = behind(line, end)) {
        line = line_at(at, end);
        code ^= begins(line, "```");
        if (!code && begins(line, "## "))
            break;
    }
    section.body.end = at;
    section.next = at < end ? at : NULL;
    return section;
}

/* -- text ---------------------------------------------------------------------------------------
 */

static void put_part(FILE *out, const char *start, const char *end)
{
    manual_put_plain(out, text_of("%.*s", (int)(end - start), start));
}

/* Up to `sign`, not beyond the end. */
static const char *find(const char *at, const char *end, char sign)
{
    const char *found = at < end ? memchr(at, sign, (size_t)(end - at)) : NULL;

    return found ? found : end;
}

static void put_bold(FILE *out, const char *start, const char *end)
{
    (void)fputs("\\fB", out);
    put_part(out, start, end);
    (void)fputs("\\fR", out);
}

static const char *put_link(FILE *out, const char *at, const char *end)
{
    const char *close = find(at, end, ']');

    if (close + 1 >= end || close[1] != '(') {
        put_part(out, at, at + 1);
        return at + 1;
    }
    markdown_put_text(out, (struct markdown_part){at + 1, close});
    return find(close, end, ')') + 1;
}

void markdown_put_text(FILE *out, struct markdown_part text)
{
    const char *at = text.start;

    while (at < text.end) {
        const char *plain = at;

        if (*at == '`') {
            const char *close = find(at + 1, text.end, '`');

            put_bold(out, at + 1, close);
            at = close + 1;
        } else if (strncmp(at, "**", 2) == 0) {
            at += 2;
            while (at < text.end && strncmp(at, "**", 2) != 0)
                at++;
            put_bold(out, plain + 2, at);
            at += 2;
        } else if (*at == '[') {
            at = put_link(out, at, text.end);
        } else {
            while (at < text.end && !strchr("`[", *at) && strncmp(at, "**", 2) != 0)
                at++;
            put_part(out, plain, at);
        }
    }
}

/* -- blocks -------------------------------------------------------------------------------------
 */

struct page {
    FILE *out;
    const char *end;
    const char *const *subjects;
    bool fresh; /* a heading has just been put, after which no paragraph begins */
};

static void begin_paragraph(struct page *page)
{
    if (!page->fresh)
        (void)fputs(".PP\n", page->out);
    page->fresh = false;
}

static void put_heading(struct page *page, struct markdown_part line)
{
    struct markdown_part heading = line;

    while (*heading.start == '#')
        heading.start++;
    (void)fputs(heading.start - line.start > 3 ? ".PP\n\\fB" : ".SS \"", page->out);
    put_part(page->out, heading.start + 1, heading.end);
    (void)fputs(heading.start - line.start > 3 ? "\\fR\n" : "\"\n", page->out);
    page->fresh = heading.start - line.start <= 3;
}

/* Behind a subsection that is not wanted. */
static const char *skip_subsection(const struct page *page, const char *at)
{
    struct markdown_part line = line_at(at, page->end);

    do {
        at = behind(line, page->end);
        line = line_at(at, page->end);
    } while (at < page->end && !begins(line, "### "));
    return at;
}

static const char *put_code(struct page *page, const char *at)
{
    struct markdown_part line = line_at(at, page->end);

    begin_paragraph(page);
    (void)fputs(".RS 4\n.nf\n", page->out);
    while (at = behind(line, page->end), line = line_at(at, page->end),
           at < page->end && !begins(line, "```"))
        manual_put_line(page->out, text_of("%.*s", (int)(line.end - line.start), line.start));
    (void)fputs(".fi\n.RE\n", page->out);
    return behind(line, page->end);
}

/* The row's next cell, between two bars; none is left: false. */
static bool next_cell(struct markdown_part *row, struct markdown_part *ret_cell)
{
    const char *close;

    if (row->start >= row->end)
        return false;
    close = row->start + 1;
    while (close < row->end && (*close != '|' || close[-1] == '\\'))
        close++;
    *ret_cell = without_blanks((struct markdown_part){row->start + 1, close});
    row->start = close;
    return close < row->end;
}

static void put_row(struct page *page, struct markdown_part row, struct markdown_part head)
{
    struct markdown_part cell;
    struct markdown_part title;
    bool pair = false;

    for (size_t i = 0; next_cell(&row, &cell) && next_cell(&head, &title); i++) {
        if (cell.start == cell.end)
            continue;
        (void)fputs(i == 0 ? ".TP\n" : pair ? "; " : "", page->out);
        pair = i > 0;
        if (i > 1) {
            markdown_put_text(page->out, title);
            (void)fputs(": ", page->out);
        }
        markdown_put_text(page->out, cell);
        if (i == 0)
            (void)fputc('\n', page->out);
    }
    (void)fputc('\n', page->out);
}

static const char *put_table(struct page *page, const char *at)
{
    struct markdown_part head = line_at(at, page->end);
    struct markdown_part title_row = head;
    struct markdown_part title;
    struct markdown_part row;
    bool wanted = next_cell(&title_row, &title) && !is_among(title, page->subjects);

    for (at = behind(head, page->end);; at = behind(row, page->end)) {
        row = line_at(at, page->end);
        if (at >= page->end || !begins(row, "|"))
            break;
        if (wanted && !begins(row, "| ---"))
            put_row(page, row, head);
    }
    page->fresh &= !wanted;
    return at;
}

static bool is_text(struct markdown_part line)
{
    return line.start < line.end && !begins(line, "#") && !begins(line, "```") &&
           !begins(line, "|") && !begins(line, "- ") && !begins(line, "<!--");
}

/* Lines that belong together, as one. */
static const char *put_paragraph(struct page *page, const char *at)
{
    struct markdown_part line = line_at(at, page->end);
    char *text = text_of("%.*s", (int)(line.end - line.start), line.start);

    while (at = behind(line, page->end), line = line_at(at, page->end),
           at < page->end && is_text(line)) {
        line = without_blanks(line);
        text = text_of("%s %.*s", text, (int)(line.end - line.start), line.start);
        line = line_at(at, page->end);
    }
    (void)fputs("\\&", page->out);
    markdown_put_text(page->out, (struct markdown_part){text, text + strlen(text)});
    (void)fputc('\n', page->out);
    return at;
}

static const char *put_block(struct page *page, const char *at)
{
    struct markdown_part line = line_at(at, page->end);

    if (line.start == line.end || begins(line, "<!--"))
        return behind(line, page->end);
    if (begins(line, "### ") &&
        is_among((struct markdown_part){line.start + 4, line.end}, page->subjects))
        return skip_subsection(page, at);
    if (begins(line, "# "))
        return behind(line, page->end);
    if (begins(line, "#")) {
        put_heading(page, line);
        return behind(line, page->end);
    }
    if (begins(line, "```"))
        return put_code(page, at);
    if (begins(line, "|"))
        return put_table(page, at);
    if (begins(line, "- ")) {
        (void)fputs(".IP \\(bu 3\n", page->out);
        page->fresh = false;
        return put_paragraph(page, at + 2);
    }
    begin_paragraph(page);
    return put_paragraph(page, at);
}

void markdown_put(FILE *out, struct markdown_part body, const char *const *subjects)
{
    struct page page = {out, body.end, subjects, true};

    for (const char *at = body.start; at < body.end;)
        at = put_block(&page, at);
}
