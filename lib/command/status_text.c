#include "status_call.h"

#include "downgrades.h"
#include "text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum paint { PLAIN, BOLD, WARNING, BAD };

static void paint(FILE *to, const struct status_view *view, enum paint paint)
{
    static const char *const codes[] = {"", "1", "33", "31"};

    if (view->colour)
        (void)fprintf(to, "\033[%sm", codes[paint]);
}

/* A name may hold anything, a terminal may do anything with it. */
static void print_safe(FILE *to, const char *string)
{
    static char bytes[4 * (4096 + 4)];
    struct al_text text = al_text_over(bytes, sizeof(bytes));

    al_text_printable(&text, string, 4096);
    (void)fputs(bytes, to);
}

struct cell {
    char text[32];
};

static struct cell sized(uint64_t bytes)
{
    struct cell cell;
    struct al_text text = al_text_over(cell.text, sizeof(cell.text));

    al_text_size(&text, bytes);
    return cell;
}

static struct cell counted(uint64_t count)
{
    struct cell cell;
    struct al_text text = al_text_over(cell.text, sizeof(cell.text));

    al_text_count(&text, count);
    return cell;
}

/* -- the head --------------------------------------------------------------------------------- */

static void label(FILE *to, const char *name)
{
    (void)fprintf(to, "  %-9s", name);
}

static const char *who_locks(const struct al_run *run)
{
    if (strcmp(run->backend, "kernel") == 0)
        return "locked by the kernel (mlockall)";
    if (strcmp(run->backend, "hooks") == 0)
        return "locked region by region";
    return "nothing is locked";
}

static void print_title(FILE *to, const struct status_process *process,
                        const struct status_view *view)
{
    static const char *const libraries[] = {
        [STATUS_WITHOUT] = "without the library",
        [STATUS_INERT] = "with the library, which is inert in it",
        [STATUS_UNREADABLE] = "with the library; its counters may not be read by this user",
        [STATUS_OTHER] = "with the library in another version, whose counters are not known here",
    };

    paint(to, view, process->ended ? BAD : BOLD);
    print_safe(to, process->name);
    (void)fprintf(to, "[%d]%s", (int)process->pid,
                  process->ended ? " has ended; it was seen last" : "");
    paint(to, view, PLAIN);
    if (process->library == STATUS_COUNTED) {
        const struct al_run *run = &process->reading->run;
        char bytes[80];
        struct al_text mode = al_text_over(bytes, sizeof(bytes));

        al_option_print(&mode, &al_options[AL_OPTION_ID_MODE], run->config);
        (void)fprintf(to, " with the library: mode %s, %s\n", bytes, who_locks(run));
    } else {
        (void)fprintf(to, " %s\n", libraries[process->library]);
    }
}

static void print_sums(FILE *to, const struct status_process *process,
                       const struct status_bytes *total)
{
    label(to, "locked");
    (void)fprintf(to, "%s as the kernel counts it (VmLck), ", sized(process->locked).text);
    if (process->limit == UINT64_MAX)
        (void)fputs("limit none\n", to);
    else
        (void)fprintf(to, "limit %s%s\n", sized(process->limit).text,
                      process->exempt ? ", which CAP_IPC_LOCK lifts" : "");
    label(to, "memory");
    (void)fprintf(to, "resident %s, of it not locked ", sized(process->resident).text);
    (void)fprintf(to, "%s; swapped ", sized(total->unlocked).text);
    (void)fprintf(to, "%s\n", sized(process->swapped).text);
}

/* The numbers of one object of the report that are not 0: "EPERM 1  ENOMEM 2". */
static void print_object(FILE *to, const char *name, const char *object, const uint64_t *field)
{
    const char *separator = "";

    label(to, name);
    for (size_t i = 0; i < AL_FIELD_TOTAL; i++) {
        if (*al_field_outer(&al_fields[i]) || strcmp(al_field_inner(&al_fields[i]), object) != 0 ||
            !field[i])
            continue;
        (void)fprintf(to, "%s%s %s", separator, al_fields[i].key, counted(field[i]).text);
        separator = "  ";
    }
    (void)fprintf(to, "%s\n", *separator ? "" : "nothing");
}

static void print_counters(FILE *to, const struct al_reading *reading)
{
    const uint64_t *field = reading->snapshot.field;

    label(to, "faults");
    (void)fprintf(to, "%s minor, ", counted(field[AL_FIELD_faults_minor_after_lock]).text);
    (void)fprintf(to, "%s major since the lock (in all ",
                  counted(field[AL_FIELD_faults_major_after_lock]).text);
    (void)fprintf(to, "%s minor, ", counted(field[AL_FIELD_faults_minor]).text);
    (void)fprintf(to, "%s major)\n", counted(field[AL_FIELD_faults_major]).text);
    print_object(to, "failed", "failures", field);
    print_object(to, "skipped", "skipped", field);
    for (size_t i = 0; i < AL_DOWNGRADES_MAX; i++) {
        const struct al_downgrade *entry = al_downgrade_at(reading->snapshot.head, i);

        if (!entry)
            continue;
        label(to, "less");
        print_safe(to, entry->reason);
        (void)fputc('\n', to);
    }
}

/* -- columns ---------------------------------------------------------------------------------- */

/* In the order in which they stand, with how wide the terminal has to be for each. */
enum column { ADDRESS, RIGHTS, KIND, SIZE, RESIDENT, LOCKED, UNLOCKED, SWAPPED, COLUMNS };

static const struct {
    const char *title;
    int width; /* to the left where it is negative */
    unsigned needs;
} columns[COLUMNS] = {
    [ADDRESS] = {"address", -26, 130}, [RIGHTS] = {"rights", -6, 104},
    [KIND] = {"kind", -6, 40},         [SIZE] = {"size", 10, 96},
    [RESIDENT] = {"resident", 10, 52}, [LOCKED] = {"locked", 10, 64},
    [UNLOCKED] = {"unlocked", 10, 0},  [SWAPPED] = {"swapped", 10, 76},
};

static void print_cell(FILE *to, const struct status_view *view, enum column column,
                       const char *text)
{
    if (view->width >= columns[column].needs)
        (void)fprintf(to, "  %*s", columns[column].width, text);
}

static void print_titles(FILE *to, const struct status_view *view, enum column first,
                         const char *last)
{
    paint(to, view, BOLD);
    for (enum column column = first; column < COLUMNS; column++)
        print_cell(to, view, column, columns[column].title);
    (void)fprintf(to, "  %s", last);
    paint(to, view, PLAIN);
    (void)fputc('\n', to);
}

static void print_bytes(FILE *to, const struct status_process *process,
                        const struct status_view *view, const struct status_bytes *bytes)
{
    bool warn = bytes->unlocked && process->locked;

    print_cell(to, view, SIZE, sized(bytes->size).text);
    print_cell(to, view, RESIDENT, sized(bytes->resident).text);
    print_cell(to, view, LOCKED, sized(bytes->locked).text);
    if (warn)
        paint(to, view, WARNING);
    print_cell(to, view, UNLOCKED, sized(bytes->unlocked).text);
    if (warn)
        paint(to, view, PLAIN);
    print_cell(to, view, SWAPPED, sized(bytes->swapped).text);
}

static void print_kind(FILE *to, const struct status_process *process,
                       const struct status_view *view, const char *name,
                       const struct status_bytes *bytes)
{
    (void)fprintf(to, "  %-6s", name);
    print_bytes(to, process, view, bytes);
    (void)fprintf(to, "  %s\n", counted(bytes->mappings).text);
}

static void print_kinds(FILE *to, const struct status_process *process,
                        const struct status_view *view, const struct status_table *table)
{
    struct status_view always = *view;

    /* Its name is what a sum has. */
    if (always.width < columns[KIND].needs)
        always.width = columns[KIND].needs;
    print_titles(to, &always, KIND, "mappings");
    for (unsigned kind = 0; kind < STATUS_KINDS; kind++)
        if (table->kind[kind].mappings)
            print_kind(to, process, &always, status_kind_names[kind], &table->kind[kind]);
    print_kind(to, process, &always, "total", &table->total);
}

/* Of a narrow terminal it would be the beginning of a path that is seen, which tells nothing. */
static const char *shown_name(const struct status_view *view, const char *name)
{
    const char *slash = strrchr(name, '/');

    return slash && *name == '/' && view->width < columns[ADDRESS].needs ? slash + 1 : name;
}

static void print_mapping(FILE *to, const struct status_process *process,
                          const struct status_view *view, const struct status_mapping *mapping)
{
    char address[48];

    (void)snprintf(address, sizeof(address), "%" PRIx64 "-%" PRIx64, mapping->start, mapping->end);
    print_cell(to, view, ADDRESS, address);
    print_cell(to, view, RIGHTS, *mapping->rights ? mapping->rights : "mixed");
    print_cell(to, view, KIND, status_kind_names[mapping->kind]);
    print_bytes(to, process, view, &mapping->bytes);
    (void)fputs("  ", to);
    print_safe(to, shown_name(view, mapping->name));
    if (mapping->bytes.mappings > 1)
        (void)fprintf(to, " (%zu)", mapping->bytes.mappings);
    (void)fputc('\n', to);
}

void status_print_text(FILE *to, const struct status_process *process,
                       const struct status_view *view)
{
    struct status_table table = status_table_of(process, view);

    print_title(to, process, view);
    print_sums(to, process, &table.total);
    if (process->library == STATUS_COUNTED)
        print_counters(to, process->reading);
    (void)fputc('\n', to);
    print_kinds(to, process, view, &table);
    if (!view->brief) {
        (void)fputc('\n', to);
        print_titles(to, view, ADDRESS, "name");
        for (size_t i = 0; i < table.rows; i++)
            print_mapping(to, process, view, &table.row[i]);
    }
    free(table.row);
}
