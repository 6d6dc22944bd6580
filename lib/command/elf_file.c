#include "elf_file.h"

#include "sanitizer_libraries.h"
#include "sanitizers.h"

#include <gelf.h>
#include <link.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

/* A file that claims more than any program has is not read to its end. */
enum { SECTIONS_MAX = 65536, SYMBOLS_MAX = 1 << 22, ENTRIES_MAX = 1 << 16, PART_MAX = 1 << 28 };

/* The linker's name for this program's own header, of the library's processor. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

struct object {
    Elf *elf;
    uint64_t size; /* of the file */
    size_t segments;
};

/* -- what names tell ------------------------------------------------------------------------ */

struct sign {
    const char *begins; /* of a library's or symbol's name */
    const char *means;
};

static const struct sign sanitizer_symbols[] = {
#define ROW(symbol, name) {symbol, name},
    AL_SANITIZERS(ROW)
#undef ROW
        {NULL, NULL}};

static const struct sign allocators[] = {{"libjemalloc", "jemalloc"},   {"libtcmalloc", "tcmalloc"},
                                         {"libmimalloc", "mimalloc"},   {"libsnmalloc", "snmalloc"},
                                         {"libtbbmalloc", "tbbmalloc"}, {NULL, NULL}};

static const char *begins_with(const struct sign *signs, const char *name)
{
    for (; signs->begins; signs++)
        if (strncmp(name, signs->begins, strlen(signs->begins)) == 0)
            return signs->means;
    return NULL;
}

static const char *is_one_of(const struct sign *signs, const char *name)
{
    for (; signs->begins; signs++)
        if (strcmp(name, signs->begins) == 0)
            return signs->means;
    return NULL;
}

/* -- segments ------------------------------------------------------------------------------- */

static bool is_within(const struct object *object, uint64_t offset, uint64_t size)
{
    return offset <= object->size && size <= object->size - offset;
}

/* A part of the file, or NULL: it is not there. */
static Elf_Data *part_of(const struct object *object, uint64_t offset, uint64_t size, Elf_Type type)
{
    if (!size || size > PART_MAX || !is_within(object, offset, size))
        return NULL;
    return elf_getdata_rawchunk(object->elf, (int64_t)offset, (size_t)size, type);
}

static void read_interpreter(const struct object *object, const GElf_Phdr *segment,
                             struct elf_file *ret)
{
    const Elf_Data *data = part_of(object, segment->p_offset, segment->p_filesz, ELF_T_BYTE);
    size_t length;

    /* The kernel refuses a name that does not end. */
    if (!data || !memchr(data->d_buf, '\0', data->d_size)) {
        ret->damaged = true;
        return;
    }
    length = strlen(data->d_buf);
    if (!length || length >= sizeof(ret->interpreter)) {
        ret->damaged = true;
        return;
    }
    memcpy(ret->interpreter, data->d_buf, length + 1);
}

/* Where in the file that address is; false: nowhere. `ret_room`: from there to the segment's end.
 */
static bool place_of(const struct object *object, GElf_Addr address, GElf_Off *ret_offset,
                     GElf_Xword *ret_room)
{
    for (size_t i = 0; i < object->segments; i++) {
        GElf_Phdr segment;

        if (!gelf_getphdr(object->elf, (int)i, &segment) || segment.p_type != PT_LOAD)
            continue;
        if (address < segment.p_vaddr || address - segment.p_vaddr >= segment.p_filesz)
            continue;
        *ret_room = segment.p_filesz - (address - segment.p_vaddr);
        return !__builtin_add_overflow(segment.p_offset, address - segment.p_vaddr, ret_offset);
    }
    return false;
}

/* The names of the libraries that it is linked with. */
static void read_needed(const Elf_Data *entries, size_t count, const Elf_Data *names,
                        struct elf_file *ret)
{
    for (size_t i = 0; i < count; i++) {
        const char *name;
        GElf_Dyn entry;

        if (!gelf_getdyn((Elf_Data *)entries, (int)i, &entry) || entry.d_tag == DT_NULL)
            return;
        if (entry.d_tag != DT_NEEDED || entry.d_un.d_val >= names->d_size)
            continue;
        name = (const char *)names->d_buf + entry.d_un.d_val;
        if (!memchr(name, '\0', (size_t)(names->d_size - entry.d_un.d_val)))
            continue;
        if (!ret->sanitizer)
            ret->sanitizer = sanitizer_of_library(name);
        if (!ret->allocator)
            ret->allocator = begins_with(allocators, name);
    }
}

/*
 * Their symbols, be they defined here or in a library. A name may be the end of another one, in
 * whose place it stands then.
 */
static void find_sanitizer(const Elf_Data *names, struct elf_file *ret)
{
    for (const struct sign *sign = sanitizer_symbols; sign->begins; sign++)
        if (memmem(names->d_buf, names->d_size, sign->begins, strlen(sign->begins) + 1)) {
            ret->sanitizer = sign->means;
            return;
        }
}

static bool read_dynamic(const struct object *object, const GElf_Phdr *segment,
                         struct elf_file *ret)
{
    Elf_Data *entries = part_of(object, segment->p_offset, segment->p_filesz, ELF_T_DYN);
    size_t size = gelf_fsize(object->elf, ELF_T_DYN, 1, EV_CURRENT);
    size_t count = entries && size ? entries->d_size / size : 0;
    GElf_Addr strings = 0;
    GElf_Xword length = 0;
    GElf_Xword room;
    GElf_Off offset;
    bool program = false;
    const Elf_Data *names;

    if (count > ENTRIES_MAX)
        count = ENTRIES_MAX;
    for (size_t i = 0; i < count; i++) {
        GElf_Dyn entry;

        if (!gelf_getdyn(entries, (int)i, &entry) || entry.d_tag == DT_NULL)
            break;
        if (entry.d_tag == DT_STRTAB)
            strings = entry.d_un.d_ptr;
        else if (entry.d_tag == DT_STRSZ)
            length = entry.d_un.d_val;
        else if (entry.d_tag == DT_FLAGS_1)
            program = entry.d_un.d_val & DF_1_PIE;
    }
    if (!place_of(object, strings, &offset, &room))
        return program;
    names = part_of(object, offset, length < room ? length : room, ELF_T_BYTE);
    if (names) {
        read_needed(entries, count, names, ret);
        find_sanitizer(names, ret);
    }
    return program;
}

static void take_segment(const struct object *object, const GElf_Phdr *segment, bool *program,
                         struct elf_file *ret)
{
    if (segment->p_type == PT_LOAD)
        ret->cut |= !is_within(object, segment->p_offset, segment->p_filesz);
    else if (segment->p_type == PT_INTERP && !*ret->interpreter)
        read_interpreter(object, segment, ret);
    else if (segment->p_type == PT_DYNAMIC)
        *program |= read_dynamic(object, segment, ret);
}

static void read_segments(struct object *object, const GElf_Ehdr *header, struct elf_file *ret)
{
    bool program = header->e_type == ET_EXEC;
    bool loads = false;

    if (elf_getphdrnum(object->elf, &object->segments))
        object->segments = 0;
    for (size_t i = 0; i < object->segments; i++) {
        GElf_Phdr segment;

        if (!gelf_getphdr(object->elf, (int)i, &segment)) {
            ret->damaged = true;
            return;
        }
        loads |= segment.p_type == PT_LOAD;
        take_segment(object, &segment, &program, ret);
    }
    ret->damaged |= !loads;
    ret->is_library = !program && !*ret->interpreter;
}

/* -- sections ------------------------------------------------------------------------------- */

static void take_symbol(const GElf_Sym *symbol, const char *name, struct elf_file *ret)
{
    const char *sanitizer = is_one_of(sanitizer_symbols, name);

    if (sanitizer && symbol->st_shndx != SHN_UNDEF)
        ret->hidden_sanitizer = sanitizer;
    if (symbol->st_shndx != SHN_UNDEF && GELF_ST_TYPE(symbol->st_info) == STT_FUNC &&
        strcmp(name, "malloc") == 0)
        ret->own_malloc = true;
}

/* One that is as large as it says, and as it was written. */
static bool is_sound(const struct object *object, const GElf_Shdr *section)
{
    return section->sh_size <= PART_MAX && !(section->sh_flags & SHF_COMPRESSED) &&
           is_within(object, section->sh_offset, section->sh_size);
}

static bool has_names(const struct object *object, size_t index)
{
    Elf_Scn *section = elf_getscn(object->elf, index);
    GElf_Shdr header;

    return section && gelf_getshdr(section, &header) && header.sh_type == SHT_STRTAB &&
           is_sound(object, &header);
}

static void read_symbols(const struct object *object, Elf_Scn *section, const GElf_Shdr *header,
                         struct elf_file *ret)
{
    Elf_Data *data = has_names(object, header->sh_link) ? elf_getdata(section, NULL) : NULL;
    size_t size = gelf_fsize(object->elf, ELF_T_SYM, 1, EV_CURRENT);
    size_t count = data && size ? data->d_size / size : 0;

    if (count > SYMBOLS_MAX)
        count = SYMBOLS_MAX;
    for (size_t i = 0; i < count; i++) {
        const char *name;
        GElf_Sym symbol;

        if (!gelf_getsym(data, (int)i, &symbol))
            return;
        /* The library checks that it lies in the table, and ends there. */
        name = elf_strptr(object->elf, header->sh_link, symbol.st_name);
        if (name && *name)
            take_symbol(&symbol, name, ret);
    }
}

static void read_sections(const struct object *object, struct elf_file *ret)
{
    Elf_Scn *section = NULL;
    size_t names = 0;
    bool named = elf_getshdrstrndx(object->elf, &names) == 0 && has_names(object, names);

    for (size_t i = 0; i < SECTIONS_MAX && (section = elf_nextscn(object->elf, section)); i++) {
        GElf_Shdr header;
        const char *name;

        if (!gelf_getshdr(section, &header))
            return;
        name = named ? elf_strptr(object->elf, names, header.sh_name) : NULL;
        if (name && (strcmp(name, ".go.buildinfo") == 0 || strcmp(name, ".note.go.buildid") == 0))
            ret->go = true;
        if ((header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM) &&
            is_sound(object, &header))
            read_symbols(object, section, &header, ret);
    }
}

/* -- the file ------------------------------------------------------------------------------- */

static void read_all(struct object *object, enum elf_file_depth depth, struct elf_file *ret)
{
    GElf_Ehdr header;

    ret->elf = true;
    if (!gelf_getehdr(object->elf, &header)) {
        ret->damaged = true;
        return;
    }
    ret->bits = header.e_ident[EI_CLASS] == ELFCLASS64 ? 64 : 32;
    ret->machine = header.e_machine;
    ret->other_processor = header.e_machine != __ehdr_start.e_machine ||
                           header.e_ident[EI_DATA] != __ehdr_start.e_ident[EI_DATA] ||
                           header.e_ident[EI_CLASS] != __ehdr_start.e_ident[EI_CLASS];
    ret->relocatable = header.e_type != ET_EXEC && header.e_type != ET_DYN;
    if (ret->relocatable)
        return;
    read_segments(object, &header, ret);
    if (depth == ELF_FILE_WHOLE)
        read_sections(object, ret);
}

void elf_file_read(int fd, enum elf_file_depth depth, struct elf_file *ret_file)
{
    struct object object = {0};
    struct stat status;

    memset(ret_file, 0, sizeof(*ret_file));
    (void)elf_version(EV_CURRENT);
    /* Read, not mapped: a file that is cut off meanwhile would end this program. */
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        object.size = (uint64_t)status.st_size;
        object.elf = elf_begin(fd, ELF_C_READ, NULL);
    }
    if (object.elf && elf_kind(object.elf) == ELF_K_ELF)
        read_all(&object, depth, ret_file);
    else
        ret_file->damaged = true;
    (void)elf_end(object.elf);
}
