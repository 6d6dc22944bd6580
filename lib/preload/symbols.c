#include "symbols.h"

#include "object.h"

#include <string.h>

/* What of an object's dynamic section says where its names are. */
struct names {
    const uint32_t *gnu_hash; /* NULL: the object has only the old table, or none */
    const uint32_t *hash;
    const ElfW(Sym) * symbols;
    const char *strings;
};

/* glibc has made addresses of them, other loaders leave them relative to the object. */
static const void *at(const struct dl_phdr_info *info, ElfW(Addr) value)
{
    return (const void *)(value < info->dlpi_addr ? value + info->dlpi_addr : value);
}

static bool read_names(const struct dl_phdr_info *info, struct names *ret_names)
{
    const ElfW(Dyn) *entry = al_object_dynamic(info);

    memset(ret_names, 0, sizeof(*ret_names));
    for (; entry && entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag == DT_GNU_HASH)
            ret_names->gnu_hash = at(info, entry->d_un.d_ptr);
        else if (entry->d_tag == DT_HASH)
            ret_names->hash = at(info, entry->d_un.d_ptr);
        else if (entry->d_tag == DT_SYMTAB)
            ret_names->symbols = at(info, entry->d_un.d_ptr);
        else if (entry->d_tag == DT_STRTAB)
            ret_names->strings = at(info, entry->d_un.d_ptr);
    }
    return ret_names->symbols && ret_names->strings && (ret_names->gnu_hash || ret_names->hash);
}

static bool is_definition(const struct names *names, uint32_t index, const char *name)
{
    const ElfW(Sym) *symbol = &names->symbols[index];

    return symbol->st_shndx != SHN_UNDEF && strcmp(names->strings + symbol->st_name, name) == 0;
}

static bool in_gnu_hash(const struct names *names, const char *name)
{
    const uint32_t buckets = names->gnu_hash[0];
    const uint32_t first = names->gnu_hash[1];
    const uint32_t bloom_words = names->gnu_hash[2];
    const uint32_t *bucket =
        names->gnu_hash + 4 + bloom_words * (sizeof(ElfW(Addr)) / sizeof(uint32_t));
    const uint32_t *chain = bucket + buckets;
    uint32_t hash = 5381;
    uint32_t index;

    for (const char *c = name; *c; c++)
        hash = hash * 33 + (unsigned char)*c;
    index = buckets ? bucket[hash % buckets] : 0;
    for (; index >= first && index; index++) {
        uint32_t value = chain[index - first];

        if ((value | 1) == (hash | 1) && is_definition(names, index, name))
            return true;
        if (value & 1)
            break;
    }
    return false;
}

static bool in_old_hash(const struct names *names, const char *name)
{
    for (uint32_t index = 0; index < names->hash[1]; index++)
        if (is_definition(names, index, name))
            return true;
    return false;
}

struct query {
    const char (*names)[AL_SYMBOL_BYTES];
    size_t count;
    size_t found; /* which of them; `count`: none as yet */
};

/* Whether the object exports one of the names. */
static bool exports(const struct dl_phdr_info *info, struct query *query)
{
    struct names names;

    if (!read_names(info, &names))
        return false;
    for (size_t i = 0; i < query->count; i++) {
        const char *name = query->names[i];

        if (names.gnu_hash ? in_gnu_hash(&names, name) : in_old_hash(&names, name)) {
            query->found = i;
            return true;
        }
    }
    return false;
}

static int look(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size;
    return !al_object_holds(info, (uintptr_t)look) && !al_object_is_kernels(info) &&
           exports(info, data);
}

size_t al_symbol_anywhere(const char (*names)[AL_SYMBOL_BYTES], size_t count)
{
    struct query query = {.names = names, .count = count, .found = count};

    (void)dl_iterate_phdr(look, &query);
    return query.found;
}

/* Without the loader, whose lock a forked child may find held for ever. */
bool al_symbol_in_program(const char *name)
{
    struct dl_phdr_info program = {.dlpi_phdr = (const void *)getauxval(AT_PHDR),
                                   .dlpi_phnum = (ElfW(Half))getauxval(AT_PHNUM)};
    char names[1][AL_SYMBOL_BYTES] = {{0}};
    struct query query = {.names = names, .count = 1, .found = 1};

    if (!program.dlpi_phdr)
        return false;
    /* Without the row it lies where it was linked for. */
    for (unsigned i = 0; i < program.dlpi_phnum; i++)
        if (program.dlpi_phdr[i].p_type == PT_PHDR)
            program.dlpi_addr = (uintptr_t)program.dlpi_phdr - program.dlpi_phdr[i].p_vaddr;
    /* A loader that was started itself, with the program's name, may have left its own there. */
    if (!al_object_holds(&program, getauxval(AT_ENTRY)))
        return false;
    memcpy(names[0], name, strnlen(name, sizeof(names[0]) - 1));
    return exports(&program, &query);
}
