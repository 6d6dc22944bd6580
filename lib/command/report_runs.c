#include "report_runs.h"

#include "memory.h"
#include "page.h"

#include <string.h>

json_t *report_process(const struct report_entry *entry, bool is_main)
{
    json_t *process = json_pack("{s:O,s:I,s:b}", "report", entry->report, "began_ns",
                                (json_int_t)entry->began_ns, "main", is_main);

    if (entry->histograms)
        (void)json_object_set(process, "histograms", entry->histograms);
    return process;
}

/* -- which is the one that a run is about -------------------------------------------------------
 */

static bool is_of(const struct report_entry *entry, const struct report_file *files, size_t file,
                  bool live)
{
    return !files[entry->file].is_page && entry->live == live && (live || entry->file == file);
}

/* The first whose parent is none of them; of one process the last program. */
static const struct report_entry *main_of(const struct report_list *list,
                                          const struct report_file *files, size_t file, bool live)
{
    const struct report_entry *found = NULL;

    for (size_t i = 0; i < list->count; i++) {
        const struct report_entry *entry = &list->list[i];
        int64_t parent = json_read_integer(entry->report, "ppid");
        bool has_parent = false;

        if (!is_of(entry, files, file, live))
            continue;
        for (size_t j = 0; !found && !has_parent && j < list->count; j++)
            has_parent = is_of(&list->list[j], files, file, live) &&
                         json_read_integer(list->list[j].report, "pid") == parent;
        if (found
                ? json_read_integer(found->report, "pid") == json_read_integer(entry->report, "pid")
                : !has_parent)
            found = entry;
    }
    return found;
}

/* -- the runs -----------------------------------------------------------------------------------
 */

static json_t *run_of(const struct report_list *list, const struct report_file *files, size_t file,
                      bool live)
{
    const struct report_entry *about = main_of(list, files, file, live);
    json_t *processes = json_array();
    json_t *run = json_object();

    for (size_t i = 0; i < list->count; i++) {
        const struct report_entry *entry = &list->list[i];

        if (is_of(entry, files, file, live))
            (void)json_array_append_new(processes, report_process(entry, entry == about));
    }
    if (about) {
        (void)json_object_set(run, "program", json_object_get(about->report, "program"));
        (void)json_object_set(run, "command", json_object_get(about->report, "command"));
        (void)json_object_set(run, "mode", json_object_get(about->report, "mode"));
    }
    (void)json_object_set_new(run, "label",
                              live ? json_string("live files")
                                   : json_read_string(strcmp(files[file].name, "-") == 0
                                                          ? "standard input"
                                                          : files[file].name));
    (void)json_object_set_new(run, "processes", processes);
    return run;
}

/* Two runs of one name are told apart by their files. */
static void append(json_t *runs, json_t *run, const char *file)
{
    const char *label = json_read_text(run, "label");
    size_t index;
    json_t *other;

    json_array_foreach(runs, index, other)
    {
        if (strcmp(json_read_text(other, "label"), label) == 0) {
            run = json_copy(run);
            (void)json_object_set_new(run, "label",
                                      json_read_string(text_of("%s (%s)", label, file)));
            break;
        }
    }
    (void)json_array_append(runs, run);
}

static bool has_any(const struct report_list *list, const struct report_file *files, size_t file,
                    bool live)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->list[i].file == file && is_of(&list->list[i], files, file, live))
            return true;
    return false;
}

json_t *report_runs(const struct report_list *list, const struct report_file *files, size_t count)
{
    json_t *page = page_new();
    json_t *runs = json_object_get(page, "runs");
    bool live = false;

    for (size_t i = 0; i < count; i++) {
        size_t index;
        json_t *run;

        json_array_foreach(files[i].runs, index, run)
        {
            append(runs, run, files[i].name);
        }
        if (has_any(list, files, i, false))
            append(runs, run_of(list, files, i, false), files[i].name);
        /* All of them with the first. */
        if (!live && has_any(list, files, i, true)) {
            append(runs, run_of(list, files, i, true), files[i].name);
            live = true;
        }
    }
    return page;
}
