/*
 * Takes memory in small steps, touches each, and says after the last what the kernel counts.
 *
 *     small_steps MIB
 *
 * Every other step is a block of the heap, the rest are mappings. Prints VmLck and VmRSS in KiB.
 */
#include "expect.h"

enum { STEP = 64 << 10 };

int main(int argc, char **argv)
{
    size_t steps = (argc > 1 ? strtoul(argv[1], NULL, 10) : 1) * (1 << 20) / STEP;
    long most = 0;

    if (!getenv("EXPECT_NO_LIBRARY"))
        prove_loaded();
    for (size_t i = 0; i < steps; i++) {
        char *step =
            i % 2 ? mmap(NULL, STEP, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                  : malloc(STEP);
        long locked;

        expect(step && step != MAP_FAILED);
        memset(used(step), 1, STEP);
        locked = status_kb("VmLck");
        most = locked > most ? locked : most;
    }
    dprintf(STDOUT_FILENO, "%ld %ld\n", most, status_kb("VmRSS"));
    return 0;
}
