#include "report_list.h"

#include "emit.h"
#include "fields.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>

void report_list_add(struct report_list *list, const struct report_entry *entry)
{
    if (list->count == list->room) {
        size_t room = list->room ? 2 * list->room : 16;
        struct report_entry *more = allocate(room * sizeof(*more));

        if (list->count)
            memcpy(more, list->list, list->count * sizeof(*more));
        free(list->list);
        list->list = more;
        list->room = room;
    }
    list->list[list->count] = *entry;
    list->list[list->count].order = list->count;
    list->count++;
}

/* -- from a live file ---------------------------------------------------------------------------
 */

static const char *const timed_names[AL_TIMED_TOTAL] = {
    [AL_TIMED_mlock2] = "mlock2",     [AL_TIMED_munlock] = "munlock",
    [AL_TIMED_mlockall] = "mlockall", [AL_TIMED_madvise] = "madvise",
    [AL_TIMED_msync] = "msync",       [AL_TIMED_hooks] = "hooks",
};

/* The shortest and the longest of a bucket, and how many, of those that are not empty. */
static json_t *buckets_of(const struct al_histogram *histogram)
{
    json_t *buckets = json_array();

    for (size_t i = 0; i < AL_HISTOGRAM_BUCKETS; i++) {
        uint64_t most = al_histogram_most(i);

        if (!histogram->bucket[i])
            continue;
        if (most > histogram->max)
            most = histogram->max;
        (void)json_array_append_new(buckets,
                                    json_pack("[I,I,I]", (json_int_t)al_histogram_least(i),
                                              (json_int_t)most, (json_int_t)histogram->bucket[i]));
    }
    return buckets;
}

struct report_entry report_of_reading(const struct al_reading *reading)
{
    static char bytes[AL_REPORT_BYTES];
    struct al_text text = al_text_over(bytes, sizeof(bytes));
    struct report_entry entry = {.live = true,
                                 .began_ns = (int64_t)reading->live.head.began_real_ns};

    al_emit_json(&text, &reading->snapshot);
    entry.report = json_loads(bytes, 0, NULL);
    entry.histograms = json_object();
    for (size_t i = 0; i < AL_TIMED_TOTAL; i++)
        (void)json_object_set_new(entry.histograms, timed_names[i],
                                  buckets_of(&reading->live.histogram[i]));
    return entry;
}

/* -- what a report has to be --------------------------------------------------------------------
 */

static const char *wrong_field(const json_t *value, const struct al_field_row *row)
{
    const json_t *object =
        *al_field_outer(row) ? json_object_get(value, al_field_outer(row)) : value;
    const json_t *fields = json_object_get(object, al_field_inner(row));
    const json_t *field = json_object_get(fields, row->key);

    if ((object && !json_is_object(object)) || (fields && !json_is_object(fields)))
        return text_of("its \"%s\" is no object",
                       *al_field_outer(row) ? al_field_outer(row) : al_field_inner(row));
    if (field && (!json_is_integer(field) || json_integer_value(field) < -1))
        return text_of("its \"%s.%s\" is no number of a report", al_field_inner(row), row->key);
    return NULL;
}

const char *report_wrong(const json_t *value)
{
    static const char *const texts[] = {"program", "command", "mode", "backend", "ended"};
    const char *schema = json_read_text(value, "schema");
    int64_t pid = json_read_integer(value, "pid");

    if (!json_is_object(value))
        return "it is no object";
    if (strncmp(schema, "autolock/", strlen("autolock/")) == 0 && strcmp(schema, AL_SCHEMA) != 0)
        return "it has another schema than " AL_SCHEMA;
    if (strcmp(schema, AL_SCHEMA) != 0)
        return "it has not the schema " AL_SCHEMA;
    if (pid <= 0 || pid > INT32_MAX)
        return "its \"pid\" is no process";
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (!json_is_string(json_object_get(value, texts[i])))
            return text_of("its \"%s\" is no text", texts[i]);
    for (size_t i = 0; i < AL_FIELD_TOTAL; i++) {
        const char *wrong = wrong_field(value, &al_fields[i]);

        if (wrong)
            return wrong;
    }
    return NULL;
}

int64_t report_number(const json_t *report, const char *path)
{
    const json_t *value = json_read_at(report, path);
    const char *key;
    json_t *member;
    int64_t sum = 0;

    if (json_is_array(value))
        return (int64_t)json_array_size(value);
    if (!json_is_object(value))
        return json_is_integer(value) ? json_integer_value(value) : JSON_READ_NONE;
    json_object_foreach((json_t *)value, key, member)
    {
        sum += json_integer_value(member);
    }
    return sum;
}

/* -- the same process twice ---------------------------------------------------------------------
 */

static bool has_ended(const struct report_entry *entry)
{
    const char *ended = json_read_text(entry->report, "ended");

    return strcmp(ended, "running") != 0 && strcmp(ended, "killed") != 0;
}

static bool is_same(const struct report_entry *a, const struct report_entry *b)
{
    if (json_read_integer(a->report, "pid") != json_read_integer(b->report, "pid") ||
        strcmp(json_read_text(a->report, "program"), json_read_text(b->report, "program")) != 0 ||
        strcmp(json_read_text(a->report, "command"), json_read_text(b->report, "command")) != 0)
        return false;
    return !a->began_ns || !b->began_ns || a->began_ns == b->began_ns;
}

/* `later` was read after `earlier`; what one of them knows more than the other is kept. */
static void keep_one(struct report_entry *earlier, struct report_entry *later)
{
    struct report_entry *kept = has_ended(earlier) && !has_ended(later) ? earlier : later;
    struct report_entry *dropped = kept == later ? earlier : later;

    dropped->dropped = true;
    if (!kept->began_ns)
        kept->began_ns = dropped->began_ns;
    if (!kept->histograms)
        kept->histograms = dropped->histograms;
}

/* To be sorted by pid, while the list keeps its order. */
struct of_pid {
    struct report_entry *entry;
};

static int by_pid(const void *a, const void *b)
{
    const struct report_entry *first = ((const struct of_pid *)a)->entry;
    const struct report_entry *second = ((const struct of_pid *)b)->entry;
    int64_t difference =
        json_read_integer(first->report, "pid") - json_read_integer(second->report, "pid");

    if (difference)
        return difference < 0 ? -1 : 1;
    return (first->order > second->order) - (first->order < second->order);
}

void report_list_merge(struct report_list *list)
{
    struct of_pid *sorted = allocate((list->count + 1) * sizeof(*sorted));
    size_t kept = 0;

    for (size_t i = 0; i < list->count; i++)
        sorted[i].entry = &list->list[i];
    qsort(sorted, list->count, sizeof(*sorted), by_pid);
    for (size_t i = 1; i < list->count; i++) {
        for (size_t before = i; before-- > 0;) {
            if (json_read_integer(sorted[before].entry->report, "pid") !=
                json_read_integer(sorted[i].entry->report, "pid"))
                break;
            if (sorted[before].entry->dropped || !is_same(sorted[before].entry, sorted[i].entry))
                continue;
            keep_one(sorted[before].entry, sorted[i].entry);
            break;
        }
    }
    free(sorted);
    for (size_t i = 0; i < list->count; i++)
        if (!list->list[i].dropped)
            list->list[kept++] = list->list[i];
    list->count = kept;
}
