#include "check_call.h"

#include "memlock.h"
#include "variable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void make_path(char path[PATH_MAX], const char *root, const char *name)
{
    (void)snprintf(path, PATH_MAX, "%s%s", root, name);
}

/* The first line, without its end; "" if there is none. */
static void read_line(char *ret_line, size_t size, const char *root, const char *name)
{
    char path[PATH_MAX];
    FILE *file;

    make_path(path, root, name);
    file = fopen(path, "re");
    if (!file || !fgets(ret_line, (int)size, file))
        ret_line[0] = '\0';
    ret_line[strcspn(ret_line, "\n")] = '\0';
    if (file)
        (void)fclose(file);
}

static uint64_t number_of(const char *text)
{
    char *end;
    uint64_t value = strtoull(text, &end, 10);

    return end == text ? CHECK_UNKNOWN : value;
}

static uint64_t read_number(const char *root, const char *name)
{
    char line[64];

    read_line(line, sizeof(line), root, name);
    return number_of(line);
}

/* Of "always [madvise] never" the word in brackets. */
static void read_choice(char ret_word[16], const char *root, const char *name)
{
    char line[128];
    const char *begin;

    read_line(line, sizeof(line), root, name);
    begin = strchr(line, '[');
    ret_word[0] = '\0';
    if (begin)
        (void)snprintf(ret_word, 16, "%.*s", (int)strcspn(begin + 1, "]"), begin + 1);
}

/* -- lists of "Name:  value" ---------------------------------------------------------------- */

enum number { DECIMAL, KILOBYTES, SET };

struct field {
    const char *name;
    enum number number;
    uint64_t *value;
};

static void take_field(const struct field *fields, size_t count, const char *line)
{
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(fields[i].name);
        const char *text = line + length + 1;

        if (strncmp(line, fields[i].name, length) != 0 || line[length] != ':')
            continue;
        if (fields[i].number == SET)
            *fields[i].value = strtoull(text, NULL, 16);
        else
            *fields[i].value = number_of(text);
        if (fields[i].number == KILOBYTES && *fields[i].value < CHECK_UNKNOWN / 1024)
            *fields[i].value *= 1024;
    }
}

static bool read_fields(const char *root, const char *name, const struct field *fields,
                        size_t count)
{
    char path[PATH_MAX];
    char *line = NULL;
    size_t size = 0;
    FILE *file;

    make_path(path, root, name);
    file = fopen(path, "re");
    if (!file)
        return false;
    while (getline(&line, &size, file) > 0)
        take_field(fields, count, line);
    free(line);
    (void)fclose(file);
    return true;
}

/* -- this process --------------------------------------------------------------------------- */

static void read_status(struct check_surroundings *ret, const char *root)
{
    uint64_t user = geteuid();
    uint64_t group = getegid();
    uint64_t no_new_privs = 0;
    uint64_t seccomp = CHECK_UNKNOWN;
    const struct field fields[] = {
        {"Uid", DECIMAL, &user},
        {"Gid", DECIMAL, &group},
        {"CapInh", SET, &ret->cap_inheritable},
        {"CapEff", SET, &ret->cap_effective},
        {"CapBnd", SET, &ret->cap_bounding},
        {"CapAmb", SET, &ret->cap_ambient},
        {"NoNewPrivs", DECIMAL, &no_new_privs},
        {"Seccomp", DECIMAL, &seccomp},
    };

    ret->proc = read_fields(root, "/proc/self/status", fields, sizeof(fields) / sizeof(fields[0]));
    /* Of what a user's process has, a program that it executes gets only this. */
    if (user)
        ret->cap_effective = ret->cap_ambient;
    ret->user = (unsigned)user;
    ret->group = (unsigned)group;
    ret->no_new_privs = no_new_privs == 1;
    ret->seccomp = seccomp == CHECK_UNKNOWN ? -1 : (int)seccomp;
}

static void read_limits(struct check_surroundings *ret, const char *root)
{
    char path[PATH_MAX];

    make_path(path, root, "/proc/self/limits");
    ret->soft_limit = ret->hard_limit = 0;
    (void)memlock_read(path, &ret->soft_limit, &ret->hard_limit);
}

/* The machine's first user namespace has this number for ever (PROC_USER_INIT_INO). */
static bool in_user_namespace(const char *root)
{
    static const char first[] = "user:[4026531837]";
    char path[PATH_MAX];
    char link[64];
    ssize_t length;

    make_path(path, root, "/proc/self/ns/user");
    length = readlink(path, link, sizeof(link) - 1);
    if (length < 0)
        return false;
    link[length] = '\0';
    return strcmp(link, first) != 0;
}

static bool is_there(const char *root, const char *name)
{
    char path[PATH_MAX];
    struct stat status;

    make_path(path, root, name);
    return stat(path, &status) == 0;
}

static void read_place(struct check_surroundings *ret, const char *root, char *const environment[])
{
    char path[PATH_MAX];
    char cgroup[4096];
    struct al_place_signs signs = {.kubernetes =
                                       al_variable(environment, "KUBERNETES_SERVICE_HOST") != NULL,
                                   .podman = is_there(root, "/run/.containerenv"),
                                   .docker = is_there(root, "/.dockerenv"),
                                   .service = al_variable(environment, "INVOCATION_ID") != NULL,
                                   .cgroup = cgroup};
    FILE *file;
    size_t length = 0;

    make_path(path, root, "/proc/self/cgroup");
    file = fopen(path, "re");
    if (file) {
        length = fread(cgroup, 1, sizeof(cgroup) - 1, file);
        (void)fclose(file);
    }
    cgroup[length] = '\0';
    al_place_judge(&signs, &ret->place);
}

/* -- the machine ---------------------------------------------------------------------------- */

static void read_kernel(struct check_surroundings *ret, const char *root)
{
    char *end;

    read_line(ret->kernel, sizeof(ret->kernel), root, "/proc/sys/kernel/osrelease");
    ret->kernel_major = (unsigned)strtoul(ret->kernel, &end, 10);
    if (*end == '.')
        ret->kernel_minor = (unsigned)strtoul(end + 1, NULL, 10);
}

/* "0-1,3" are three. */
static uint64_t read_count(const char *root, const char *name)
{
    char line[1024];
    char *at = line;
    uint64_t count = 0;

    read_line(line, sizeof(line), root, name);
    while (*at >= '0' && *at <= '9') {
        uint64_t first = strtoull(at, &at, 10);
        uint64_t last = *at == '-' ? strtoull(at + 1, &at, 10) : first;

        count += last >= first ? last - first + 1 : 0;
        at += *at == ',';
    }
    return count;
}

static void read_machine(struct check_surroundings *ret, const char *root)
{
    const struct field fields[] = {
        {"MemTotal", KILOBYTES, &ret->memory_total},
        {"MemAvailable", KILOBYTES, &ret->memory_available},
        {"SwapTotal", KILOBYTES, &ret->swap_total},
        {"SwapFree", KILOBYTES, &ret->swap_free},
        {"CommitLimit", KILOBYTES, &ret->commit_limit},
        {"Committed_AS", KILOBYTES, &ret->committed},
    };
    char line[16];

    ret->memory_total = ret->memory_available = CHECK_UNKNOWN;
    ret->commit_limit = ret->committed = CHECK_UNKNOWN;
    (void)read_fields(root, "/proc/meminfo", fields, sizeof(fields) / sizeof(fields[0]));
    read_line(line, sizeof(line), root, "/sys/module/zswap/parameters/enabled");
    ret->zswap = line[0] == 'Y';
    read_choice(ret->thp_enabled, root, "/sys/kernel/mm/transparent_hugepage/enabled");
    read_choice(ret->thp_defrag, root, "/sys/kernel/mm/transparent_hugepage/defrag");
    read_choice(ret->thp_shmem, root, "/sys/kernel/mm/transparent_hugepage/shmem_enabled");
    ret->ksm_run = read_number(root, "/sys/kernel/mm/ksm/run");
    ret->nodes = read_count(root, "/sys/devices/system/node/online");
    ret->numa_balancing = read_number(root, "/proc/sys/kernel/numa_balancing");
    ret->compact_unevictable = read_number(root, "/proc/sys/vm/compact_unevictable_allowed");
    ret->overcommit_memory = read_number(root, "/proc/sys/vm/overcommit_memory");
    ret->max_map_count = read_number(root, "/proc/sys/vm/max_map_count");
}

/* What al_privilege_raise and the kernel would make of it. */
static void guess_rights(struct check_surroundings *ret)
{
    bool lock = ret->cap_effective >> CHECK_IPC_LOCK & 1 && !ret->user_namespace;
    bool resource = ret->cap_effective >> CHECK_SYS_RESOURCE & 1 && !ret->user_namespace;

    ret->limit_that_holds = resource ? UINT64_MAX : ret->hard_limit;
    ret->exempt = lock || ret->limit_that_holds == UINT64_MAX;
    ret->lock_error = !ret->exempt && !ret->limit_that_holds ? -EPERM : 0;
}

void check_read(struct check_surroundings *ret, const char *root, char *const environment[])
{
    memset(ret, 0, sizeof(*ret));
    read_status(ret, root);
    read_limits(ret, root);
    ret->user_namespace = in_user_namespace(root);
    read_place(ret, root, environment);
    check_read_cgroup(ret, root);
    read_kernel(ret, root);
    read_machine(ret, root);
    guess_rights(ret);
}
