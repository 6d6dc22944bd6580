#include "run_page_parts.h"

#include "check_call.h"
#include "json_read.h"
#include "memory.h"
#include "status_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#if defined(__GLIBC__)
#    include <gnu/libc-version.h>
#endif

/* -- mappings -----------------------------------------------------------------------------------
 */

/* Those that are worth a row. */
enum { ROWS = 12 };

static json_t *kind_of(const struct status_bytes *bytes)
{
    return json_pack("{s:I,s:I,s:I,s:I}", "resident_bytes", (json_int_t)bytes->resident,
                     "locked_bytes", (json_int_t)(bytes->resident - bytes->unlocked),
                     "unlocked_bytes", (json_int_t)bytes->unlocked, "swap_bytes",
                     (json_int_t)bytes->swapped);
}

json_t *run_page_mappings(pid_t pid)
{
    static struct status_process process;
    const struct status_view view = {.order = STATUS_BY_UNLOCKED};
    struct status_table table;
    json_t *kinds = json_object();
    json_t *unlocked = json_array();

    if (status_read(&process, pid) != STATUS_FINE)
        return NULL;
    table = status_table_of(&process, &view);
    for (size_t i = 0; i < STATUS_KERNEL; i++)
        if (table.kind[i].mappings)
            (void)json_object_set_new(kinds, status_kind_names[i], kind_of(&table.kind[i]));
    for (size_t i = 0; i < table.rows && i < ROWS && table.row[i].bytes.unlocked; i++)
        (void)json_array_append_new(
            unlocked, json_pack("{s:o,s:s,s:I}", "name", json_read_string(table.row[i].name),
                                "kind", status_kind_names[table.row[i].kind], "resident_bytes",
                                (json_int_t)table.row[i].bytes.unlocked));
    free(table.row);
    return json_pack("{s:o,s:o}", "kinds", kinds, "unlocked", unlocked);
}

/* -- options ------------------------------------------------------------------------------------
 */

json_t *run_page_options(const struct al_config *config)
{
    json_t *list = json_array();

    for (size_t i = 0; i < al_option_count; i++) {
        char name[64];
        char value[AL_OPTION_LIST_SIZE];
        struct al_text text = al_text_over(value, sizeof(value));

        al_option_key(name, sizeof(name), &al_options[i]);
        al_option_print(&text, &al_options[i], config);
        (void)json_array_append_new(list, json_pack("[s,o,b]", name, json_read_string(value),
                                                    (int)(config->given >> i & 1)));
    }
    return list;
}

/* -- environment --------------------------------------------------------------------------------
 */

static void row(json_t *list, const char *name, const char *value)
{
    if (*value)
        (void)json_array_append_new(
            list, json_pack("[o,o]", json_read_string(name), json_read_string(value)));
}

static const char *size_or(uint64_t bytes, const char *none)
{
    return bytes == UINT64_MAX ? none : text_of("%s", check_size(bytes).text);
}

/* What stands behind the colon in the first line of that name. */
static const char *line_of(const char *path, const char *name)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;
    const char *found = "";

    while (file && !*found && getline(&line, &size, file) > 0) {
        const char *colon = strchr(line, ':');

        if (colon && strncmp(line, name, strlen(name)) == 0) {
            colon += strspn(colon, ": \t");
            found = text_of("%.*s", (int)strcspn(colon, "\n"), colon);
        }
    }
    if (file)
        (void)fclose(file);
    free(line);
    return found;
}

static const char *processor(void)
{
    const char *model = line_of("/proc/cpuinfo", "model name");
    long count = sysconf(_SC_NPROCESSORS_ONLN);

    return text_of("%s%s%ld online", model, *model ? ", " : "", count);
}

static const char *moment(void)
{
    char text[64];
    time_t now = time(NULL);
    struct tm parts;

    return gmtime_r(&now, &parts) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &parts)
               ? text_of("%s", text)
               : "";
}

static const char *c_library(void)
{
#if defined(__GLIBC__)
    return text_of("glibc %s", gnu_get_libc_version());
#else
    return "";
#endif
}

json_t *run_page_environment(void)
{
    static struct check_surroundings here;
    json_t *list = json_array();
    struct utsname names;

    check_read(&here, "", environ);
    row(list, "when", moment());
    if (uname(&names) == 0)
        row(list, "kernel", text_of("%s %s, %s", names.sysname, names.release, names.machine));
    row(list, "processors", processor());
    row(list, "C library of the command", c_library());
    row(list, "library", AL_VERSION);
    row(list, "limit of locked memory",
        text_of("%s, hard %s", size_or(here.soft_limit, "none"), size_or(here.hard_limit, "none")));
    row(list, "CAP_IPC_LOCK",
        here.cap_effective >> CHECK_IPC_LOCK & 1 ? "effective" : "not effective");
    row(list, "memory limit of the cgroup", size_or(here.cgroup_limit, "none"));
    row(list, "memory", size_or(here.memory_total, ""));
    row(list, "swap",
        here.swap_total ? text_of("%s, of which %s free", check_size(here.swap_total).text,
                                  size_or(here.swap_free, "an unknown part"))
                        : "none");
    row(list, "zswap", here.zswap ? "on" : "off");
    row(list, "transparent huge pages", here.thp_enabled);
    row(list, "NUMA nodes", here.nodes == UINT64_MAX ? "" : text_of("%ju", (uintmax_t)here.nodes));
    return list;
}
