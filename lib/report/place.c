#include "place.h"

#include "io.h"
#include "sys.h"
#include "text.h"
#include "variable.h"

#include <fcntl.h>
#include <string.h>

static const char service_suffix[] = ".service";

static bool ends_in_service(const char *name, size_t length)
{
    size_t suffix = sizeof(service_suffix) - 1;

    return length > suffix && memcmp(name + length - suffix, service_suffix, suffix) == 0;
}

/*
 * Of the path of a cgroup, the unit whose limits count: the last one, but for a service of a user's
 * own manager that manager, from which it has its limits and above whose it cannot go.
 */
static bool unit_of_path(const char *path, size_t length, struct al_text *unit)
{
    const char *manager = memmem(path, length, "/user@", strlen("/user@"));
    const char *end = path + length;
    const char *name = memrchr(path, '/', length);

    if (!name || !ends_in_service(name + 1, (size_t)(end - name - 1)))
        return false;
    if (manager) {
        name = manager;
        end = memchr(name + 1, '/', (size_t)(end - name - 1));
        end = end ? end : path + length;
    }
    al_text_bytes(unit, name + 1, (size_t)(end - name - 1));
    return true;
}

/* systemd's own hierarchy is the unified one, or with version 1 the one of its name. */
static const char *path_of_line(const char *line)
{
    if (strncmp(line, "0::", 3) == 0)
        return line + 3;
    line += strspn(line, "0123456789");
    return strncmp(line, ":name=systemd:", 14) == 0 ? line + 14 : NULL;
}

static bool find_unit(const char *cgroup, struct al_text *unit)
{
    while (*cgroup) {
        size_t length = strcspn(cgroup, "\n");
        const char *path = path_of_line(cgroup);

        if (path && unit_of_path(path, (size_t)(cgroup + length - path), unit))
            return true;
        cgroup += length + (cgroup[length] == '\n');
    }
    return false;
}

void al_place_judge(const struct al_place_signs *signs, struct al_place *ret_place)
{
    struct al_text unit = al_text_over(ret_place->unit, sizeof(ret_place->unit));

    /* Of containers within services the inner one has set the limits. */
    if (signs->kubernetes || strstr(signs->cgroup, "kubepods"))
        ret_place->kind = AL_PLACE_KUBERNETES;
    else if (signs->podman || strstr(signs->cgroup, "/libpod-"))
        ret_place->kind = AL_PLACE_PODMAN;
    else if (signs->docker || strstr(signs->cgroup, "/docker/") ||
             strstr(signs->cgroup, "/docker-"))
        ret_place->kind = AL_PLACE_DOCKER;
    /* A session's shell may have inherited the variable; a scope is no service. */
    else if (find_unit(signs->cgroup, &unit) ||
             (signs->service && !strstr(signs->cgroup, ".scope\n")))
        ret_place->kind = AL_PLACE_SYSTEMD;
    else
        ret_place->kind = AL_PLACE_SHELL;
}

static bool exists(const char *path)
{
    return al_sys3(SYS_faccessat, AT_FDCWD, path, F_OK) == 0;
}

void al_place_read(char *const environment[], struct al_place *ret_place)
{
    char cgroup[2048];
    struct al_place_signs signs = {.kubernetes =
                                       al_variable(environment, "KUBERNETES_SERVICE_HOST") != NULL,
                                   .podman = exists("/run/.containerenv"),
                                   .docker = exists("/.dockerenv"),
                                   .service = al_variable(environment, "INVOCATION_ID") != NULL,
                                   .cgroup = cgroup};

    if (al_io_read_file("/proc/self/cgroup", cgroup, sizeof(cgroup)) < 0)
        cgroup[0] = '\0';
    al_place_judge(&signs, ret_place);
}
