#include "faults_symbols.h"

#include "memory.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUCKETS = 256, RULES_MAX = 1 << 16 };

enum how {
    SAME,     /* as in the frame itself */
    SAVED,    /* in memory, `offset` from the frame's address */
    COMPUTED, /* the frame's address and `offset` */
    GONE
};

/* How the caller's registers are found at one place of the code. */
struct rules {
    struct rules *next;
    uint64_t address;
    bool known;
    int base; /* the register that the frame's address is reckoned from */
    int64_t base_offset;
    struct {
        enum how how;
        int64_t offset;
    } of[FAULTS_REGISTERS];
};

struct faults_module {
    struct faults_module *next;
    const char *path;
    uint64_t inode;
    bool usable;
    Dwfl *dwfl;
    Dwfl_Module *module;
    Elf *elf;
    GElf_Addr bias;
    Dwarf_CFI *frames;
    GElf_Addr frames_bias;
    struct rules *rules[BUCKETS];
    size_t rules_count;
};

static struct faults_module *modules;

/* -- files --------------------------------------------------------------------------------------
 */

static int no_file(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base,
                   char **ret_file, Elf **ret_elf)
{
    (void)module;
    (void)data;
    (void)name;
    (void)base;
    (void)ret_file;
    (void)ret_elf;
    return -1;
}

static bool is_that_file(const char *path, uint64_t inode)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && status.st_ino == inode;
}

static void open_module(struct faults_module *module)
{
    static char *debug_path;
    static const Dwfl_Callbacks callbacks = {
        .find_elf = no_file,
        .find_debuginfo = dwfl_standard_find_debuginfo,
        .section_address = dwfl_offline_section_address,
        .debuginfo_path = &debug_path,
    };

    if (module->path[0] != '/' || !is_that_file(module->path, module->inode))
        return;
    module->dwfl = dwfl_begin(&callbacks);
    if (!module->dwfl)
        return;
    dwfl_report_begin(module->dwfl);
    module->module = dwfl_report_offline(module->dwfl, module->path, module->path, -1);
    (void)dwfl_report_end(module->dwfl, NULL, NULL);
    if (module->module)
        module->elf = dwfl_module_getelf(module->module, &module->bias);
    module->usable = module->elf != NULL;
    if (module->usable)
        module->frames = dwfl_module_eh_cfi(module->module, &module->frames_bias);
}

struct faults_module *faults_module(const char *path, uint64_t inode)
{
    struct faults_module *module = modules;

    while (module && (module->inode != inode || strcmp(module->path, path) != 0))
        module = module->next;
    if (!module) {
        module = allocate(sizeof(*module));
        module->path = text_of("%s", path);
        module->inode = inode;
        module->next = modules;
        modules = module;
        open_module(module);
    }
    return module->usable ? module : NULL;
}

void faults_modules_close(void)
{
    for (struct faults_module *module = modules; module; module = module->next) {
        if (module->dwfl)
            dwfl_end(module->dwfl);
        module->dwfl = NULL;
        module->usable = false;
    }
}

/* As the file has it, without where libdw has put it. */
static bool address_of(const struct faults_module *module, uint64_t offset, GElf_Addr *ret_address)
{
    size_t count;

    if (elf_getphdrnum(module->elf, &count))
        return false;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr header;

        if (gelf_getphdr(module->elf, (int)i, &header) && header.p_type == PT_LOAD &&
            offset >= header.p_offset && offset - header.p_offset < header.p_filesz) {
            *ret_address = offset - header.p_offset + header.p_vaddr;
            return true;
        }
    }
    return false;
}

/* -- frames -------------------------------------------------------------------------------------
 */

/* The frame's address is a register's value and a number; what is computed otherwise is in places
 * that nobody stays in for long. */
static bool read_base(Dwarf_Frame *frame, struct rules *rules)
{
    Dwarf_Op *ops;
    size_t count;

    if (dwarf_frame_cfa(frame, &ops, &count) || count != 1)
        return false;
    if (ops[0].atom >= DW_OP_breg0 && ops[0].atom <= DW_OP_breg31) {
        rules->base = ops[0].atom - DW_OP_breg0;
        rules->base_offset = (int64_t)ops[0].number;
    } else if (ops[0].atom == DW_OP_bregx) {
        rules->base = (int)ops[0].number;
        rules->base_offset = (int64_t)ops[0].number2;
    } else {
        return false;
    }
    return rules->base < FAULTS_REGISTERS;
}

static void read_rule(Dwarf_Frame *frame, int number, struct rules *rules)
{
    Dwarf_Op memory[3];
    Dwarf_Op *ops;
    size_t count;
    int64_t offset = 0;

    rules->of[number].how = GONE;
    if (dwarf_frame_register(frame, number, memory, &ops, &count))
        return;
    if (count == 0) {
        rules->of[number].how = ops ? GONE : SAME;
        return;
    }
    if (ops[0].atom != DW_OP_call_frame_cfa)
        return;
    if (count > 1 && ops[1].atom == DW_OP_plus_uconst)
        offset = (int64_t)ops[1].number;
    else if (count > 1 && ops[1].atom != DW_OP_stack_value)
        return;
    rules->of[number].offset = offset;
    rules->of[number].how = ops[count - 1].atom == DW_OP_stack_value ? COMPUTED : SAVED;
}

static void read_rules(const struct faults_module *module, struct rules *rules)
{
    Dwarf_Frame *frame;
    int return_address;

    if (!module->frames ||
        dwarf_cfi_addrframe(module->frames, rules->address + module->bias - module->frames_bias,
                            &frame))
        return;
    return_address = dwarf_frame_info(frame, NULL, NULL, NULL);
    rules->known =
        return_address >= 0 && return_address < FAULTS_REGISTERS && read_base(frame, rules);
    for (int i = 0; rules->known && i < FAULTS_REGISTERS; i++)
        read_rule(frame, i, rules);
    if (rules->known && return_address != FAULTS_PC)
        rules->of[FAULTS_PC] = rules->of[return_address];
    free(frame);
    /* To return leaves the stack pointer behind the frame. */
    rules->of[FAULTS_SP].how = COMPUTED;
    rules->of[FAULTS_SP].offset = 0;
}

static const struct rules *rules_at(struct faults_module *module, uint64_t address)
{
    struct rules **bucket = &module->rules[address % BUCKETS];
    struct rules *rules = *bucket;

    while (rules && rules->address != address)
        rules = rules->next;
    if (!rules && module->rules_count < RULES_MAX) {
        rules = allocate(sizeof(*rules));
        rules->address = address;
        read_rules(module, rules);
        rules->next = *bucket;
        *bucket = rules;
        module->rules_count++;
    }
    return rules && rules->known ? rules : NULL;
}

static bool is_known(const struct faults_registers *registers, int number)
{
    return registers->known >> number & 1;
}

bool faults_module_step(struct faults_module *module, uint64_t offset, bool call,
                        struct faults_registers *registers, const char *stack, size_t stack_bytes,
                        uint64_t stack_start)
{
    struct faults_registers caller = {.known = 0};
    const struct rules *rules;
    GElf_Addr address;
    uint64_t base;

    if (!address_of(module, call ? offset - 1 : offset, &address))
        return false;
    rules = rules_at(module, address);
    if (!rules || !is_known(registers, rules->base))
        return false;
    base = registers->value[rules->base] + (uint64_t)rules->base_offset;
    for (int i = 0; i < FAULTS_REGISTERS; i++) {
        uint64_t at = base + (uint64_t)rules->of[i].offset - stack_start;

        if (rules->of[i].how == COMPUTED)
            caller.value[i] = base + (uint64_t)rules->of[i].offset;
        else if (rules->of[i].how == SAME && is_known(registers, i))
            caller.value[i] = registers->value[i];
        else if (rules->of[i].how == SAVED && stack_bytes >= 8 && at <= stack_bytes - 8)
            memcpy(&caller.value[i], stack + at, sizeof(caller.value[i]));
        else
            continue;
        caller.known |= UINT64_C(1) << i;
    }
    *registers = caller;
    return is_known(registers, FAULTS_PC) && registers->value[FAULTS_PC] != 0;
}

/* -- names --------------------------------------------------------------------------------------
 */

struct faults_place faults_module_place(struct faults_module *module, uint64_t offset, bool call)
{
    struct faults_place place = {0};
    GElf_Off within;
    GElf_Sym symbol;
    GElf_Addr address;
    Dwfl_Line *line;

    if (!address_of(module, call ? offset - 1 : offset, &address))
        return place;
    address += module->bias;
    /* A function with a size that the address is beyond is another one, without a name. */
    place.function =
        dwfl_module_addrinfo(module->module, address, &within, &symbol, NULL, NULL, NULL);
    if (place.function && symbol.st_size && within >= symbol.st_size)
        place.function = NULL;
    line = dwfl_module_getsrc(module->module, address);
    if (line)
        place.source = dwfl_lineinfo(line, NULL, &place.line, NULL, NULL, NULL);
    if (place.function)
        place.function = text_of("%s", place.function);
    if (place.source)
        place.source = text_of("%s", place.source);
    return place;
}
