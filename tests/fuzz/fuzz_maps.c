/* Lines of /proc/self/maps. What is taken for a mapping is one. */
#include "fuzz.h"
#include "maps.h"

#include <string.h>

static void visit(char *line, void *data)
{
    size_t length = strlen(line);
    struct al_mapping mapping = {0};

    (void)data;
    if (!al_mapping_parse(line, &mapping))
        return;
    fuzz_expect(mapping.start < mapping.end);
    fuzz_expect(mapping.name >= line && mapping.name <= line + length);
    (void)al_mapping_is_kernels(&mapping);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_lines(bytes, size, visit, NULL);
    return 0;
}
