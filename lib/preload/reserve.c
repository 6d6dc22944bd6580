#include "reserve.h"

#include "budget.h"
#include "cgroup.h"
#include "downgrades.h"
#include "headroom.h"
#include "io.h"
#include "machine.h"
#include "parse.h"
#include "process.h"
#include "real.h"
#include "reserve_heap.h"
#include "sys.h"
#include "text.h"

#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>

/* Of a main stack without a limit; and what is left to who grows it after us. */
static const uint64_t unlimited_stack = (uint64_t)2 << 30;
enum { STACK_MARGIN = 128 << 10 };

static uint64_t thread_size;

/* -- whether it can be had -----------------------------------------------------------------------
 */

/* More than others leave of the cgroup's memory would be the program's end as well. */
static uint64_t available_memory(void)
{
    uint64_t memory = al_machine_available();
    uint64_t cgroup;

    al_headroom_begin(al_cgroup_limit(""), AL_BUDGET_CGROUP_PERCENT);
    cgroup = al_headroom_left();
    return memory < cgroup ? memory : cgroup;
}

/*
 * A stack that cannot grow is a SIGSEGV, and memory that is not there is the end of some process:
 * asked before. A mapping is refused by the limit of address space and by strict overcommit.
 */
static bool has_room(uint64_t size)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    long probe;

    if (size > SIZE_MAX / 2 || size > available_memory())
        return false;
    probe = al_sys_mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (al_sys_failed(probe))
        return false;
    al_sys2(SYS_munmap, probe, size);
    return true;
}

static void not_had(const struct al_config *config, const char *name, uint64_t size,
                    const char *reason)
{
    char line[256];
    struct al_text text = al_text_over(line, sizeof(line));

    al_downgrade_add(reason);
    if (config->log < AL_LOG_WARN)
        return;
    al_text_string(&text, "libautolock: " AL_OPTION_PREFIX);
    al_text_string(&text, name);
    al_text_char(&text, '=');
    al_text_exact_size(&text, size);
    al_text_string(&text, ": ");
    al_text_string(&text, reason);
    al_text_char(&text, '\n');
    (void)al_stderr_write(&al_process.err, text.at, text.length);
}

/* -- stacks --------------------------------------------------------------------------------------
 */

/*
 * From the top down and with the stack pointer below, as a stack grows: kernels before 5.0 refuse
 * what is far below the pointer.
 */
static __attribute__((noinline)) void touch_stack(size_t depth)
{
    size_t page = al_page_size();
    volatile char *area;

    if (!depth || depth < page)
        return;
    area = __builtin_alloca(depth);
    for (size_t at = depth - page; at > page; at -= page)
        area[at] = 0;
    area[0] = 0;
}

/* How deep the main stack may still grow from here; 0 if this is not the main stack. */
static uint64_t room_of_main_stack(void)
{
    const char *top = (const char *)getauxval(AT_EXECFN);
    struct {
        uint64_t soft;
        uint64_t hard;
    } limit = {0};
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    uint64_t used;

    if (!top || (uintptr_t)top < here || al_sys4(SYS_prlimit64, 0, RLIMIT_STACK, 0, &limit))
        return 0;
    if (limit.soft > unlimited_stack)
        limit.soft = unlimited_stack;
    used = (uintptr_t)top + strlen(top) + al_page_size() - here + STACK_MARGIN;
    return used < limit.soft ? limit.soft - used : 0;
}

static void reserve_main_stack(const struct al_config *config)
{
    uint64_t room = room_of_main_stack();
    uint64_t depth = config->stack_reserve;

    if (depth > room) {
        not_had(config, "STACK_RESERVE", depth,
                "the main stack's limit (ulimit -s) allows less, which is had");
        depth = room;
    }
    if (depth && !has_room(depth)) {
        not_had(config, "STACK_RESERVE", depth,
                "stack reserve not had: not so much memory is free");
        return;
    }
    touch_stack((size_t)depth);
}

void al_reserve_thread_size(void)
{
    int (*get_default)(pthread_attr_t *);
    int (*set_default)(const pthread_attr_t *);
    int (*set_size)(pthread_attr_t *, size_t);
    int (*destroy)(pthread_attr_t *);
    pthread_attr_t attributes;

    if (!thread_size)
        return;
    *(void **)&get_default = al_real_find("pthread_getattr_default_np");
    *(void **)&set_default = al_real_find("pthread_setattr_default_np");
    *(void **)&set_size = al_real_find("pthread_attr_setstacksize");
    *(void **)&destroy = al_real_find("pthread_attr_destroy");
    if (!get_default || !set_default || !set_size || !destroy || get_default(&attributes))
        return;
    if (set_size(&attributes, (size_t)thread_size) || set_default(&attributes))
        not_had(al_process.run.config, "THREAD_STACK", thread_size,
                "thread stack size not had: libc does not take it");
    (void)destroy(&attributes);
    thread_size = 0;
}

/* -- all of it -----------------------------------------------------------------------------------
 */

static void reserve_heap(const struct al_config *config)
{
    if (!has_room(config->heap_reserve))
        not_had(config, "HEAP_RESERVE", config->heap_reserve,
                "heap reserve not had: not so much memory is free");
    else if (!al_reserve_heap(config->heap_reserve))
        not_had(config, "HEAP_RESERVE", config->heap_reserve,
                "heap reserve not had: the allocator gave less");
}

void al_reserve_start(const struct al_config *config)
{
    thread_size = config->thread_stack;
    al_reserve_thread_size();
    if (config->arenas && !al_reserve_arenas(config->arenas))
        not_had(config, "ARENAS", config->arenas, "malloc arenas not capped: libc has none");
    if (config->heap_reserve)
        reserve_heap(config);
    if (config->stack_reserve)
        reserve_main_stack(config);
}
