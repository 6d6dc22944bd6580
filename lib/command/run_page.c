#include "run_page.h"

#include "command.h"
#include "memory.h"
#include "page.h"
#include "report_runs.h"
#include "report_table.h"
#include "run_page_parts.h"
#include "run_reports.h"
#include "run_sample.h"
#include "sys.h"

#include <string.h>
#include <sys/wait.h>
#include <time.h>

/* All mappings are looked at ever more seldom, as it may take a while where there are many. */
enum { FIRST_LOOK_MS = 200 };

struct run_page {
    const struct run_options *options;
    const struct al_config *config;
    json_t *run;
    struct timespec began_real;
    int64_t began_ns; /* 0: it has not been executed yet */
    int64_t next_look_ms;
    struct run_samples samples;
};

bool run_page_can_be_made(void)
{
    return true;
}

struct run_page *run_page_begin(const struct run_options *options, const struct al_config *config)
{
    struct run_page *page = allocate(sizeof(*page));

    page->options = options;
    page->config = config;
    page->run = json_object();
    page->next_look_ms = FIRST_LOOK_MS;
    (void)json_object_set_new(page->run, "environment", run_page_environment());
    (void)json_object_set_new(page->run, "options", run_page_options(config));
    return page;
}

/* -- while it runs ------------------------------------------------------------------------------
 */

void run_page_look(struct run_page *page, pid_t pid)
{
    json_t *mappings = run_page_mappings(pid);

    if (!mappings)
        return;
    (void)json_object_set_new(mappings, "when_ns",
                              json_integer((int64_t)al_now_ns() - page->began_ns));
    (void)json_object_set_new(page->run, "mappings", mappings);
}

static int look(pid_t pid, void *data)
{
    struct run_page *page = data;
    struct run_sample sample;

    if (!page->began_ns) {
        page->began_ns = (int64_t)al_now_ns();
        (void)clock_gettime(CLOCK_REALTIME, &page->began_real);
    }
    sample.when_ns = (int64_t)al_now_ns() - page->began_ns;
    if (run_sample_take(pid, &sample))
        run_samples_add(&page->samples, &sample);
    if (sample.when_ns / 1000000 >= page->next_look_ms) {
        run_page_look(page, pid);
        page->next_look_ms = 2 * (sample.when_ns / 1000000);
    }
    return (int)page->options->gate.sample_ms;
}

struct run_watch run_page_watch(struct run_page *page)
{
    return (struct run_watch){.look = look, .data = page};
}

void run_page_put(struct run_page *page, const char *name, const char *json)
{
    char why[128];
    json_t *value = json ? json_read(json, strlen(json), why, sizeof(why)) : NULL;

    if (value)
        (void)json_object_set_new(page->run, name, value);
}

/* -- when it has ended --------------------------------------------------------------------------
 */

static void take(const struct al_reading *reading, void *data)
{
    struct report_entry entry = report_of_reading(reading);

    if (entry.report)
        report_list_add(data, &entry);
    else
        json_decref(entry.histograms);
}

static json_t *processes_in(const char *directory, pid_t pid)
{
    struct report_list list = {0};
    json_t *processes = json_array();
    const struct report_entry *main = NULL;

    (void)run_reports_each(directory, take, &list);
    (void)report_table_sort(&list, "start");
    for (size_t i = 0; i < list.count; i++)
        if (json_read_integer(list.list[i].report, "pid") == pid)
            main = &list.list[i];
    for (size_t i = 0; i < list.count; i++)
        (void)json_array_append_new(processes,
                                    report_process(&list.list[i], &list.list[i] == main));
    return processes;
}

static json_t *timeline_of(const struct run_page *page)
{
    json_t *list = json_array();

    for (size_t i = 0; i < page->samples.count; i++) {
        const struct run_sample *sample = &page->samples.list[i];

        (void)json_array_append_new(
            list,
            json_pack("[I,I,I,I,I,I]", (json_int_t)sample->when_ns, (json_int_t)sample->locked,
                      (json_int_t)sample->resident, (json_int_t)sample->swapped,
                      (json_int_t)sample->minor, (json_int_t)sample->major));
    }
    return json_pack("{s:I,s:o}", "interval_ns",
                     (json_int_t)page->options->gate.sample_ms * 1000000 *
                         (page->samples.looks ? page->samples.looks : 1),
                     "samples", list);
}

static int64_t ns_of(struct timeval time)
{
    return (int64_t)time.tv_sec * 1000000000 + (int64_t)time.tv_usec * 1000;
}

static json_t *kernel_of(const struct rusage *usage)
{
    return json_pack("{s:I,s:I,s:I,s:I,s:I}", "minor", (json_int_t)usage->ru_minflt, "major",
                     (json_int_t)usage->ru_majflt, "peak_rss_bytes",
                     (json_int_t)usage->ru_maxrss * 1024, "user_ns",
                     (json_int_t)ns_of(usage->ru_utime), "system_ns",
                     (json_int_t)ns_of(usage->ru_stime));
}

static json_t *expectations_of(const struct run_verdict *verdict)
{
    json_t *list = json_array();

    for (size_t i = 0; verdict && i < verdict->count; i++)
        (void)json_array_append_new(
            list, json_pack("{s:o,s:o,s:b}", "text", json_read_string(verdict->list[i].expected),
                            "measured", json_read_string(verdict->list[i].measured), "holds",
                            verdict->list[i].holds));
    return list;
}

static const char *command_of(char *const *arguments)
{
    const char *command = *arguments;

    for (arguments++; *arguments; arguments++)
        command = text_of("%s %s", command, *arguments);
    return command;
}

static void describe(struct run_page *page, const struct run_end *ended)
{
    const char *name = *page->options->program;
    const char *slash = strrchr(name, '/');
    char mode[32];
    struct al_text text = al_text_over(mode, sizeof(mode));
    int64_t warmup = page->options->gate.warmup_ms;

    al_option_print(&text, &al_options[AL_OPTION_ID_MODE], page->config);
    name = slash ? slash + 1 : name;
    (void)json_object_set_new(page->run, "label",
                              json_read_string(text_of("%s, mode %s", name, mode)));
    (void)json_object_set_new(page->run, "program", json_read_string(name));
    (void)json_object_set_new(page->run, "command",
                              json_read_string(command_of(page->options->program)));
    (void)json_object_set_new(page->run, "mode", json_string(mode));
    (void)json_object_set_new(
        page->run, "began_ns",
        json_integer((json_int_t)page->began_real.tv_sec * 1000000000 + page->began_real.tv_nsec));
    (void)json_object_set_new(
        page->run, "duration_ns",
        json_integer(page->began_ns ? (json_int_t)al_now_ns() - page->began_ns : 0));
    (void)json_object_set_new(page->run, "ended",
                              json_string(WIFEXITED(ended->status)
                                              ? text_of("status %d", WEXITSTATUS(ended->status))
                                              : text_of("signal %d", WTERMSIG(ended->status))));
    (void)json_object_set_new(page->run, "warmup_ns",
                              json_integer(warmup < 0 ? -1 : (json_int_t)warmup * 1000000));
}

bool run_page_end(struct run_page *page, const char *directory, const struct run_end *ended,
                  const struct run_verdict *verdict)
{
    json_t *document = page_new();

    describe(page, ended);
    (void)json_object_set_new(page->run, "expectations", expectations_of(verdict));
    (void)json_object_set_new(page->run, "kernel", kernel_of(&ended->usage));
    (void)json_object_set_new(page->run, "peak",
                              json_pack("{s:I,s:I}", "locked_bytes",
                                        (json_int_t)page->samples.most_locked, "swap_bytes",
                                        (json_int_t)page->samples.most_swapped));
    (void)json_object_set_new(page->run, "timeline", timeline_of(page));
    (void)json_object_set_new(page->run, "processes", processes_in(directory, ended->pid));
    (void)json_array_append_new(json_object_get(document, "runs"), page->run);
    return page_write(document, "--report", page->options->gate.report);
}
