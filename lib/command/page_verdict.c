#include "page_html.h"

#include "memory.h"
#include "report_list.h"

#include <stdbool.h>
#include <string.h>

/* -- in a line ----------------------------------------------------------------------------------
 */

struct verdict {
    const char *judgement; /* good, bad or plain */
    const char *text;      /* HTML */
};

static struct verdict judge_expectations(const json_t *expectations)
{
    size_t all = json_array_size(expectations);
    const char *failures = "";
    size_t failed = 0;
    size_t index;
    json_t *expectation;

    json_array_foreach(expectations, index, expectation)
    {
        if (json_is_true(json_object_get(expectation, "holds")))
            continue;
        failures = text_of("%s%s<code>%s</code>", failures, failed ? ", " : ": ",
                           page_text(json_read_text(expectation, "text")));
        failed++;
    }
    if (failed)
        return (struct verdict){"bad",
                                text_of("%zu of %zu expectations failed%s", failed, all, failures)};
    return (struct verdict){"good", all == 1 ? "The expectation holds"
                                             : text_of("All %zu expectations hold", all)};
}

static const char *faults_in_words(int64_t major, const char *since)
{
    if (major < 0)
        return "";
    if (major == 0)
        return text_of("; no major fault %s", since);
    return text_of("; %s major %s %s", page_number_text(PAGE_COUNT, major),
                   major == 1 ? "fault" : "faults", since);
}

static struct verdict judge_report(const json_t *report)
{
    const char *mode = json_read_text(report, "mode");
    int64_t resident = json_read_integer(report, "memory.rss_bytes");
    int64_t unlocked = json_read_integer(report, "memory.unlocked_resident_bytes");
    int64_t locked = json_read_integer(report, "memory.locked_bytes");
    int64_t failures = report_number(report, "failures");
    const char *faults =
        faults_in_words(json_read_integer(report, "faults.major_after_lock"), "after the lock");

    if (strcmp(mode, "observe") == 0)
        return (struct verdict){
            "plain",
            text_of("Nothing was locked, it was only observed: %s would have to be%s",
                    page_number_text(PAGE_BYTES, json_read_integer(report, "need.memlock_bytes")),
                    faults)};
    if (strcmp(json_read_text(report, "ended"), "killed") == 0)
        return (struct verdict){"plain", text_of("A signal ended it: what was locked in the end is "
                                                 "not known%s",
                                                 faults)};
    if (locked <= 0)
        return (struct verdict){"bad", text_of("Nothing was locked in the end%s", faults)};
    if (unlocked == 0)
        return (struct verdict){failures > 0 ? "plain" : "good",
                                text_of("All that was in memory was locked in the end%s", faults)};
    return (struct verdict){"plain", text_of("%s of %s in memory were not locked in the end%s",
                                             page_number_text(PAGE_BYTES, unlocked),
                                             page_number_text(PAGE_BYTES, resident), faults)};
}

static struct verdict judge(const json_t *run)
{
    const json_t *expectations = json_object_get(run, "expectations");
    const json_t *report = page_report(run);

    if (json_array_size(expectations))
        return judge_expectations(expectations);
    if (report)
        return judge_report(report);
    return (struct verdict){
        "plain",
        text_of("%s%s",
                strcmp(json_read_text(run, "mode"), "off") == 0
                    ? "Nothing was locked: the library was off"
                    : "The library did not count: nothing was locked by it",
                faults_in_words(json_read_integer(run, "kernel.major"), "in all its time"))};
}

/* -- what was expected --------------------------------------------------------------------------
 */

static const char *warmup_of(const json_t *run)
{
    int64_t warmup = json_read_integer(run, "warmup_ns");

    if (warmup == -1)
        return ", counted from the program's last mark on";
    if (warmup > 0)
        return text_of(", counted after a warm-up of %s", page_number_text(PAGE_NS, warmup));
    return "";
}

static void expectations_of(const struct page *page, const json_t *run)
{
    const json_t *expectations = json_object_get(run, "expectations");
    size_t index;
    json_t *expectation;

    if (!json_array_size(expectations))
        return;
    page_table_begin(page, page->count > 1 ? text_of("Expected of %s%s",
                                                     json_read_text(run, "label"), warmup_of(run))
                                           : text_of("Expected%s", warmup_of(run)));
    (void)fputs("<thead><tr><th scope=\"col\">expected</th><th scope=\"col\" class=\"number\">"
                "measured</th><th scope=\"col\">result</th></tr></thead>\n<tbody>\n",
                page->to);
    json_array_foreach(expectations, index, expectation)
    {
        bool holds = json_is_true(json_object_get(expectation, "holds"));

        (void)fprintf(page->to,
                      "<tr><th scope=\"row\"><code>%s</code></th><td class=\"number\">%s</td><td "
                      "class=\"%s\">%s</td></tr>\n",
                      page_text(json_read_text(expectation, "text")),
                      page_text(json_read_text(expectation, "measured")), holds ? "good" : "bad",
                      holds ? "ok" : "failed");
    }
    (void)fputs("</tbody>\n", page->to);
    page_table_end(page);
}

/* -- key figures --------------------------------------------------------------------------------
 */

struct figure {
    const char *title;
    const char *path;    /* in the report; "" */
    const char *outside; /* as it was seen from outside, in the run; "" */
    enum page_unit unit;
    bool outside_first; /* that knows more; else it is for where there is no report */
};

static const struct figure figures[] = {
    {"Major faults after the lock", "faults.major_after_lock", "", PAGE_COUNT, false},
    {"Major faults, whole run", "faults.major", "kernel.major", PAGE_COUNT, false},
    {"Minor faults after the lock", "faults.minor_after_lock", "", PAGE_COUNT, false},
    {"Minor faults, whole run", "faults.minor", "kernel.minor", PAGE_COUNT, false},
    {"Locked, in the end", "memory.locked_bytes", "", PAGE_BYTES, false},
    {"Locked, at most", "locked.peak_kernel_bytes", "peak.locked_bytes", PAGE_BYTES, true},
    {"Resident, in the end", "memory.rss_bytes", "", PAGE_BYTES, false},
    {"Resident, at most", "memory.peak_rss_bytes", "kernel.peak_rss_bytes", PAGE_BYTES, false},
    {"Resident and not locked, in the end", "memory.unlocked_resident_bytes", "", PAGE_BYTES,
     false},
    {"Swapped out, in the end", "memory.swap_bytes", "", PAGE_BYTES, false},
    {"Swapped out, at most", "", "peak.swap_bytes", PAGE_BYTES, false},
    {"Locking calls that failed", "failures", "", PAGE_COUNT, false},
    {"Regions left out", "skipped", "", PAGE_COUNT, false},
    {"Became less than asked for", "downgrades", "", PAGE_COUNT, false},
    {"Limit that would lock all", "need.memlock_bytes", "", PAGE_BYTES, false},
    {"Limit of locked memory", "memory.limit_bytes", "", PAGE_LIMIT, false},
    {"Memory limit of the cgroup", "memory.cgroup_limit_bytes", "", PAGE_LIMIT, false},
    {"Run time", "", "duration_ns", PAGE_NS, false},
    {"Processor time, user", "", "kernel.user_ns", PAGE_NS, false},
    {"Processor time, system", "", "kernel.system_ns", PAGE_NS, false},
};

static bool is_seen_outside(const json_t *run, const struct figure *figure)
{
    if (!*figure->outside || json_read_integer(run, figure->outside) == JSON_READ_NONE)
        return false;
    return figure->outside_first || !*figure->path || !page_report(run);
}

static int64_t value_of(const json_t *run, const struct figure *figure)
{
    return is_seen_outside(run, figure) ? json_read_integer(run, figure->outside)
           : *figure->path              ? report_number(page_report(run), figure->path)
                                        : JSON_READ_NONE;
}

static void row(const struct page *page, const struct figure *figure)
{
    bool known = false;
    size_t index;
    json_t *run;

    json_array_foreach(page->runs, index, run)
    {
        known |= value_of(run, figure) != JSON_READ_NONE;
    }
    if (!known)
        return;
    (void)fprintf(page->to, "<tr><th scope=\"row\">%s</th>", figure->title);
    json_array_foreach(page->runs, index, run)
    {
        (void)fprintf(page->to, "<td class=\"number\" data-key=\"%s\">%s</td>",
                      *figure->path ? figure->path : figure->outside,
                      page_number(figure->unit, value_of(run, figure)));
    }
    (void)fputs("</tr>\n", page->to);
}

void page_verdict(const struct page *page)
{
    size_t index;
    json_t *run;

    (void)fputs("<section aria-labelledby=\"result\">\n<h2 id=\"result\">Result</h2>\n", page->to);
    json_array_foreach(page->runs, index, run)
    {
        struct verdict verdict = judge(run);
        const char *ended = json_read_text(run, "ended");

        (void)fprintf(page->to, "<p class=\"verdict %s\">", verdict.judgement);
        if (page->count > 1)
            (void)fprintf(page->to, "<b>%s</b> ", page_label(run));
        (void)fprintf(page->to, "%s.%s%s%s</p>\n", verdict.text,
                      *ended ? " <span class=\"ended\">Ended with " : "", page_text(ended),
                      *ended ? ".</span>" : "");
    }
    json_array_foreach(page->runs, index, run)
    {
        expectations_of(page, run);
    }
    page_table_begin(page, "Key figures");
    page_table_head_of_runs(page, "figure");
    (void)fputs("<tbody>\n", page->to);
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
        row(page, &figures[i]);
    (void)fputs("</tbody>\n", page->to);
    page_table_end(page);
    (void)fputs("</section>\n", page->to);
}
