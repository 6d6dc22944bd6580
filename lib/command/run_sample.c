#include "run_sample.h"

#include "proc_file.h"
#include "procfs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool run_sample_take(pid_t pid, struct run_sample *ret_sample)
{
    struct al_memory_status status;
    char text[16384];
    const char *rest;

    if (!proc_file_read(pid, "status", text, sizeof(text)) || !strstr(text, "\nVmRSS:"))
        return false;
    al_memory_status_parse(text, &status);
    ret_sample->locked = status.locked;
    ret_sample->resident = status.resident;
    ret_sample->swapped = status.swapped;
    /* A program's name may hold anything but its end. */
    if (!proc_file_read(pid, "stat", text, sizeof(text)))
        return false;
    rest = strrchr(text, ')');
    return rest && sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %" SCNu64 " %*u %" SCNu64,
                          &ret_sample->minor, &ret_sample->major) == 2;
}

static uint64_t greater(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* What was high for a moment stays high; faults only become more. */
static void join(struct run_sample *sample, const struct run_sample *later)
{
    sample->locked = greater(sample->locked, later->locked);
    sample->resident = greater(sample->resident, later->resident);
    sample->swapped = greater(sample->swapped, later->swapped);
    sample->when_ns = later->when_ns;
    sample->minor = later->minor;
    sample->major = later->major;
}

/* The first one stays as it is: the curves begin there. */
static void halve(struct run_samples *samples)
{
    size_t count = 1;

    for (size_t i = 1; i < samples->count; i += 2) {
        samples->list[count] = samples->list[i];
        if (i + 1 < samples->count)
            join(&samples->list[count], &samples->list[i + 1]);
        count++;
    }
    /* The last one is alone, if their number was even. */
    samples->taken = samples->count % 2 ? 2 * samples->looks : samples->looks;
    samples->looks *= 2;
    samples->count = count;
}

void run_samples_add(struct run_samples *samples, const struct run_sample *sample)
{
    samples->most_locked = greater(samples->most_locked, sample->locked);
    samples->most_swapped = greater(samples->most_swapped, sample->swapped);
    if (!samples->looks)
        samples->looks = 1;
    if (samples->count == RUN_SAMPLES_MAX && samples->taken >= samples->looks)
        halve(samples);
    if (samples->count > 1 && samples->taken < samples->looks) {
        join(&samples->list[samples->count - 1], sample);
        samples->taken++;
        return;
    }
    samples->list[samples->count++] = *sample;
    samples->taken = 1;
}
