// A latency test that judges itself: once it is warm, no page may have to be read from disk or
// swap, and no lock may have failed. Exit status 1 if so. Without libautolock there is nothing to
// judge.
#include <autolock/autolock.h>

#include <cstdlib>
#include <iostream>
#include <numeric>
#include <vector>

// What has happened since the last mark; false where nobody counts.
static bool look(autolock_stats &stats)
{
    return autolock_snapshot && autolock_snapshot(&stats, sizeof(stats)) == 0;
}

static void mark(const char *phase)
{
    if (autolock_mark)
        autolock_mark(phase);
}

int main()
{
    std::vector<long> book(1 << 20);
    std::iota(book.begin(), book.end(), 1);

    mark("warm");
    std::cout << "sum " << std::accumulate(book.begin(), book.end(), 0L) << "\n";

    autolock_stats stats;
    if (!look(stats)) {
        std::cout << "not judged: libautolock is not at work here\n";
        return EXIT_SUCCESS;
    }
    const bool good = stats.faults_major_after_mark == 0 && stats.failures_total == 0;
    std::cout << (good ? "good" : "bad") << ": " << stats.faults_major_after_mark
              << " major faults, " << stats.failures_total << " failed locks, "
              << stats.skipped_budget << " regions past the budget\n";
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
