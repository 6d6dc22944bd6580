#include "machine.h"

#include "io.h"
#include "sys.h"

#include <string.h>
#include <sys/sysinfo.h>

static struct sysinfo ask(void)
{
    struct sysinfo info;

    memset(&info, 0, sizeof(info));
    if (al_sys1(SYS_sysinfo, &info))
        info.totalram = info.totalswap = 0;
    return info;
}

uint64_t al_machine_memory(void)
{
    struct sysinfo info = ask();
    uint64_t bytes;

    if (!info.totalram || __builtin_mul_overflow((uint64_t)info.totalram, info.mem_unit, &bytes))
        return UINT64_MAX;
    return bytes;
}

uint64_t al_machine_swap(void)
{
    struct sysinfo info = ask();

    return (uint64_t)info.totalswap * info.mem_unit;
}

uint64_t al_machine_available(void)
{
    char text[128];
    const char *at;
    uint64_t kilobytes = 0;

    if (al_io_read_file_from("/proc/meminfo", "MemAvailable:", text, sizeof(text)) <= 0)
        return UINT64_MAX;
    at = text + strcspn(text, "0123456789");
    for (; *at >= '0' && *at <= '9'; at++)
        kilobytes = kilobytes * 10 + (uint64_t)(*at - '0');
    return kilobytes << 10;
}
