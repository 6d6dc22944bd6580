/* Lines of /proc/self/smaps. */
#include "fuzz.h"
#include "smaps.h"

static void visit(char *line, void *data)
{
    al_smaps_line(data, line);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct al_smaps smaps = {0};

    fuzz_lines(bytes, size, visit, &smaps);
    (void)al_smaps_end(&smaps);
    return 0;
}
