/*
 * A server in small: it fills its table, says that it is warm, answers, and tells what page faults
 * the answering took. It runs the same with libautolock and without.
 */
#include <autolock/autolock.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { ENTRIES = 1 << 20, QUERIES = 100000 };

static uint32_t *fill_table(void)
{
    uint32_t *table = malloc(ENTRIES * sizeof(*table));

    for (uint32_t i = 0; table && i < ENTRIES; i++)
        table[i] = i * 2654435761u;
    return table;
}

static uint32_t answer(const uint32_t *table, uint32_t query)
{
    return table[query * 40503u % ENTRIES];
}

static void print_memory(void)
{
    struct autolock_stats stats;

    if (!autolock_snapshot) {
        puts("memory: not locked, libautolock is not preloaded");
        return;
    }
    if (autolock_snapshot(&stats, sizeof(stats)) != 0) {
        puts("memory: not locked, libautolock is told to do nothing");
        return;
    }
    printf("memory: %" PRIu64 " KiB locked by libautolock %s\n", stats.locked_kernel_bytes / 1024,
           autolock_version());
    printf("faults while answering: %" PRIu64 " minor, %" PRIu64 " major\n",
           stats.faults_minor_after_mark, stats.faults_major_after_mark);
}

int main(void)
{
    uint32_t *table = fill_table();
    uint32_t sum = 0;

    if (!table)
        return EXIT_FAILURE;
    if (autolock_mark)
        autolock_mark("the table is filled");
    for (uint32_t query = 0; query < QUERIES; query++)
        sum += answer(table, query);
    printf("%d queries, checksum %" PRIu32 "\n", QUERIES, sum);
    print_memory();
    free(table);
    return EXIT_SUCCESS;
}
