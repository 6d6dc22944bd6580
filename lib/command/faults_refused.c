#include "faults_refused.h"

#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char paranoid_file[] = "/proc/sys/kernel/perf_event_paranoid";

static bool read_number(int directory, const char *path, long *ret_number)
{
    char bytes[32];
    char *end;
    int fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes) - 1);

    if (fd >= 0)
        (void)close(fd);
    if (length <= 0)
        return false;
    bytes[length] = '\0';
    *ret_number = strtol(bytes, &end, 10);
    return end != bytes;
}

static bool is_filtered(void)
{
    FILE *status = fopen("/proc/self/status", "re");
    char line[256];
    int mode = 0;

    while (status && fgets(line, sizeof(line), status))
        if (sscanf(line, "Seccomp: %d", &mode) == 1)
            break;
    if (status)
        (void)fclose(status);
    return mode != 0;
}

const char *faults_refused(int error)
{
    long paranoid = 0;

    if (error == ENOSYS && !is_filtered())
        return "the kernel was built without perf events (CONFIG_PERF_EVENTS)";
    if (error != EACCES && error != EPERM && error != ENOSYS)
        return text_of("perf_event_open: %s", strerror(error));
    /* From 3 on, on kernels that know that, nobody may without a capability; below, everybody may
     * sample his own programs. */
    if (read_number(AT_FDCWD, paranoid_file, &paranoid) && paranoid > 2)
        return text_of("kernel.perf_event_paranoid is %ld; what helps: as root `sysctl "
                       "kernel.perf_event_paranoid=2`, or CAP_PERFMON for the command",
                       paranoid);
    if (is_filtered())
        return "a seccomp filter refuses perf_event_open; what helps: in a container "
               "`--cap-add PERFMON` or a seccomp profile that allows it";
    return text_of("perf_event_open: %s (kernel.perf_event_paranoid is %ld); what helps: "
                   "CAP_PERFMON for the command, or what the machine's security module asks for",
                   strerror(error), paranoid);
}

/*
 * The file system of tracepoints need not be mounted, or not here. To have one of one's own that is
 * nowhere in the tree takes root, as the events do.
 */
static int open_tracefs(void)
{
    int fd = open("/sys/kernel/tracing/events", O_PATH | O_DIRECTORY | O_CLOEXEC);

#ifdef SYS_fsopen
    if (fd < 0) {
        int context = (int)syscall(SYS_fsopen, "tracefs", 1 /* FSOPEN_CLOEXEC */);
        int mounted = -1;

        if (context >= 0 &&
            syscall(SYS_fsconfig, context, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0) == 0)
            mounted = (int)syscall(SYS_fsmount, context, 1 /* FSMOUNT_CLOEXEC */, 0);
        if (context >= 0)
            (void)close(context);
        if (mounted >= 0) {
            fd = openat(mounted, "events", O_PATH | O_DIRECTORY | O_CLOEXEC);
            (void)close(mounted);
        }
    }
#endif
    return fd;
}

int faults_tracepoint(const char *name)
{
    long id = -1;
    int events = open_tracefs();

    if (events < 0)
        return -1;
    if (!read_number(events, text_of("%s/id", name), &id))
        id = -1;
    (void)close(events);
    return (int)id;
}
