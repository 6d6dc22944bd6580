#include "run_faults.h"

#include "command.h"
#include "memory.h"
#include "replace.h"
#include "text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 10, CELL_BYTES = 400 };

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* -- a table ------------------------------------------------------------------------------------
 */

/* Names come from files that may hold anything, and a terminal may do anything with them. */
static char *printable(const char *string)
{
    char bytes[4 * (CELL_BYTES + 4)];
    struct al_text text = al_text_over(bytes, sizeof(bytes));

    al_text_printable(&text, string, CELL_BYTES);
    return text_of("%s", bytes);
}

static char *where(const struct run_fault_site *site)
{
    char *place;

    if (site->function && site->source)
        place = text_of("%s at %s:%d", site->function, base_of(site->source), site->line);
    else if (site->function)
        place = text_of("%s in %s", site->function, base_of(site->module));
    else if (site->module && site->module[0] == '/')
        place = text_of("%s+0x%" PRIx64, base_of(site->module), site->offset);
    else
        place = text_of("%s", !site->module   ? "unknown"
                              : *site->module ? site->module
                                              : "anonymous code");
    if (site->through)
        place = text_of("%s (in %s)", place, site->through);
    return printable(place);
}

static int wider(int width, const char *cell)
{
    int length = (int)strlen(cell);

    return length > width ? length : width;
}

static void print_rows(const struct run_fault_sites *sites, size_t rows)
{
    char *place[ROWS];
    char *mapping[ROWS];
    int place_width = (int)strlen("where");
    int mapping_width = (int)strlen("what");

    for (size_t i = 0; i < rows; i++) {
        const struct run_fault_site *site = &sites->list[i];

        place[i] = where(site);
        mapping[i] = printable(site->mapping ? site->mapping : "unknown");
        place_width = wider(place_width, place[i]);
        mapping_width = wider(mapping_width, mapping[i]);
    }
    (void)fprintf(stderr, "  %8s %8s  %-*s  %-*s  %s\n", "minor", "major", place_width, "where",
                  mapping_width, "what", "why");
    for (size_t i = 0; i < rows; i++)
        (void)fprintf(stderr, "  %8" PRIu64 " %8" PRIu64 "  %-*s  %-*s  %s\n", sites->list[i].minor,
                      sites->list[i].major, place_width, place[i], mapping_width, mapping[i],
                      faults_cause_text(sites->list[i].cause));
}

static const char *why_unseen(const struct run_fault_sites *sites)
{
    if (sites->lost)
        return "lost, or brought in by calls";
    return sites->sees_calls ? "shared memory and files that calls (of mmap, say) have brought in"
                             : "calls (of malloc, mmap or mlock) have brought pages in; where the "
                               "command is root, those of the program's own memory are sampled too";
}

static void print_rest(const struct run_fault_sites *sites, size_t rows)
{
    uint64_t faults = sites->other;

    for (size_t i = rows; i < sites->count; i++)
        faults += sites->list[i].minor + sites->list[i].major;
    if (faults)
        (void)fprintf(stderr, "  and %zu more places, with %" PRIu64 " faults\n",
                      sites->count - rows, faults);
    if (sites->lost)
        (void)fprintf(stderr, "  %" PRIu64 " samples were lost: there were too many at a time\n",
                      sites->lost);
    if (sites->unseen > 0)
        (void)fprintf(stderr, "  %" PRId64 " more are counted and were not sampled: %s\n",
                      sites->unseen, why_unseen(sites));
}

void run_faults_print(const struct run_fault_sites *sites)
{
    size_t rows = sites->count < ROWS ? sites->count : ROWS;

    if (sites->refused)
        return;
    complain("%s: %" PRIu64 " page faults since the %s: %" PRIu64 " minor, %" PRIu64 " major",
             sites->program, sites->minor + sites->major + sites->other, sites->since, sites->minor,
             sites->major);
    if (rows)
        print_rows(sites, rows);
    print_rest(sites, rows);
}

/* -- JSON ---------------------------------------------------------------------------------------
 */

static void write_text(FILE *to, const char *key, const char *value)
{
    char bytes[6 * 4096 + 16];
    struct al_text text = al_text_over(bytes, sizeof(bytes));

    if (value)
        al_text_json(&text, value);
    else
        al_text_string(&text, "null");
    (void)fprintf(to, ",\"%s\":%s", key, bytes);
}

static void write_site(FILE *to, const struct run_fault_site *site)
{
    (void)fprintf(to, "{\"minor\":%" PRIu64 ",\"major\":%" PRIu64, site->minor, site->major);
    write_text(to, "function", site->function);
    write_text(to, "source", site->source);
    if (site->source)
        (void)fprintf(to, ",\"line\":%d", site->line);
    else
        (void)fputs(",\"line\":null", to);
    write_text(to, "module", site->module && *site->module ? site->module : NULL);
    (void)fprintf(to, ",\"offset\":%" PRIu64, site->offset);
    write_text(to, "through", site->through);
    write_text(to, "mapping", site->mapping);
    write_text(to, "cause", faults_cause_key(site->cause));
    (void)fputc('}', to);
}

static void write_all(FILE *to, const struct run_fault_sites *sites)
{
    (void)fputs("{\"schema\":\"autolock-faults/1\"", to);
    write_text(to, "program", sites->program);
    write_text(to, "refused", sites->refused);
    write_text(to, "since", sites->since);
    (void)fprintf(to,
                  ",\"minor\":%" PRIu64 ",\"major\":%" PRIu64 ",\"brought_in\":%" PRIu64
                  ",\"other\":%" PRIu64 ",\"lost\":%" PRIu64,
                  sites->minor, sites->major, sites->brought, sites->other, sites->lost);
    if (sites->unseen >= 0)
        (void)fprintf(to, ",\"not_sampled\":%" PRId64, sites->unseen);
    else
        (void)fputs(",\"not_sampled\":null", to);
    (void)fputs(",\"sites\":[", to);
    for (size_t i = 0; i < sites->count; i++) {
        if (i)
            (void)fputc(',', to);
        write_site(to, &sites->list[i]);
    }
    (void)fputs("]}\n", to);
}

char *run_faults_json(const struct run_fault_sites *sites)
{
    char *bytes = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&bytes, &length);

    if (out)
        write_all(out, sites);
    return out && fclose(out) == 0 ? bytes : NULL;
}

bool run_faults_write(const struct run_fault_sites *sites, const char *path)
{
    char *bytes = run_faults_json(sites);
    int error = bytes ? al_replace(text_of("%s", path), bytes, strlen(bytes)) : -ENOMEM;

    free(bytes);
    if (error)
        complain("--faults %s: %s", path, strerror(-error));
    return !error;
}

bool run_faults_tell(const struct run_fault_sites *sites, const struct run_faults_options *options)
{
    run_faults_print(sites);
    return !options->file || run_faults_write(sites, options->file);
}
