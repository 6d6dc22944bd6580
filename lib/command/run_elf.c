#include "run_elf.h"

#include "memory.h"
#include "sanitizers.h"

#include <elf.h>
#include <endian.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file in memory. */
struct image {
    const unsigned char *at;
    size_t size;
    bool wide; /* of 64 bits */
};

struct segment {
    uint32_t type;
    uint64_t offset;
    uint64_t address;
    uint64_t size;
};

static const void *piece(const struct image *image, uint64_t offset, uint64_t size)
{
    if (offset > image->size || size > image->size - offset)
        return NULL;
    return image->at + offset;
}

/* A text at this place, with its end within the file. */
static const char *text_at(const struct image *image, uint64_t offset)
{
    const char *text = piece(image, offset, 1);

    return text && memchr(text, '\0', (size_t)(image->size - offset)) ? text : NULL;
}

static bool segment_at(const struct image *image, unsigned i, struct segment *ret_segment)
{
    Elf64_Ehdr head64;
    Elf32_Ehdr head32;

    if (image->wide) {
        Elf64_Phdr segment;
        const void *at;

        memcpy(&head64, image->at, sizeof(head64));
        at = i < head64.e_phnum && head64.e_phentsize == sizeof(segment)
                 ? piece(image, head64.e_phoff + i * sizeof(segment), sizeof(segment))
                 : NULL;
        if (!at)
            return false;
        memcpy(&segment, at, sizeof(segment));
        *ret_segment =
            (struct segment){segment.p_type, segment.p_offset, segment.p_vaddr, segment.p_filesz};
    } else {
        Elf32_Phdr segment;
        const void *at;

        memcpy(&head32, image->at, sizeof(head32));
        at = i < head32.e_phnum && head32.e_phentsize == sizeof(segment)
                 ? piece(image, head32.e_phoff + i * sizeof(segment), sizeof(segment))
                 : NULL;
        if (!at)
            return false;
        memcpy(&segment, at, sizeof(segment));
        *ret_segment =
            (struct segment){segment.p_type, segment.p_offset, segment.p_vaddr, segment.p_filesz};
    }
    return true;
}

static bool find_segment(const struct image *image, uint32_t type, struct segment *ret_segment)
{
    for (unsigned i = 0; segment_at(image, i, ret_segment); i++)
        if (ret_segment->type == type)
            return true;
    return false;
}

/* Where in the file stands what is at this address when it is loaded; 0: nowhere. */
static uint64_t place_of(const struct image *image, uint64_t address)
{
    struct segment segment;

    for (unsigned i = 0; segment_at(image, i, &segment); i++)
        if (segment.type == PT_LOAD && address - segment.address < segment.size)
            return segment.offset + (address - segment.address);
    return 0;
}

/* An entry of the dynamic section. */
static bool find_dynamic(const struct image *image, int64_t tag, uint64_t *ret_value)
{
    struct segment dynamic;
    size_t entry = image->wide ? sizeof(Elf64_Dyn) : sizeof(Elf32_Dyn);

    if (!find_segment(image, PT_DYNAMIC, &dynamic))
        return false;
    for (uint64_t i = 0; i + entry <= dynamic.size; i += entry) {
        const void *at = piece(image, dynamic.offset + i, entry);
        Elf64_Dyn wide = {0};
        Elf32_Dyn narrow;

        if (!at)
            return false;
        if (image->wide) {
            memcpy(&wide, at, sizeof(wide));
        } else {
            memcpy(&narrow, at, sizeof(narrow));
            wide.d_tag = narrow.d_tag;
            wide.d_un.d_val = narrow.d_un.d_val;
        }
        if (wide.d_tag == tag) {
            *ret_value = wide.d_un.d_val;
            return true;
        }
        if (wide.d_tag == DT_NULL)
            return false;
    }
    return false;
}

/* Its dynamic symbols have the names of a sanitizer's runtime, be that a library or part of it. */
static const char *find_sanitizer(const struct image *image)
{
    static const struct {
        const char *symbol;
        const char *name;
    } rows[] = {
#define ROW(symbol, name) {symbol, name},
        AL_SANITIZERS(ROW)
#undef ROW
    };
    uint64_t address;
    uint64_t size;
    const char *names;

    if (!find_dynamic(image, DT_STRTAB, &address) || !find_dynamic(image, DT_STRSZ, &size))
        return NULL;
    names = piece(image, place_of(image, address), size);
    for (size_t i = 0; names && i < sizeof(rows) / sizeof(rows[0]); i++)
        if (memmem(names, (size_t)size, rows[i].symbol, strlen(rows[i].symbol) + 1))
            return rows[i].name;
    return NULL;
}

static bool is_known(const struct image *image)
{
    const unsigned char *ident = image->at;
    const unsigned char order = BYTE_ORDER == LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB;

    return image->size >= sizeof(Elf64_Ehdr) && memcmp(ident, ELFMAG, SELFMAG) == 0 &&
           (ident[EI_CLASS] == ELFCLASS32 || ident[EI_CLASS] == ELFCLASS64) &&
           ident[EI_DATA] == order;
}

static bool read_image(struct image *image, struct run_elf *elf)
{
    struct segment segment;
    uint64_t value;

    if (!is_known(image))
        return false;
    image->wide = image->at[EI_CLASS] == ELFCLASS64;
    *elf = (struct run_elf){.bits = image->wide ? 64 : 32};
    /* At the same place in both. */
    elf->machine = ((const Elf32_Ehdr *)(const void *)image->at)->e_machine;
    if (find_segment(image, PT_INTERP, &segment)) {
        const char *path = text_at(image, segment.offset);

        elf->interpreter = path ? text_of("%s", path) : NULL;
    }
    elf->named = find_dynamic(image, DT_SONAME, &value);
    elf->sanitizer = find_sanitizer(image);
    return true;
}

bool run_elf_read(const char *path, struct run_elf *ret_elf)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;
    struct image image = {0};
    void *mapped = MAP_FAILED;
    bool known = false;

    if (fd < 0)
        return false;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0)
        mapped = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    (void)close(fd);
    if (mapped != MAP_FAILED) {
        image.at = mapped;
        image.size = (size_t)status.st_size;
        known = read_image(&image, ret_elf);
        (void)munmap(mapped, image.size);
    }
    return known;
}
