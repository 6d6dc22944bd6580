/* What the kernel says of cgroups, in one input: the first byte tells as which file it is read. */
#include "cgroup_parse.h"
#include "fuzz.h"

#include <string.h>

struct input {
    uint8_t file;
    struct al_cgroup cgroup;
};

static void visit(char *line, void *data)
{
    struct input *input = data;
    size_t length = strlen(line);

    if (input->file % 3 == 0) {
        al_cgroup_parse_line(line, &input->cgroup);
        fuzz_expect(memchr(input->cgroup.path, '\0', sizeof(input->cgroup.path)));
        fuzz_expect(!strstr(input->cgroup.path, "/../"));
        fuzz_expect(!*input->cgroup.path || *input->cgroup.path == '/');
    } else if (input->file % 3 == 1) {
        (void)al_cgroup_parse_limit(line);
    } else {
        char *mount = al_cgroup_parse_mount(line, input->file & 4 ? AL_CGROUP_V1 : AL_CGROUP_V2);

        fuzz_expect(!mount || (mount >= line && mount + strlen(mount) <= line + length));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {0};

    if (!size)
        return 0;
    input.file = bytes[0];
    fuzz_lines(bytes + 1, size - 1, visit, &input);
    return 0;
}
