/*
 * What holds for the whole machine, and is named only where it matters to a program with the
 * library.
 */
#include "check_call.h"

#include <string.h>

/* Linux' own value; who has less has been given less. */
enum { MAPPINGS_USUAL = 65530 };

static bool before(const struct check_surroundings *here, unsigned major, unsigned minor)
{
    return here->kernel_major && (here->kernel_major < major ||
                                  (here->kernel_major == major && here->kernel_minor < minor));
}

static void judge_kernel(struct check_findings *findings, const struct check_surroundings *here)
{
    static const struct {
        unsigned major;
        unsigned minor;
        const char *lacks;
    } rows[] = {
        {3, 17, "memfd (3.17): the counters of a running process cannot be read from outside"},
        {4, 4, "MLOCK_ONFAULT (4.4): forked children have all memory copied, or nothing locked"},
        {5, 14,
         "MADV_POPULATE_WRITE (5.14): memory that is to be had in advance is touched page "
         "by page"},
        {5, 18,
         "MADV_DONTNEED_LOCKED (5.18): memory that the program gives back is unlocked and "
         "locked again"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (before(here, rows[i].major, rows[i].minor))
            check_find(findings, CHECK_NOTE, "kernel", NULL, "Linux %s has no %s", here->kernel,
                       rows[i].lacks);
}

/* -- what becomes of memory that is not locked ---------------------------------------------- */

static void judge_swap(struct check_findings *findings, const struct check_surroundings *here)
{
    if (!here->swap_total)
        return;
    check_find(
        findings, CHECK_NOTE, "swap", "swapoff -a",
        "%s of %s of swap are used: what is not locked may be pushed out%s",
        check_size(here->swap_total - here->swap_free).text, check_size(here->swap_total).text,
        here->zswap ? " (zswap compresses it in memory first, and costs the time for that)" : "");
}

/* -- what makes a program wait for memory that is locked ------------------------------------ */

static bool is(const char *word, const char *one, const char *another)
{
    return strcmp(word, one) == 0 || strcmp(word, another) == 0;
}

static void judge_huge_pages(struct check_findings *findings, const struct check_surroundings *here)
{
    bool always = strcmp(here->thp_enabled, "always") == 0;

    if (always)
        check_find(findings, CHECK_NOTE, "huge pages",
                   "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled",
                   "huge pages are made of all memory, locked memory too: who touches a page "
                   "meanwhile waits (a minor fault)");
    if (always && strcmp(here->thp_defrag, "always") == 0)
        check_find(findings, CHECK_NOTE, "huge pages",
                   "echo madvise > /sys/kernel/mm/transparent_hugepage/defrag",
                   "a page fault waits until memory has been moved together for a huge page");
    if (is(here->thp_shmem, "always", "force") || strcmp(here->thp_shmem, "within_size") == 0)
        check_find(findings, CHECK_NOTE, "huge pages",
                   "echo advise > /sys/kernel/mm/transparent_hugepage/shmem_enabled",
                   "huge pages are made of shared memory, locked memory too (%s)", here->thp_shmem);
}

static void judge_movement(struct check_findings *findings, const struct check_surroundings *here)
{
    if (here->compact_unevictable == 1)
        check_find(findings, CHECK_NOTE, "compaction", "sysctl -w vm.compact_unevictable_allowed=0",
                   "the kernel moves locked pages to make room for large ones: who touches one "
                   "meanwhile waits (a minor fault)");
    if (here->nodes > 1 && here->numa_balancing != CHECK_UNKNOWN && here->numa_balancing)
        check_find(findings, CHECK_NOTE, "NUMA", "sysctl -w kernel.numa_balancing=0",
                   "the kernel unmaps pages again and again, locked ones too, to see which of the "
                   "%llu nodes touches them (minor faults)",
                   (unsigned long long)here->nodes);
    if (here->ksm_run == 1)
        check_find(findings, CHECK_NOTE, "KSM", "echo 2 > /sys/kernel/mm/ksm/run",
                   "equal pages are merged where a program allows it: the first write to one "
                   "copies it, also if it is locked");
}

/* -- what runs out -------------------------------------------------------------------------- */

static void judge_memory(struct check_findings *findings, const struct check_surroundings *here)
{
    if (here->memory_total != CHECK_UNKNOWN && here->memory_available < here->memory_total / 10)
        check_find(findings, CHECK_NOTE, "memory", "more memory, or onfault in AUTOLOCK_FLAGS",
                   "of the machine's %s only %s are to be had: what is locked cannot make room "
                   "for others",
                   check_size(here->memory_total).text, check_size(here->memory_available).text);
    /* Never overcommit: also what is only reserved counts. */
    if (here->overcommit_memory == 2 && here->commit_limit != CHECK_UNKNOWN &&
        (here->committed >= here->commit_limit ||
         here->commit_limit - here->committed < here->commit_limit / 10))
        check_find(findings, CHECK_NOTE, "overcommit", "a higher vm.overcommit_ratio",
                   "vm.overcommit_memory is 2, and %s of %s are promised: reserves and forked "
                   "children may fail",
                   check_size(here->committed).text, check_size(here->commit_limit).text);
}

static void judge_mappings(struct check_findings *findings, const struct check_surroundings *here,
                           const struct al_config *config)
{
    bool by_kernel = config->mode == AL_MODE_ALL && here->exempt && !here->lockall_error;

    if (by_kernel || here->max_map_count >= MAPPINGS_USUAL)
        return;
    check_find(findings, CHECK_NOTE, "mappings", "sysctl -w vm.max_map_count=65530",
               "vm.max_map_count is %llu: of separate locked runs there are at most an eighth of "
               "that, and what would make more stays unlocked",
               (unsigned long long)here->max_map_count);
}

void check_judge_machine(struct check_findings *findings, const struct check_surroundings *here,
                         const struct al_config *config)
{
    enum check_level verdict = check_verdict(findings);

    if (verdict >= CHECK_PART)
        judge_swap(findings, here);
    if (verdict == CHECK_NONE)
        return;
    judge_kernel(findings, here);
    judge_huge_pages(findings, here);
    judge_movement(findings, here);
    judge_memory(findings, here);
    judge_mappings(findings, here, config);
}
