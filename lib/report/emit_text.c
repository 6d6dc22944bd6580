#include "emit.h"

#include "downgrades.h"

#include <string.h>

/* Where the second column begins, and where a list of calls goes on in a new line. */
enum { VALUES = 11, WRAP = 90 };

static void label(struct al_text *text, const char *name)
{
    al_text_string(text, "  ");
    al_text_string(text, name);
    al_text_pad(text, VALUES);
}

static void sized(struct al_text *text, const char *before, uint64_t bytes)
{
    al_text_string(text, before);
    al_text_size(text, bytes);
}

static void counted(struct al_text *text, const char *before, uint64_t count, const char *after)
{
    al_text_string(text, before);
    al_text_count(text, count);
    al_text_string(text, after);
}

static void print_asked(struct al_text *text, const struct al_config *config)
{
    label(text, "asked");
    for (size_t i = 0; i < al_option_count; i++) {
        const struct al_option *option = &al_options[i];
        char printed[80];
        struct al_text print = al_text_over(printed, sizeof(printed));

        al_option_print(&print, option, config);
        /* Mode and flags always, of the rest what differs from the default. */
        if (i > 1 && strcmp(printed, option->default_text) == 0)
            continue;
        if (i)
            al_text_char(text, ' ');
        al_text_string(text, option->name);
        al_text_char(text, '=');
        al_text_printable(text, printed, sizeof(printed));
        if (print.cut)
            al_text_string(text, "...");
    }
    al_text_char(text, '\n');
}

static void print_locked(struct al_text *text, const struct al_snapshot *snapshot)
{
    const struct al_run *run = snapshot->run;
    const uint64_t *field = snapshot->field;

    label(text, "locked");
    al_text_size(text, field[AL_FIELD_locked_kernel_bytes]);
    al_text_string(text, " as the kernel counts it (VmLck), ");
    if (strcmp(run->backend, "kernel") == 0)
        al_text_string(text, "by mlockall");
    else if (strcmp(run->backend, "hooks") == 0)
        sized(text, "region by region: ", field[AL_FIELD_locked_tracked_bytes]);
    else if (run->config->mode == AL_MODE_OBSERVE)
        sized(text, "only observed; to lock all takes a limit of ",
              field[AL_FIELD_need_memlock_bytes]);
    else
        al_text_string(text, "nothing is locked");
    al_text_char(text, '\n');
}

static void print_memory(struct al_text *text, const uint64_t *field)
{
    label(text, "memory");
    sized(text, "resident ", field[AL_FIELD_memory_rss_bytes]);
    sized(text, " (peak ", field[AL_FIELD_memory_peak_rss_bytes]);
    sized(text, "), swapped ", field[AL_FIELD_memory_swap_bytes]);
    if (field[AL_FIELD_memory_limit_bytes] == UINT64_MAX)
        al_text_string(text, ", memlock limit none");
    else
        sized(text, ", memlock limit ", field[AL_FIELD_memory_limit_bytes]);
    if (field[AL_FIELD_memory_cgroup_limit_bytes] != UINT64_MAX)
        sized(text, ", cgroup limit ", field[AL_FIELD_memory_cgroup_limit_bytes]);
    al_text_char(text, '\n');
}

static void print_faults(struct al_text *text, const uint64_t *field)
{
    label(text, "faults");
    counted(text, "", field[AL_FIELD_faults_minor_after_lock], " minor, ");
    counted(text, "", field[AL_FIELD_faults_major_after_lock], " major since the lock (in all ");
    counted(text, "", field[AL_FIELD_faults_minor], " minor, ");
    counted(text, "", field[AL_FIELD_faults_major], " major)\n");
}

/* What the library's own system calls took, where they were to lock something. */
static void print_locking(struct al_text *text, const struct al_snapshot *snapshot)
{
    const uint64_t *field = snapshot->field;
    uint64_t count = 0;
    uint64_t time_ns = 0;
    uint64_t max_ns = 0;

#define ADD(call)                                                                                  \
    do {                                                                                           \
        count += field[AL_FIELD_syscalls_##call##_count];                                          \
        time_ns += field[AL_FIELD_syscalls_##call##_time_ns];                                      \
        if (field[AL_FIELD_syscalls_##call##_max_ns] > max_ns)                                     \
            max_ns = field[AL_FIELD_syscalls_##call##_max_ns];                                     \
    } while (0)
    ADD(mlock2);
    ADD(munlock);
    ADD(mlockall);
    ADD(madvise);
    ADD(msync);
#undef ADD

    if (!count || strcmp(snapshot->run->backend, "none") == 0)
        return;
    label(text, "locking");
    counted(text, "", count, count == 1 ? " call, " : " calls, ");
    al_text_duration(text, time_ns);
    al_text_string(text, ", longest ");
    al_text_duration(text, max_ns);
    al_text_char(text, '\n');
}

/* The fields of one object that are not 0: "EPERM 1  ENOMEM 2". Returns how many there are. */
static unsigned print_object(struct al_text *text, const uint64_t *field, const char *object)
{
    unsigned printed = 0;
    size_t line = text->length - VALUES;

    for (size_t i = 0; i < AL_FIELD_TOTAL; i++) {
        if (*al_field_outer(&al_fields[i]) || strcmp(al_field_inner(&al_fields[i]), object) != 0 ||
            !field[i])
            continue;
        if (text->length - line > WRAP) {
            al_text_char(text, '\n');
            line = text->length;
            al_text_pad(text, VALUES);
        } else if (printed) {
            al_text_string(text, "  ");
        }
        al_text_string(text, al_fields[i].key);
        counted(text, " ", field[i], "");
        printed++;
    }
    return printed;
}

static void print_downgrades(struct al_text *text, const struct al_live_head *head)
{
    for (size_t i = 0; i < AL_DOWNGRADES_MAX; i++) {
        const struct al_downgrade *entry = al_downgrade_at(head, i);

        if (!entry)
            continue;
        label(text, "less");
        al_text_printable(text, entry->reason, SIZE_MAX);
        al_text_char(text, '\n');
    }
}

void al_emit_text(struct al_text *text, const struct al_snapshot *snapshot)
{
    const uint64_t *field = snapshot->field;

    al_text_string(text, "libautolock " AL_VERSION ": ");
    al_text_printable(text, snapshot->run->program, 64);
    al_text_char(text, '[');
    al_text_i64(text, snapshot->pid);
    al_text_string(text, "], ");
    al_text_printable(text, snapshot->ended, SIZE_MAX);
    al_text_char(text, '\n');

    print_asked(text, snapshot->run->config);
    print_locked(text, snapshot);
    print_downgrades(text, snapshot->head);
    print_locking(text, snapshot);
    print_memory(text, field);
    print_faults(text, field);
    label(text, "failed");
    if (!print_object(text, field, "failures"))
        al_text_string(text, "nothing");
    al_text_char(text, '\n');
    label(text, "calls");
    if (!print_object(text, field, "calls"))
        al_text_string(text, "none");
    al_text_char(text, '\n');
}
