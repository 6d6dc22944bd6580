#include "run_gate.h"

#include "command.h"
#include "memory.h"
#include "now.h"
#include "run_counts.h"
#include "run_gate_json.h"
#include "run_github.h"
#include "run_junit.h"
#include "run_place.h"
#include "run_reports.h"
#include "run_tree.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How long a program has to end after its duration is over. */
enum { PATIENCE_MS = 10000 };

struct run_gate {
    const struct run_gate_options *options;
    char *directory;
    int64_t began_ms; /* 0: it has not been executed yet */
    bool warm;        /* what follows was counted when the warm-up ended */
    struct run_counts at_warmup;
    bool asked; /* to end; what follows was measured before */
    bool pressed;
    bool measured;
    struct run_counts at_end;
    struct run_tree *tree_at_warmup; /* with --tree, beside the two above */
    struct run_tree *tree_at_end;
    struct run_page *page; /* NULL: there is none */
};

bool run_gate_is_wanted(const struct run_gate_options *options)
{
    return options->expectations.count || options->json || options->report || options->duration_ms;
}

struct run_gate *run_gate_open(const struct run_gate_options *options)
{
    struct run_gate *gate = allocate(sizeof(*gate));

    gate->options = options;
    if ((options->json && !run_reports_can_go_to("--json", options->json)) ||
        (options->junit && !run_reports_can_go_to("--junit", options->junit)) ||
        (options->report &&
         (!run_page_can_be_made() || !run_reports_can_go_to("--report", options->report))))
        return NULL;
    gate->directory = run_place_make();
    return gate->directory ? gate : NULL;
}

void run_gate_set_page(struct run_gate *gate, struct run_page *page)
{
    gate->page = page;
}

char *run_gate_setting(const struct run_gate *gate)
{
    return text_of(AL_OPTION_PREFIX "LIVE_DIR=%s", gate->directory);
}

const char *run_gate_directory(const struct run_gate *gate)
{
    return gate->directory;
}

/* -- while it runs ------------------------------------------------------------------------------
 */

static void warm_up(struct run_gate *gate, pid_t pid)
{
    gate->warm = run_counts_of_process(pid, &gate->at_warmup);
    if (gate->warm && gate->options->tree)
        gate->tree_at_warmup = run_tree_read(gate->directory);
}

static void end_it(struct run_gate *gate, pid_t pid)
{
    if (gate->options->tree)
        gate->tree_at_end = run_tree_read(gate->directory);
    gate->measured = run_counts_of_process(pid, &gate->at_end);
    gate->asked = true;
    if (gate->page)
        run_page_look(gate->page, pid);
    (void)kill(pid, SIGTERM);
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

static int look(pid_t pid, void *data)
{
    struct run_gate *gate = data;
    int64_t warmup = gate->options->warmup_ms;
    int64_t duration = gate->options->duration_ms;
    int64_t next = -1;
    int64_t now = now_ms();

    if (!gate->began_ms)
        gate->began_ms = now;
    now -= gate->began_ms;
    if (warmup > 0 && !gate->warm && now >= warmup)
        warm_up(gate, pid);
    if (duration && !gate->asked && now >= duration)
        end_it(gate, pid);
    if (duration && !gate->pressed && now >= duration + PATIENCE_MS) {
        gate->pressed = true;
        (void)kill(pid, SIGKILL);
    }
    if (warmup > now)
        next = sooner(next, warmup - now);
    if (duration && !gate->pressed)
        next = sooner(next, (gate->asked ? duration + PATIENCE_MS : duration) - now);
    return next > 1000000 ? 1000000 : (int)next;
}

struct run_watch run_gate_watch(struct run_gate *gate)
{
    return (struct run_watch){.look = look, .data = gate};
}

/* -- when it has ended --------------------------------------------------------------------------
 */

static double since(double end, double before)
{
    return end < before ? 0 : end - before;
}

/* The warm-up has not ended. */
static void forget_counters(struct run_figures *figures)
{
    double *value = figures->value;

    value[RUN_MAJFLT] = value[RUN_MINFLT] = value[RUN_FAILURES] = value[RUN_DOWNGRADES] = -1;
}

/* Counters count from the end of the warm-up, all else is as it was in the end. */
static struct run_figures figures_of(const struct run_gate *gate, const struct run_counts *end)
{
    struct run_figures figures = {{0}};
    double *value = figures.value;
    bool by_time = gate->options->warmup_ms > 0;
    bool by_mark = gate->options->warmup_ms == RUN_WARMUP_MARK;
    /* Another program in the same process has counted anew. */
    bool same = gate->warm && gate->at_warmup.began_ns == end->began_ns;

    value[RUN_LOCKED] = end->locked;
    value[RUN_SWAP] = end->swap;
    value[RUN_UNLOCKED] = end->unlocked;
    value[RUN_COVERAGE] = run_coverage(end->resident, end->unlocked);
    value[RUN_MAJFLT] = by_mark ? end->major_after_mark : end->major_after_lock;
    value[RUN_MINFLT] = by_mark ? end->minor_after_mark : end->minor_after_lock;
    value[RUN_FAILURES] = end->failures - (same ? gate->at_warmup.failures : 0);
    value[RUN_DOWNGRADES] = end->downgrades - (same ? gate->at_warmup.downgrades : 0);
    if (!by_time)
        return figures;
    value[RUN_MAJFLT] = since(end->major, gate->at_warmup.major);
    value[RUN_MINFLT] = since(end->minor, gate->at_warmup.minor);
    if (!gate->warm)
        forget_counters(&figures);
    return figures;
}

static struct run_figures figures_of_tree(struct run_gate *gate, const char *program)
{
    bool by_mark = gate->options->warmup_ms == RUN_WARMUP_MARK;
    struct run_figures figures;

    if (!gate->tree_at_end)
        gate->tree_at_end = run_tree_read(gate->directory);
    figures = run_tree_figures(gate->tree_at_end, gate->tree_at_warmup, by_mark, program);
    if (gate->options->warmup_ms > 0 && !gate->warm)
        forget_counters(&figures);
    return figures;
}

static struct run_figures measure(struct run_gate *gate, pid_t pid, const char *program)
{
    struct run_counts end;

    if (gate->options->tree)
        return figures_of_tree(gate, program);
    if (gate->measured)
        return figures_of(gate, &gate->at_end);
    if (run_counts_of_last(gate->directory, pid, &end))
        return figures_of(gate, &end);
    return run_figures_unknown();
}

static const char *describe(int status)
{
    return WIFEXITED(status) ? text_of("with status %d", WEXITSTATUS(status))
                             : text_of("by signal %d", WTERMSIG(status));
}

void run_gate_discard(struct run_gate *gate)
{
    run_place_remove(gate->directory);
}

static void say(const struct run_verdict *verdict)
{
    complain("%s: %zu of %zu expectations %s", verdict->program,
             verdict->failed ? verdict->failed : verdict->count, verdict->count,
             verdict->failed ? "failed" : "hold");
    run_verdict_print(verdict, stderr, isatty(STDERR_FILENO) == 1);
}

static int judge(const struct run_gate *gate, const struct run_figures *figures,
                 const char *program, const struct run_end *ended)
{
    const struct run_gate_options *options = gate->options;
    struct run_verdict verdict = run_expect_judge(&options->expectations, figures, program);
    struct run_about about = {
        .began = time(NULL) - (time_t)((now_ms() - gate->began_ms) / 1000),
        .took_ms = now_ms() - gate->began_ms,
        .ended = describe(ended->status),
        .tree = options->tree,
    };

    if (options->as_json)
        run_verdict_print_json(&verdict, &about, stderr);
    else
        say(&verdict);
    run_github_tell(&verdict, &about);
    if (options->junit && !run_junit_write(options->junit, &verdict, &about) && !verdict.failed)
        return STATUS_FAILED;
    return verdict.failed ? STATUS_EXPECTATION : RUN_ON;
}

static bool show(const struct run_gate *gate, const struct run_figures *figures,
                 const char *program, const struct run_end *ended)
{
    const struct run_verdict verdict =
        run_expect_judge(&gate->options->expectations, figures, program);

    return run_page_end(gate->page, gate->directory, ended, &verdict);
}

int run_gate_close(struct run_gate *gate, const char *program, const struct run_end *ended,
                   bool *ret_ended_by_us)
{
    const struct run_gate_options *options = gate->options;
    struct run_figures figures = measure(gate, ended->pid, program);
    int status = RUN_ON;
    int verdict = RUN_ON;

    *ret_ended_by_us = gate->asked && WIFSIGNALED(ended->status) && !gate->pressed &&
                       WTERMSIG(ended->status) == SIGTERM;
    if (options->json && !run_reports_write(gate->directory, options->json))
        status = STATUS_FAILED;
    if (gate->page && !show(gate, &figures, program, ended))
        status = STATUS_FAILED;
    run_place_remove(gate->directory);
    if (options->warmup_ms > 0 && !gate->warm)
        complain("%s: it has ended before its warm-up", program);
    if (options->expectations.count)
        verdict = judge(gate, &figures, program, ended);
    return verdict == RUN_ON ? status : verdict;
}
