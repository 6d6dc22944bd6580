#include "procfs.h"

#include "io.h"
#include "large.h"

#include <string.h>

char al_procfs_text[AL_PROCFS_BYTES] AL_ON_PAGES __attribute__((aligned(AL_PROCFS_BYTES)));

/* The value of "Name:   123"; 0 without such a line. */
static uint64_t number_of(const char *status, const char *name)
{
    size_t length = strlen(name);
    uint64_t value = 0;

    for (const char *line = status; line; line = strchr(line, '\n')) {
        if (*line == '\n')
            line++;
        if (strncmp(line, name, length) != 0 || line[length] != ':')
            continue;
        line += length + 1;
        line += strspn(line, " \t");
        for (; *line >= '0' && *line <= '9'; line++)
            value = value * 10 + (uint64_t)(*line - '0');
        break;
    }
    return value;
}

/* The value of "Name:   123 kB", in bytes. */
static uint64_t kilobytes_of(const char *status, const char *name)
{
    return number_of(status, name) * 1024;
}

void al_memory_status_parse(const char *status, struct al_memory_status *ret_status)
{
    ret_status->parent = number_of(status, "PPid");
    ret_status->peak_virtual = kilobytes_of(status, "VmPeak");
    ret_status->virtual = kilobytes_of(status, "VmSize");
    ret_status->locked = kilobytes_of(status, "VmLck");
    ret_status->resident = kilobytes_of(status, "VmRSS");
    ret_status->peak_resident = kilobytes_of(status, "VmHWM");
    ret_status->swapped = kilobytes_of(status, "VmSwap");
    ret_status->huge = kilobytes_of(status, "HugetlbPages");
}

int al_memory_status_read(struct al_memory_status *ret_status)
{
    /* Larger than the lines from the first on memory on. */
    char *status = al_procfs_text;
    long length = al_io_read_file("/proc/self/status", status, AL_PROCFS_BYTES);

    /* In front of them stands the line of groups, of which there may be 65,536. */
    if (length == AL_PROCFS_BYTES - 1)
        length = al_io_read_file_from("/proc/self/status", "\nVmPeak:", status, AL_PROCFS_BYTES);

    if (length < 0) {
        memset(ret_status, 0, sizeof(*ret_status));
        return (int)length;
    }
    al_memory_status_parse(status, ret_status);
    return 0;
}

int al_command_line_read(char *ret_line, size_t size)
{
    long length = al_io_read_file("/proc/self/cmdline", ret_line, size);

    if (length < 0) {
        ret_line[0] = '\0';
        return (int)length;
    }
    while (length && ret_line[length - 1] == '\0')
        length--;
    for (long i = 0; i < length; i++)
        if (ret_line[i] == '\0')
            ret_line[i] = ' ';
    return 0;
}
