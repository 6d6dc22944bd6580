#include "run_tree.h"

#include "command.h"
#include "memory.h"
#include "run_counts.h"
#include "run_reports.h"

#include <stdlib.h>
#include <string.h>

/* How many are named that have left no figures. */
enum { NAMED = 4 };

struct program {
    pid_t pid;
    const char *name;
    bool running;
    bool executed; /* another one, and its own memory is gone */
    bool chosen;   /* not all programs of the tree are to have the library */
    bool whole;    /* the kernel's figures are those of its end, or of now */
    struct run_counts counts;
};

struct run_tree {
    struct program *list;
    size_t count;
    size_t unreadable;
};

/* -- reading ------------------------------------------------------------------------------------
 */

static void take(const struct al_reading *found, void *data)
{
    const char *ended = found->snapshot.ended;
    struct run_tree *tree = data;
    struct program *list = allocate((tree->count + 1) * sizeof(*list));
    struct program *program = &list[tree->count];

    if (tree->count)
        memcpy(list, tree->list, tree->count * sizeof(*list));
    free(tree->list);
    tree->list = list;
    tree->count++;
    *program = (struct program){
        .pid = found->live.head.pid,
        .name = text_of("%s", found->run.program),
        .running = strcmp(ended, "running") == 0,
        .executed = strcmp(ended, "exec") == 0,
        .chosen = strcmp(found->config.programs, "*") != 0,
        .whole = found->current,
        .counts = run_counts_of(found),
    };
    if (program->running)
        program->counts.unlocked = run_counts_unlocked(program->pid);
}

struct run_tree *run_tree_read(const char *directory)
{
    struct run_tree *tree = allocate(sizeof(*tree));

    tree->unreadable = run_reports_each(directory, take, tree);
    return tree;
}

/* -- what is not known --------------------------------------------------------------------------
 */

struct lost {
    size_t count;
    const char *names;
};

static void lose(struct lost *lost, const struct program *program)
{
    if (lost->count++ < NAMED)
        lost->names = text_of("%s%s%s (%d)", lost->names ? lost->names : "",
                              lost->names ? ", " : "", program->name, (int)program->pid);
}

static void say(const char *name, const struct lost *lost, const char *what)
{
    if (lost->count)
        complain("%s: %s: %s%s", name, what, lost->names, lost->count > NAMED ? ", …" : "");
}

/* The program that it executed has no counters, and nobody wished that. */
static bool went_on_without(const struct run_tree *tree, const struct program *program)
{
    if (!program->executed || program->chosen)
        return false;
    for (size_t i = 0; i < tree->count; i++)
        if (tree->list[i].pid == program->pid &&
            tree->list[i].counts.began_ns > program->counts.began_ns)
            return false;
    return true;
}

/* -- sums ---------------------------------------------------------------------------------------
 */

static const struct program *find(const struct run_tree *tree, const struct program *program)
{
    for (size_t i = 0; tree && i < tree->count; i++)
        if (tree->list[i].pid == program->pid &&
            tree->list[i].counts.began_ns == program->counts.began_ns)
            return &tree->list[i];
    return NULL;
}

struct sum {
    double value[RUN_FIGURES];
    double resident;
    size_t programs;
    size_t processes; /* whose memory is known */
    bool unlocked;    /* it is known what of it is */
    struct lost lost;
    struct lost without;
};

static void add_faults(struct sum *sum, const struct run_counts *counts,
                       const struct run_counts *before, bool by_mark)
{
    if (before) {
        sum->value[RUN_MAJFLT] += counts->major - before->major;
        sum->value[RUN_MINFLT] += counts->minor - before->minor;
    } else {
        sum->value[RUN_MAJFLT] += by_mark ? counts->major_after_mark : counts->major_after_lock;
        sum->value[RUN_MINFLT] += by_mark ? counts->minor_after_mark : counts->minor_after_lock;
    }
}

static void add_memory(struct sum *sum, const struct run_counts *counts)
{
    sum->processes++;
    sum->value[RUN_LOCKED] += counts->locked;
    sum->value[RUN_SWAP] += counts->swap;
    sum->value[RUN_UNLOCKED] += counts->unlocked;
    sum->resident += counts->resident;
    sum->unlocked &= counts->unlocked >= 0;
}

static void add(struct sum *sum, const struct program *program, const struct program *before,
                bool by_mark)
{
    const struct run_counts *counts = &program->counts;

    sum->programs++;
    sum->value[RUN_FAILURES] += counts->failures - (before ? before->counts.failures : 0);
    sum->value[RUN_DOWNGRADES] += counts->downgrades - (before ? before->counts.downgrades : 0);
    if (!program->whole || (before && !before->whole)) {
        lose(&sum->lost, program);
        return;
    }
    add_faults(sum, counts, before ? &before->counts : NULL, by_mark);
    if (!program->executed)
        add_memory(sum, counts);
}

static struct run_figures figures_of(const struct sum *sum)
{
    struct run_figures figures = run_figures_unknown();
    double *value = figures.value;

    if (!sum->programs)
        return figures;
    value[RUN_FAILURES] = sum->value[RUN_FAILURES];
    value[RUN_DOWNGRADES] = sum->value[RUN_DOWNGRADES];
    if (sum->lost.count)
        return figures;
    value[RUN_MAJFLT] = sum->value[RUN_MAJFLT];
    value[RUN_MINFLT] = sum->value[RUN_MINFLT];
    if (!sum->processes)
        return figures;
    value[RUN_LOCKED] = sum->value[RUN_LOCKED];
    value[RUN_SWAP] = sum->value[RUN_SWAP];
    if (!sum->unlocked)
        return figures;
    value[RUN_UNLOCKED] = sum->value[RUN_UNLOCKED];
    value[RUN_COVERAGE] = run_coverage(sum->resident, sum->value[RUN_UNLOCKED]);
    return figures;
}

struct run_figures run_tree_figures(const struct run_tree *end, const struct run_tree *warmup,
                                    bool by_mark, const char *name)
{
    struct sum sum = {.unlocked = true};

    for (size_t i = 0; i < end->count; i++) {
        const struct program *program = &end->list[i];
        const struct program *before = find(warmup, program);

        if (before && !before->running)
            continue;
        add(&sum, program, before, by_mark);
        if (went_on_without(end, program))
            lose(&sum.without, program);
    }
    say(name, &sum.without, "these went on as programs without the library, which do not count");
    say(name, &sum.lost, "these have left no figures of their end");
    if (!end->unreadable && (!warmup || !warmup->unreadable))
        return figures_of(&sum);
    complain("%s: of what it has started, some counters cannot be read", name);
    return run_figures_unknown();
}
