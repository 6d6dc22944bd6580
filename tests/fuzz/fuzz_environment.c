/*
 * The environment, its variables separated by zeros. Whatever it is, the options are of the values
 * that they may have: printed and read again they are the same, and nothing is wrong with them.
 */
#include "fuzz.h"
#include "options.h"

#include <string.h>

enum { VARIABLES_MAX = 64, TEXT_SIZE = 16384 };

static void expect_same_when_read_again(const struct al_config *config)
{
    static char settings[VARIABLES_MAX][AL_OPTION_PATH_SIZE + 64];
    static struct al_config again;
    static char bytes[TEXT_SIZE];
    char *environment[VARIABLES_MAX + 1] = {NULL};
    struct al_text problems = al_text_over(bytes, sizeof(bytes));

    for (size_t i = 0; i < al_option_count; i++) {
        struct al_text setting = al_text_over(settings[i], sizeof(settings[i]));

        al_text_string(&setting, AL_OPTION_PREFIX);
        al_text_string(&setting, al_options[i].name);
        al_text_char(&setting, '=');
        al_option_print(&setting, &al_options[i], config);
        fuzz_expect(!setting.cut);
        environment[i] = settings[i];
    }
    (void)al_config_read(&again, environment, &problems);
    (void)fputs(bytes, stderr);
    fuzz_expect(!problems.length);
    for (size_t i = 0; i < al_option_count; i++) {
        static char once[TEXT_SIZE];
        static char twice[TEXT_SIZE];
        struct al_text first = al_text_over(once, sizeof(once));
        struct al_text second = al_text_over(twice, sizeof(twice));

        al_option_print(&first, &al_options[i], config);
        al_option_print(&second, &al_options[i], &again);
        fuzz_expect(strcmp(once, twice) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct al_config config;
    char *copy = fuzz_text(bytes, size);
    char *environment[VARIABLES_MAX + 1] = {NULL};
    /* As short as it comes, so that it is cut as well. */
    size_t room = size % 3 ? TEXT_SIZE : 1 + size % 200;
    char *said = malloc(room);
    struct al_text problems = al_text_over(said, room);
    unsigned count;

    for (size_t at = 0, i = 0; at <= size && i < VARIABLES_MAX; at += strlen(copy + at) + 1)
        environment[i++] = copy + at;
    count = al_config_read(&config, environment, &problems);
    fuzz_expect((count == 0) == (problems.length == 0 && !problems.cut));
    fuzz_expect(strlen(said) == problems.length);
    for (size_t i = 0; i < problems.length; i++)
        fuzz_expect(said[i] == '\n' || (unsigned char)said[i] >= ' ');
    expect_same_when_read_again(&config);
    free(said);
    free(copy);
    return 0;
}
