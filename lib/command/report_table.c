#include "report_table.h"

#include "columns.h"
#include "memory.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

enum sort { TEXT, NUMBER, COUNT, BYTES };

static const struct column {
    const char *name;
    const char *path; /* in a report */
    enum sort sort;
    int rank; /* where there is not room for all, those of the highest ranks go first */
} columns[] = {
    {"pid", "pid", NUMBER, 1},
    {"program", "program", TEXT, 0},
    {"mode", "mode", TEXT, 10},
    {"locked", "memory.locked_bytes", BYTES, 2},
    {"unlocked", "memory.unlocked_resident_bytes", BYTES, 4},
    {"resident", "memory.rss_bytes", BYTES, 5},
    {"swap", "memory.swap_bytes", BYTES, 8},
    {"majflt", "faults.major_after_lock", COUNT, 3},
    {"minflt", "faults.minor_after_lock", COUNT, 9},
    {"failures", "failures", COUNT, 6},
    {"downgrades", "downgrades", COUNT, 11},
    {"ended", "ended", TEXT, 7},
};

enum {
    COLUMNS = sizeof(columns) / sizeof(columns[0]),
    PROGRAM = 1,
    PROGRAM_MIN = 10, /* it is cut before other columns go */
    PROGRAM_NARROW_MIN = 4,
    NARROW = 40 /* there columns stand one blank apart, elsewhere two */
};

/* -- sorting ------------------------------------------------------------------------------------
 */

static const struct column *sort_column; /* NULL: by the beginning */

static int compare_numbers(int64_t a, int64_t b, bool largest_first)
{
    /* What is not known is less than any number. */
    if ((a == JSON_READ_NONE) != (b == JSON_READ_NONE))
        return a == JSON_READ_NONE ? 1 : -1;
    if (a == b)
        return 0;
    return (a < b) == largest_first ? 1 : -1;
}

static int compare(const void *a, const void *b)
{
    const struct report_entry *first = a;
    const struct report_entry *second = b;
    int order;

    if (!sort_column)
        order = compare_numbers(first->began_ns ? first->began_ns : JSON_READ_NONE,
                                second->began_ns ? second->began_ns : JSON_READ_NONE, false);
    else if (sort_column->sort == TEXT)
        order = strcmp(json_read_text(first->report, sort_column->path),
                       json_read_text(second->report, sort_column->path));
    else
        order = compare_numbers(report_number(first->report, sort_column->path),
                                report_number(second->report, sort_column->path),
                                sort_column->sort != NUMBER);
    if (order)
        return order;
    return (first->order > second->order) - (first->order < second->order);
}

bool report_table_sort(struct report_list *list, const char *key)
{
    sort_column = NULL;
    for (size_t i = 0; i < COLUMNS; i++)
        if (strcmp(key, columns[i].name) == 0)
            sort_column = &columns[i];
    if (!sort_column && strcmp(key, "start") != 0)
        return false;
    if (list->count)
        qsort(list->list, list->count, sizeof(*list->list), compare);
    return true;
}

const char *report_table_keys(void)
{
    const char *keys = "start";

    for (size_t i = 0; i < COLUMNS; i++)
        keys = text_of("%s, %s", keys, columns[i].name);
    return keys;
}

/* -- sums ---------------------------------------------------------------------------------------
 */

static int64_t sum_of(const struct report_list *list, const struct column *column)
{
    int64_t sum = JSON_READ_NONE;

    for (size_t i = 0; i < list->count; i++) {
        int64_t number = report_number(list->list[i].report, column->path);

        if (number >= 0 && __builtin_add_overflow(sum < 0 ? 0 : sum, number, &sum))
            return INT64_MAX;
    }
    return sum;
}

static bool has_sum(const struct column *column)
{
    return column->sort == COUNT || column->sort == BYTES;
}

json_t *report_table_totals(const struct report_list *list)
{
    json_t *totals = json_pack("{s:I}", "processes", (json_int_t)list->count);

    for (size_t i = 0; i < COLUMNS; i++)
        if (has_sum(&columns[i]))
            (void)json_object_set_new(totals, columns[i].name,
                                      json_integer(sum_of(list, &columns[i])));
    return totals;
}

/* -- printing -----------------------------------------------------------------------------------
 */

static const char *shown(enum sort sort, int64_t number)
{
    char bytes[64];
    struct al_text text = al_text_over(bytes, sizeof(bytes));

    if (number == JSON_READ_NONE)
        return "-";
    if (sort == BYTES)
        al_text_size(&text, (uint64_t)number);
    else if (sort == COUNT)
        al_text_count(&text, (uint64_t)number);
    else
        al_text_i64(&text, number);
    return text_of("%s", bytes);
}

static const char *cell(const struct report_list *list, size_t row, const struct column *column)
{
    if (row == 0)
        return column->name;
    if (row == list->count + 1)
        return has_sum(column)               ? shown(column->sort, sum_of(list, column))
               : column == &columns[PROGRAM] ? "total"
                                             : "";
    if (column->sort == TEXT)
        return columns_printable(json_read_text(list->list[row - 1].report, column->path));
    return shown(column->sort, report_number(list->list[row - 1].report, column->path));
}

static size_t sum_of_widths(const size_t widths[COLUMNS], size_t gap)
{
    size_t sum = 0;

    for (size_t i = 0; i < COLUMNS; i++)
        if (widths[i])
            sum += (sum ? gap : 0) + widths[i];
    return sum;
}

/* The program's name is cut first, then columns go, and in the end what is left is cut. */
static void fit(size_t widths[COLUMNS], size_t width, size_t gap)
{
    while (sum_of_widths(widths, gap) > width) {
        size_t over = sum_of_widths(widths, gap) - width;
        size_t least = width < NARROW ? PROGRAM_NARROW_MIN : PROGRAM_MIN;
        size_t last = COLUMNS;

        if (widths[PROGRAM] >= least + over) {
            widths[PROGRAM] -= over;
            return;
        }
        for (size_t i = 0; i < COLUMNS; i++)
            if (widths[i] && (last == COLUMNS || columns[i].rank > columns[last].rank))
                last = i;
        if (last == PROGRAM) {
            widths[PROGRAM] = width;
            return;
        }
        widths[last] = 0;
    }
}

void report_table_print(FILE *to, const struct report_list *list, size_t width)
{
    /* One process needs no sum. */
    size_t rows = list->count + (list->count > 1 ? 2 : 1);
    const char **cells = allocate(rows * COLUMNS * sizeof(*cells));
    size_t widths[COLUMNS] = {0};
    size_t gap = width && width < NARROW ? 1 : 2;

    for (size_t row = 0; row < rows; row++) {
        for (size_t i = 0; i < COLUMNS; i++) {
            const char *text = cell(list, row, &columns[i]);
            size_t wide = columns_of(text);

            cells[row * COLUMNS + i] = text;
            widths[i] = wide > widths[i] ? wide : widths[i];
        }
    }
    if (width)
        fit(widths, width, gap);
    for (size_t row = 0; row < rows; row++) {
        size_t blanks = 0;

        for (size_t i = 0; i < COLUMNS; i++) {
            const char *text = columns_cut(cells[row * COLUMNS + i], widths[i]);
            size_t pad = widths[i] - columns_of(text);

            if (!widths[i])
                continue;
            if (columns[i].sort != TEXT) {
                blanks += pad;
                pad = 0;
            }
            /* No blanks at the end of a line. */
            if (*text) {
                (void)fprintf(to, "%*s%s", (int)blanks, "", text);
                blanks = 0;
            }
            blanks += pad + gap;
        }
        (void)fputc('\n', to);
    }
}
