#include "status_call.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>

const char *const status_order_names[STATUS_ORDERS] = {"address", "size", "resident", "locked",
                                                       "unlocked"};

static void add(struct status_bytes *sum, const struct status_bytes *bytes)
{
    sum->mappings += bytes->mappings;
    sum->size += bytes->size;
    sum->resident += bytes->resident;
    sum->locked += bytes->locked;
    sum->unlocked += bytes->unlocked;
    sum->swapped += bytes->swapped;
}

/* -- neighbours of one name ------------------------------------------------------------------- */

/* Names of ours say what sort of memory it is: two that do not touch are not the same thing. */
static bool is_sort(const char *name)
{
    return strcmp(name, "[anon]") == 0 || strcmp(name, "[reserved]") == 0;
}

static bool belongs(const struct status_mapping *row, const struct status_mapping *next)
{
    return row->kind == next->kind && strcmp(row->name, next->name) == 0 &&
           (row->end == next->start || !is_sort(row->name));
}

static void join(struct status_mapping *row, const struct status_mapping *next)
{
    row->end = next->end;
    if (strcmp(row->rights, next->rights) != 0)
        row->rights[0] = '\0';
    add(&row->bytes, &next->bytes);
}

/* -- the order -------------------------------------------------------------------------------- */

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* The most first, and those that are alike as they lie in memory. */
#define COMPARISON(key)                                                                            \
    static int by_##key(const void *first, const void *second)                                     \
    {                                                                                              \
        const struct status_mapping *a = first;                                                    \
        const struct status_mapping *b = second;                                                   \
        int order = compare(b->bytes.key, a->bytes.key);                                           \
                                                                                                   \
        return order ? order : compare(a->start, b->start);                                        \
    }
COMPARISON(size)
COMPARISON(resident)
COMPARISON(locked)
COMPARISON(unlocked)
#undef COMPARISON

static void sort(struct status_table *table, enum status_order order)
{
    static int (*const comparisons[STATUS_ORDERS])(const void *, const void *) = {
        NULL, by_size, by_resident, by_locked, by_unlocked};

    if (comparisons[order] && table->rows)
        qsort(table->row, table->rows, sizeof(*table->row), comparisons[order]);
}

struct status_table status_table_of(const struct status_process *process,
                                    const struct status_view *view)
{
    struct status_table table = {.row = allocate((process->count + 1) * sizeof(*table.row))};

    for (size_t i = 0; i < process->count; i++) {
        const struct status_mapping *mapping = &process->mapping[i];

        add(&table.total, &mapping->bytes);
        add(&table.kind[mapping->kind], &mapping->bytes);
        if (!view->all && table.rows && belongs(&table.row[table.rows - 1], mapping))
            join(&table.row[table.rows - 1], mapping);
        else
            table.row[table.rows++] = *mapping;
    }
    sort(&table, view->order);
    return table;
}
