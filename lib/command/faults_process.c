#include "faults_process.h"

#include "faults_frames.h"
#include "memory.h"
#include "sys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * A look has the kernel count the pages of all mappings, while the program cannot map anything: it
 * is not to take more than this part of the time.
 */
enum { LOOK_PART = 20, LOOK_LEAST_NS = 20 * 1000000 };

/* Around the stack pointer memory is the thread's stack: what is below it is about to be. */
enum { STACK_BELOW = 1 << 16, STACK_ABOVE = 8 << 20 };

/* What was there when all was locked is locked, whether anybody has looked since or not. */
static void lock_at_once(const struct faults_process *process, struct faults_region *region)
{
    const struct faults_live *live = &process->live;
    bool on_fault = live->on_fault || process->is_child;

    if (!live->at_once || !region->fresh || region->lock != FAULTS_LOCK_NONE ||
        region->made_ns > live->lock_ns)
        return;
    region->lock = on_fault ? FAULTS_LOCKED_ON_FAULT : FAULTS_LOCKED;
    if (!on_fault)
        region->populated_ns = live->lock_ns;
}

struct faults_process *faults_process_new(pid_t pid, const struct faults_process *parent,
                                          uint64_t now_ns)
{
    struct faults_process *process = allocate(sizeof(*process));

    process->pid = pid;
    process->live.fd = -1;
    if (parent) {
        faults_regions_copy(&process->regions, &parent->regions);
        for (size_t i = 0; i < process->regions.count; i++) {
            lock_at_once(parent, &process->regions.list[i]);
            /* A child has no locks. */
            process->regions.list[i].lock = FAULTS_LOCK_NONE;
        }
        process->forked_ns = now_ns;
        process->is_child = true;
    }
    return process;
}

/* -- threads ------------------------------------------------------------------------------------
 */

static struct faults_thread *thread_of(struct faults_process *process, pid_t tid)
{
    struct faults_thread *thread = process->threads;

    while (thread && thread->tid != tid)
        thread = thread->next;
    if (!thread) {
        thread = allocate(sizeof(*thread));
        thread->tid = tid;
        thread->next = process->threads;
        process->threads = thread;
    }
    return thread;
}

static const char *thread_name(const struct faults_process *process, pid_t tid)
{
    const struct faults_thread *thread = process->threads;

    while (thread && thread->tid != tid)
        thread = thread->next;
    return thread ? thread->name : "";
}

const char *faults_process_mapping(const struct faults_process *process,
                                   const struct faults_key *key)
{
    char text[64 + FAULTS_COMMAND_BYTES];
    const char *name;

    if (!key->mapping)
        return NULL;
    if (key->stack_of) {
        name = thread_name(process, (pid_t)key->stack_of);
        (void)snprintf(text, sizeof(text), "stack of thread %d%s%s%s", (int)key->stack_of,
                       *name ? " (" : "", name, *name ? ")" : "");
        return faults_name(text);
    }
    if (strcmp(key->mapping, "[heap]") == 0)
        return "heap";
    if (strcmp(key->mapping, "[stack]") == 0)
        return "stack of the main thread";
    return *key->mapping ? key->mapping : "anonymous";
}

static void flush(struct faults_process *process, struct faults_thread *thread)
{
    if (thread->brought)
        faults_groups_add(&process->groups, &thread->brought_key, thread->brought, 0);
    thread->brought = 0;
}

/* The fault that a page was had for may be among what is missing. */
void faults_process_doubt(struct faults_process *process)
{
    for (struct faults_thread *thread = process->threads; thread; thread = thread->next)
        thread->brought = 0;
}

void faults_process_finish(struct faults_process *process)
{
    for (struct faults_thread *thread = process->threads; thread; thread = thread->next)
        flush(process, thread);
}

void faults_process_start_at(struct faults_process *process, uint64_t from_ns)
{
    if (process->from_ns == from_ns)
        return;
    process->from_ns = from_ns;
    faults_groups_clear(&process->groups);
    faults_process_doubt(process);
}

/* -- looks --------------------------------------------------------------------------------------
 */

bool faults_process_look(struct faults_process *process)
{
    uint64_t before = al_now_ns();
    uint64_t took;

    if (process->looked || before < process->look_due_ns)
        return false;
    process->looked = faults_regions_look(process->pid, &process->regions, before, &process->seen);
    took = al_now_ns() - before;
    process->look_due_ns =
        before + (LOOK_PART * took > LOOK_LEAST_NS ? LOOK_PART * took : LOOK_LEAST_NS);
    /* Where the kernel does not tell what is locked on fault, it is so if it was asked for. */
    for (size_t i = 0; process->live.on_fault && i < process->seen.count; i++)
        if (process->seen.list[i].lock == FAULTS_LOCKED)
            process->seen.list[i].lock = FAULTS_LOCKED_ON_FAULT;
    return process->looked;
}

void faults_process_settle(struct faults_process *process)
{
    if (!process->looked)
        return;
    faults_regions_clear(&process->regions);
    process->regions = process->seen;
    process->seen = (struct faults_regions){0};
    process->looked = false;
}

/* -- samples ------------------------------------------------------------------------------------
 */

static bool is_own_stack(const struct faults_region *region, const struct faults_record *sample)
{
    uint64_t pointer = sample->registers.value[FAULTS_SP];

    return sample->registers.known >> FAULTS_SP & 1 && region->name[0] == '\0' &&
           region->is_private && region->start <= pointer && pointer < region->end &&
           sample->address + STACK_BELOW >= pointer && sample->address <= pointer + STACK_ABOVE;
}

/* The main stack grows by a fault below its end. */
static const struct faults_region *grown_stack(const struct faults_regions *regions,
                                               uint64_t address)
{
    const struct faults_region *above = faults_regions_above(regions, address);

    return above && strcmp(above->name, "[stack]") == 0 && above->start - address <= STACK_ABOVE
               ? above
               : NULL;
}

static void name_mapping(const struct faults_process *process, const struct faults_record *sample,
                         bool moved, struct faults_key *key)
{
    struct faults_circumstances now = {
        .kind = sample->kind,
        .before = faults_regions_find(&process->regions, sample->address),
        .after = process->looked ? faults_regions_find(&process->seen, sample->address) : NULL,
        .looked = process->looked,
        .moved = moved,
        .forked_ns = process->forked_ns < sample->time_ns ? process->forked_ns : 0,
    };
    const struct faults_region *region;
    struct faults_region before;

    if (!now.before)
        now.before = grown_stack(&process->regions, sample->address);
    if (now.before) {
        before = *now.before;
        now.by_hooks = process->live.by_hooks &&
                       (process->live.future || before.made_ns < process->live.lock_ns);
        lock_at_once(process, &before);
        now.before = &before;
    }
    region = now.before ? now.before : now.after;
    key->cause = faults_cause(&now);
    if (!region)
        return;
    key->mapping = region->name;
    if (is_own_stack(region, sample))
        key->stack_of = (uint64_t)sample->tid;
}

static void take_fault(struct faults_process *process, const struct faults_record *sample,
                       bool moved)
{
    struct faults_thread *thread = thread_of(process, sample->tid);
    struct faults_key key;

    /* The page was had for this fault. */
    if (thread->brought_pc == sample->registers.value[FAULTS_PC] &&
        thread->brought_sp == sample->registers.value[FAULTS_SP])
        thread->brought = 0;
    flush(process, thread);
    thread->mapped = NULL;
    if (sample->time_ns < process->from_ns)
        return;
    memset(&key, 0, sizeof(key));
    faults_frames_find(&process->regions, sample, &key.at, &key.through);
    name_mapping(process, sample, moved, &key);
    faults_groups_add(&process->groups, &key, sample->kind == FAULTS_MINOR,
                      sample->kind == FAULTS_MAJOR);
}

static void take_brought(struct faults_process *process, const struct faults_record *sample)
{
    struct faults_thread *thread = thread_of(process, sample->tid);
    uint64_t pc = sample->registers.value[FAULTS_PC];
    uint64_t sp = sample->registers.value[FAULTS_SP];

    if (thread->brought && thread->brought_pc == pc && thread->brought_sp == sp) {
        thread->brought++;
        return;
    }
    flush(process, thread);
    if (sample->time_ns < process->from_ns)
        return;
    thread->brought = 1;
    thread->brought_pc = pc;
    thread->brought_sp = sp;
    memset(&thread->brought_key, 0, sizeof(thread->brought_key));
    thread->brought_key.cause = RUN_FAULT_BROUGHT;
    thread->brought_key.mapping = thread->mapped;
    faults_frames_find(&process->regions, sample, &thread->brought_key.at,
                       &thread->brought_key.through);
}

static void take_exec(struct faults_process *process, uint64_t now_ns)
{
    faults_regions_clear(&process->regions);
    faults_live_next(&process->live, now_ns);
    process->forked_ns = 0;
    process->is_child = false;
}

static void take_name(struct faults_process *process, const struct faults_record *record)
{
    char *name = thread_of(process, record->tid)->name;

    (void)strncpy(name, record->name, FAULTS_COMMAND_BYTES - 1);
    if (record->executed)
        take_exec(process, record->time_ns);
}

static void take_mapping(struct faults_process *process, const struct faults_record *record)
{
    const struct faults_region *region;

    faults_regions_map(&process->regions, record, process->live.on_fault || process->is_child);
    region = faults_regions_find(&process->regions, record->start);
    if (region)
        thread_of(process, record->tid)->mapped = region->name;
}

/* A thread has the name of its process, until it has another one. */
static void take_fork(struct faults_process *process, const struct faults_record *record)
{
    if (record->pid == process->pid)
        memcpy(thread_of(process, record->tid)->name, thread_of(process, process->pid)->name,
               FAULTS_COMMAND_BYTES);
    else
        process->forked_ns = record->time_ns;
}

void faults_process_take(struct faults_process *process, const struct faults_record *record,
                         bool moved)
{
    switch (record->kind) {
    case FAULTS_MINOR:
    case FAULTS_MAJOR:
        take_fault(process, record, moved);
        return;
    case FAULTS_BROUGHT:
        take_brought(process, record);
        return;
    case FAULTS_MAPPED:
        take_mapping(process, record);
        return;
    case FAULTS_FORKED:
        take_fork(process, record);
        return;
    case FAULTS_NAMED:
        take_name(process, record);
        return;
    default:
        return;
    }
}

/* -- the end ------------------------------------------------------------------------------------
 */

void faults_process_end(struct faults_process *process, struct faults_process *heir)
{
    const struct faults_groups *groups = &process->groups;

    faults_process_finish(process);
    for (size_t i = 0; i < groups->size; i++) {
        struct faults_group group = groups->list[i];

        if (!(group.minor + group.major))
            continue;
        /* Its threads are about to be forgotten. */
        group.key.mapping = faults_process_mapping(process, &group.key);
        group.key.stack_of = 0;
        faults_groups_add(&heir->groups, &group.key, group.minor, group.major);
    }
    heir->groups.other += groups->other;
    while (process->threads) {
        struct faults_thread *thread = process->threads;

        process->threads = thread->next;
        free(thread);
    }
    if (process->live.fd >= 0)
        (void)close(process->live.fd);
    faults_groups_clear(&process->groups);
    faults_regions_clear(&process->regions);
    faults_regions_clear(&process->seen);
    free(process);
}
