#include "step.h"

#include "../preload/expect.h"

#if defined(__x86_64__)

#    include <link.h>
#    include <signal.h>
#    include <ucontext.h>

enum { TRACE_MAX = 1 << 20, TEXT_MAX = 1 << 18 };

static const greg_t trap_flag = 0x100;

static enum { NOTHING, RECORD, INTERRUPT, STEP_OVER } doing;
static uintptr_t text;
static uintptr_t text_end;

/* Of the call that was recorded. */
static uint32_t trace[TRACE_MAX]; /* offset of each instruction of the library */
static size_t traced;
static uint32_t chosen[TRACE_MAX]; /* numbers in it */

/* Of the call that is interrupted: the instruction, and how often it is executed before. */
static uint32_t place;
static unsigned passes;
static uint8_t instruction; /* the first byte of what stands there */

/* One byte that raises SIGTRAP. */
static const uint8_t breakpoint = 0xCC;

static void set_breakpoint(void)
{
    instruction = *(uint8_t *)(text + place);
    *(volatile uint8_t *)(text + place) = breakpoint;
}

static void clear_breakpoint(void)
{
    *(volatile uint8_t *)(text + place) = instruction;
}

long step_system_call(long number, long a, long b, long c, long d, long e, long f)
{
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

/* SIGUSR1 waits while the handler of SIGTRAP runs: it comes before the instruction that we return
 * to. */
static void raise_here(void)
{
    long process = step_system_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
    long thread = step_system_call(SYS_gettid, 0, 0, 0, 0, 0, 0);

    (void)step_system_call(SYS_tgkill, process, thread, SIGUSR1, 0, 0, 0);
}

/* The breakpoint has been reached: the instruction itself is what comes next. */
static void reached(greg_t *registers)
{
    clear_breakpoint();
    registers[REG_RIP] = (greg_t)text + place;
    if (passes) {
        passes--;
        doing = STEP_OVER;
        registers[REG_EFL] |= trap_flag;
        return;
    }
    doing = NOTHING;
    raise_here();
}

static void trapped(int number, siginfo_t *info, void *data)
{
    greg_t *registers = ((ucontext_t *)data)->uc_mcontext.gregs;
    uintptr_t at = (uintptr_t)registers[REG_RIP];

    (void)number;
    (void)info;
    if (doing == INTERRUPT) {
        reached(registers);
    } else if (doing == STEP_OVER) {
        registers[REG_EFL] &= ~trap_flag;
        doing = INTERRUPT;
        set_breakpoint();
    } else if (doing == RECORD && at >= text && at < text_end && traced < TRACE_MAX) {
        trace[traced++] = (uint32_t)(at - text);
    }
}

static int find_library(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size;
    (void)data;
    if (!strstr(info->dlpi_name, "libautolock.so"))
        return 0;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];

        if (segment->p_type == PT_LOAD && segment->p_flags & PF_X) {
            text = info->dlpi_addr + segment->p_vaddr;
            text_end = text + segment->p_memsz;
        }
    }
    return 1;
}

void step_begin(void)
{
    struct sigaction action = {.sa_sigaction = trapped, .sa_flags = SA_SIGINFO};

    expect(sigaddset(&action.sa_mask, SIGUSR1) == 0);
    expect(sigaction(SIGTRAP, &action, NULL) == 0);
    expect(dl_iterate_phdr(find_library, NULL) == 1 && text_end);
    expect(step_system_call(SYS_mprotect, (long)(text & ~(uintptr_t)(PAGE - 1)),
                            (long)(text_end - (text & ~(uintptr_t)(PAGE - 1))),
                            PROT_READ | PROT_WRITE | PROT_EXEC, 0, 0, 0) == 0);
}

static void set_trap_flag(void)
{
    __asm__ volatile("sub $128, %%rsp; pushf; orl $0x100, (%%rsp); popf; add $128, %%rsp" ::
                         : "memory", "cc");
}

static void clear_trap_flag(void)
{
    __asm__ volatile("sub $128, %%rsp; pushf; andl $~0x100, (%%rsp); popf; add $128, %%rsp" ::
                         : "memory", "cc");
}

size_t step_record(void (*call)(void), bool all)
{
    static uint8_t seen[TEXT_MAX];
    size_t count = 0;

    traced = 0;
    doing = RECORD;
    set_trap_flag();
    call();
    clear_trap_flag();
    doing = NOTHING;
    memset(seen, 0, sizeof(seen));
    for (size_t i = 0; i < traced; i++) {
        expect(trace[i] < sizeof(seen));
        if (all || !seen[trace[i]])
            chosen[count++] = (uint32_t)i;
        seen[trace[i]] = 1;
    }
    return count;
}

bool step_interrupt(void (*call)(void), size_t number)
{
    size_t index = chosen[number];

    place = trace[index];
    passes = 0;
    for (size_t i = 0; i < index; i++)
        passes += trace[i] == place;
    doing = INTERRUPT;
    set_breakpoint();
    call();
    if (doing == NOTHING)
        return true;
    clear_breakpoint();
    doing = NOTHING;
    return false;
}

size_t step_recorded(void)
{
    return traced;
}

void step_left(void)
{
    doing = NOTHING;
}

uintptr_t step_place(void)
{
    return place;
}

#else

void step_begin(void)
{
    skip("single steps are known of x86-64 alone");
}

size_t step_record(void (*call)(void), bool all)
{
    (void)all;
    call();
    return 0;
}

bool step_interrupt(void (*call)(void), size_t number)
{
    (void)number;
    call();
    return false;
}

size_t step_recorded(void)
{
    return 0;
}

void step_left(void)
{
}

uintptr_t step_place(void)
{
    return 0;
}

long step_system_call(long number, long a, long b, long c, long d, long e, long f)
{
    return syscall(number, a, b, c, d, e, f);
}

#endif
