#include "status_call.h"

#include "emit.h"
#include "memory.h"
#include "text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const library_names[] = {
    [STATUS_WITHOUT] = "none",        [STATUS_INERT] = "inert",
    [STATUS_COUNTED] = "counted",     [STATUS_UNREADABLE] = "unreadable",
    [STATUS_OTHER] = "other version",
};

static void member_text(struct al_text *text, const char *name, const char *value)
{
    al_text_json_key(text, name);
    al_text_json(text, value);
}

/* -1: there is none, or it is not known. */
static void member_number(struct al_text *text, const char *name, uint64_t number)
{
    al_text_json_key(text, name);
    al_text_i64(text, number > INT64_MAX ? -1 : (int64_t)number);
}

static void member_bool(struct al_text *text, const char *name, bool value)
{
    al_text_json_key(text, name);
    al_text_string(text, value ? "true" : "false");
}

/* More digits than the numbers of JSON readers have. */
static void member_address(struct al_text *text, const char *name, uint64_t address)
{
    char digits[24];

    (void)snprintf(digits, sizeof(digits), "%" PRIx64, address);
    member_text(text, name, digits);
}

static void add_bytes(struct al_text *text, const struct status_bytes *bytes)
{
    member_number(text, "mappings", bytes->mappings);
    member_number(text, "size_bytes", bytes->size);
    member_number(text, "resident_bytes", bytes->resident);
    member_number(text, "locked_bytes", bytes->locked);
    member_number(text, "unlocked_bytes", bytes->unlocked);
    member_number(text, "swap_bytes", bytes->swapped);
}

static void add_sum(struct al_text *text, const char *name, const struct status_bytes *bytes)
{
    al_text_json_key(text, name);
    al_text_char(text, '{');
    add_bytes(text, bytes);
    al_text_char(text, '}');
}

static void add_memory(struct al_text *text, const struct status_process *process)
{
    al_text_json_key(text, "memory");
    al_text_char(text, '{');
    member_number(text, "locked_bytes", process->locked);
    member_number(text, "rss_bytes", process->resident);
    member_number(text, "swap_bytes", process->swapped);
    member_number(text, "limit_bytes", process->limit);
    member_bool(text, "limit_holds", !process->exempt && process->limit != UINT64_MAX);
    al_text_char(text, '}');
}

static void add_kinds(struct al_text *text, const struct status_table *table)
{
    al_text_json_key(text, "by_kind");
    al_text_char(text, '{');
    for (unsigned kind = 0; kind < STATUS_KINDS; kind++)
        add_sum(text, status_kind_names[kind], &table->kind[kind]);
    al_text_char(text, '}');
}

/* The library's own report, which is a line by itself. */
static void add_report(struct al_text *text, const struct status_process *process)
{
    al_text_json_key(text, "report");
    if (process->library != STATUS_COUNTED) {
        al_text_string(text, "null");
        return;
    }
    al_emit_json(text, &process->reading->snapshot);
    text->at[--text->length] = '\0';
}

static void print_mapping(FILE *to, const struct status_mapping *mapping)
{
    /* Each byte of a name may be written as six. */
    static char bytes[6 * 65536 + 1024];
    struct al_text text = al_text_over(bytes, sizeof(bytes));

    al_text_char(&text, '{');
    member_address(&text, "start", mapping->start);
    member_address(&text, "end", mapping->end);
    member_text(&text, "rights", *mapping->rights ? mapping->rights : "mixed");
    member_text(&text, "kind", status_kind_names[mapping->kind]);
    member_text(&text, "name", mapping->name);
    add_bytes(&text, &mapping->bytes);
    al_text_char(&text, '}');
    (void)fwrite(bytes, 1, text.length, to);
}

void status_print_json(FILE *to, const struct status_process *process,
                       const struct status_view *view)
{
    static char bytes[AL_REPORT_BYTES + 8192];
    struct al_text text = al_text_over(bytes, sizeof(bytes));
    struct status_table table = status_table_of(process, view);

    al_text_char(&text, '{');
    member_text(&text, "schema", STATUS_SCHEMA);
    member_text(&text, "version", AL_VERSION);
    member_number(&text, "pid", (uint64_t)process->pid);
    member_text(&text, "name", process->name);
    member_bool(&text, "ended", process->ended);
    member_text(&text, "library", library_names[process->library]);
    add_memory(&text, process);
    add_sum(&text, "total", &table.total);
    add_kinds(&text, &table);
    add_report(&text, process);
    al_text_json_key(&text, "mappings");
    (void)fwrite(bytes, 1, text.length, to);
    (void)fputc('[', to);
    for (size_t i = 0; i < table.rows; i++) {
        if (i)
            (void)fputc(',', to);
        print_mapping(to, &table.row[i]);
    }
    (void)fputs("]}\n", to);
    free(table.row);
}
