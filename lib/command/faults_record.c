#include "faults_record.h"

#include <string.h>

#if defined(__x86_64__)
#    include <asm/perf_regs.h>
#endif

/* -- registers ----------------------------------------------------------------------------------
 */

#if defined(__x86_64__)

/* In the order of DWARF's numbers. */
static const int perf_numbers[FAULTS_REGISTERS] = {
    PERF_REG_X86_AX,  PERF_REG_X86_DX,  PERF_REG_X86_CX,  PERF_REG_X86_BX,  PERF_REG_X86_SI,
    PERF_REG_X86_DI,  PERF_REG_X86_BP,  PERF_REG_X86_SP,  PERF_REG_X86_R8,  PERF_REG_X86_R9,
    PERF_REG_X86_R10, PERF_REG_X86_R11, PERF_REG_X86_R12, PERF_REG_X86_R13, PERF_REG_X86_R14,
    PERF_REG_X86_R15, PERF_REG_X86_IP};

static int perf_number(int dwarf)
{
    return perf_numbers[dwarf];
}

uint64_t faults_register_mask(void)
{
    /* What a function has to leave as it was, and what changes from frame to frame. */
    return 1U << PERF_REG_X86_BX | 1U << PERF_REG_X86_BP | 1U << PERF_REG_X86_SP |
           1U << PERF_REG_X86_IP | 1U << PERF_REG_X86_R10 | 1U << PERF_REG_X86_R12 |
           1U << PERF_REG_X86_R13 | 1U << PERF_REG_X86_R14 | 1U << PERF_REG_X86_R15;
}

#elif defined(__aarch64__)

static int perf_number(int dwarf)
{
    return dwarf;
}

uint64_t faults_register_mask(void)
{
    /* x19 to x30, the stack pointer and the program counter. */
    return ((UINT64_C(1) << 33) - 1) & ~((UINT64_C(1) << 19) - 1);
}

#else

static int perf_number(int dwarf)
{
    return dwarf;
}

uint64_t faults_register_mask(void)
{
    return 0;
}

#endif

static void take_registers(const uint64_t *values, struct faults_registers *registers)
{
    uint64_t mask = faults_register_mask();

    for (int i = 0; i < FAULTS_REGISTERS; i++) {
        uint64_t bit = UINT64_C(1) << perf_number(i);

        if (mask & bit) {
            registers->value[i] = values[__builtin_popcountll(mask & (bit - 1))];
            registers->known |= UINT64_C(1) << i;
        }
    }
}

/* -- records ------------------------------------------------------------------------------------
 */

struct cursor {
    const char *at;
    size_t left;
};

/* 0 behind the end. */
static uint64_t next(struct cursor *cursor)
{
    uint64_t value = 0;

    if (cursor->left < sizeof(value)) {
        cursor->left = 0;
        return 0;
    }
    memcpy(&value, cursor->at, sizeof(value));
    cursor->at += sizeof(value);
    cursor->left -= sizeof(value);
    return value;
}

/* Two halves of a word, in the order in which they are stored. */
static void next_pair(struct cursor *cursor, uint32_t *ret_first, uint32_t *ret_second)
{
    uint64_t word = next(cursor);
    uint32_t halves[2];

    memcpy(halves, &word, sizeof(halves));
    *ret_first = halves[0];
    *ret_second = halves[1];
}

/* What other records end with: thread, time, event. */
enum { TRAILER = 24 };

uint64_t faults_record_time(const struct perf_event_header *header)
{
    /* In a sample it is the third word. */
    size_t at = header->type == PERF_RECORD_SAMPLE ? sizeof(*header) + 16U : header->size - 16U;
    uint64_t time = 0;

    if (header->size >= sizeof(*header) + TRAILER)
        memcpy(&time, (const char *)header + at, sizeof(time));
    return time;
}

static void read_sample(struct cursor *cursor, struct faults_record *record)
{
    uint64_t pointer = next(cursor);
    uint64_t stack_bytes;
    uint32_t pid;
    uint32_t tid;

    next_pair(cursor, &pid, &tid);
    record->pid = (pid_t)pid;
    record->tid = (pid_t)tid;
    (void)next(cursor); /* the time */
    record->address = next(cursor);
    record->id = next(cursor);
    record->registers.value[FAULTS_PC] = pointer;
    record->registers.known = UINT64_C(1) << FAULTS_PC;
    if (!faults_register_mask())
        return;
    if (next(cursor) != PERF_SAMPLE_REGS_ABI_NONE) {
        size_t count = (size_t)__builtin_popcountll(faults_register_mask());

        if (cursor->left < count * sizeof(uint64_t))
            return;
        /* Aligned: records begin at words, and consist of them. */
        take_registers((const uint64_t *)(const void *)cursor->at, &record->registers);
        cursor->at += count * sizeof(uint64_t);
        cursor->left -= count * sizeof(uint64_t);
    }
    stack_bytes = next(cursor);
    record->stack = cursor->at;
    record->stack_bytes = 0;
    if (stack_bytes > cursor->left || cursor->left - stack_bytes < sizeof(uint64_t))
        return;
    record->stack_bytes = (size_t)stack_bytes;
    cursor->at += record->stack_bytes;
    cursor->left -= record->stack_bytes;
    /* How much of it is filled. */
    if (record->stack_bytes) {
        uint64_t filled = next(cursor);

        if (filled < record->stack_bytes)
            record->stack_bytes = (size_t)filled;
    }
}

static bool read_mapped(struct cursor *cursor, struct faults_record *record)
{
    uint32_t pid;
    uint32_t tid;

    next_pair(cursor, &pid, &tid);
    record->pid = (pid_t)pid;
    record->tid = (pid_t)tid;
    record->start = next(cursor);
    record->end = record->start + next(cursor);
    record->offset = next(cursor);
    (void)next(cursor); /* the device */
    record->inode = next(cursor);
    (void)next(cursor); /* the inode's generation */
    next_pair(cursor, &record->protection, &record->flags);
    record->name = cursor->at;
    return cursor->left > TRAILER && memchr(record->name, '\0', cursor->left - TRAILER);
}

static bool read_named(struct cursor *cursor, uint16_t misc, struct faults_record *record)
{
    uint32_t pid;
    uint32_t tid;

    next_pair(cursor, &pid, &tid);
    record->pid = (pid_t)pid;
    record->tid = (pid_t)tid;
    record->name = cursor->at;
    record->executed = misc & PERF_RECORD_MISC_COMM_EXEC;
    return cursor->left > TRAILER && memchr(record->name, '\0', cursor->left - TRAILER);
}

static void read_forked(struct cursor *cursor, struct faults_record *record)
{
    uint32_t first;
    uint32_t second;

    next_pair(cursor, &first, &second);
    record->pid = (pid_t)first;
    record->parent = (pid_t)second;
    next_pair(cursor, &first, &second);
    record->tid = (pid_t)first;
}

bool faults_record_read(const struct perf_event_header *header, struct faults_record *ret_record)
{
    struct cursor cursor = {.at = (const char *)(header + 1),
                            .left = header->size - sizeof(*header)};

    *ret_record =
        (struct faults_record){.kind = FAULTS_OTHER, .time_ns = faults_record_time(header)};
    if (header->size < sizeof(*header) + TRAILER)
        return false;
    switch (header->type) {
    case PERF_RECORD_SAMPLE:
        ret_record->kind = FAULTS_MINOR;
        read_sample(&cursor, ret_record);
        return true;
    case PERF_RECORD_MMAP2:
        ret_record->kind = FAULTS_MAPPED;
        return read_mapped(&cursor, ret_record);
    case PERF_RECORD_COMM:
        ret_record->kind = FAULTS_NAMED;
        return read_named(&cursor, header->misc, ret_record);
    case PERF_RECORD_FORK:
    case PERF_RECORD_EXIT:
        ret_record->kind = header->type == PERF_RECORD_FORK ? FAULTS_FORKED : FAULTS_ENDED;
        read_forked(&cursor, ret_record);
        return true;
    case PERF_RECORD_LOST:
        ret_record->kind = FAULTS_LOST;
        (void)next(&cursor);
        ret_record->lost = next(&cursor);
        return true;
    default:
        return false;
    }
}
