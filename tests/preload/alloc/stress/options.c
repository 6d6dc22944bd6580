#include "stress.h"

#include <time.h>

struct options options = {
    .seed = 1,
    .operations = 300000,
    .threads = 4,
    .rounds = 8,
    .slots = 8192,
    .blocks_claimed = true,
    .regions_claimed = true,
    .slack_checked = true,
};

void options_read(char **argument)
{
    for (; *argument; argument++) {
        const char *value = strchr(*argument, '=');
        unsigned long number = value ? strtoul(value + 1, NULL, 10) : 0;
        size_t length = value ? (size_t)(value - *argument) : strlen(*argument);

#define OPTION(text) (length == strlen(text) && strncmp(*argument, text, length) == 0)
        if (OPTION("seed"))
            options.seed = number ? number : (unsigned long)time(NULL);
        else if (OPTION("operations"))
            options.operations = number;
        else if (OPTION("threads"))
            options.threads = (unsigned)number;
        else if (OPTION("rounds"))
            options.rounds = (unsigned)number;
        else if (OPTION("slots"))
            options.slots = (unsigned)number;
        else if (OPTION("fork"))
            options.fork = (unsigned)number;
        else if (OPTION("breaks"))
            options.breaks = true;
        else if (OPTION("blocks-not-seen"))
            options.blocks_claimed = false;
        else if (OPTION("allocator"))
            options.allocator = value + 1;
        else if (OPTION("regions-not-seen"))
            options.regions_claimed = false;
        else if (OPTION("no-leaving"))
            options.no_leaving = true;
        else if (OPTION("no-closing"))
            options.no_closing = true;
        else if (OPTION("marks-only"))
            options.marks_only = true;
        else if (OPTION("no-slack"))
            options.slack_checked = false;
        else
            end_with_1("no such option: %s\n", *argument);
#undef OPTION
    }
    expect(options.threads >= 1 && options.threads <= MAX_THREADS && options.slots &&
           options.rounds);
}
