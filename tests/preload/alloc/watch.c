#include "watch.h"

#include "raw.h"

#include "../expect.h"

enum { MAX_VMAS = 70000, PAGEMAP_ENTRIES = 4096 };

static struct vma *vmas;
static size_t count;
static struct lines lines;

static uintptr_t page_of(uintptr_t address)
{
    return address & ~(uintptr_t)(WATCH_PAGE - 1);
}

static unsigned long hexadecimal(const char **at)
{
    unsigned long value = 0;

    for (;; (*at)++) {
        char c = **at;

        if (c >= '0' && c <= '9')
            value = value * 16 + (unsigned long)(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value * 16 + (unsigned long)(c - 'a') + 10;
        else
            return value;
    }
}

/* "start-end perms offset device inode   name": false if the line is another one. */
static bool read_head(const char *line, struct vma *vma)
{
    const char *at = line;
    int spaces = 0;

    vma->start = hexadecimal(&at);
    if (at == line || *at++ != '-')
        return false;
    vma->end = hexadecimal(&at);
    if (*at++ != ' ')
        return false;
    vma->accessible = at[0] == 'r' || at[1] == 'w' || at[2] == 'x';
    vma->locked = false;
    strncpy(vma->line, line, WATCH_LINE - 1);
    vma->line[WATCH_LINE - 1] = '\0';
    vma->name = "";
    for (at = vma->line; *at; at++) {
        if (*at != ' ' && spaces >= 5) {
            vma->name = at;
            break;
        }
        spaces += *at == ' ';
    }
    return true;
}

void watch_take(void)
{
    char line[512];

    if (!vmas)
        vmas = raw_memory(MAX_VMAS * sizeof(*vmas));
    count = 0;
    lines_open(&lines, "/proc/self/smaps");
    while (lines_next(&lines, line, sizeof(line))) {
        /* Fields begin with a capital letter, mappings with a digit or a small one. */
        if (line[0] >= 'A' && line[0] <= 'Z') {
            if (strncmp(line, "VmFlags:", 8) == 0 && count)
                vmas[count - 1].locked = strstr(line + 8, " lo") != NULL;
        } else if (read_head(line, &vmas[count])) {
            expect(++count < MAX_VMAS);
        }
    }
}

size_t watch_count(void)
{
    return count;
}

const struct vma *watch_at(size_t index)
{
    return &vmas[index];
}

size_t watch_index_after(uintptr_t address)
{
    size_t low = 0;
    size_t high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (vmas[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct vma *watch_find(uintptr_t address)
{
    size_t index = watch_index_after(address);

    return index < count && vmas[index].start <= address ? &vmas[index] : NULL;
}

size_t watch_locked_bytes(void)
{
    size_t bytes = 0;

    for (size_t i = 0; i < count; i++)
        if (vmas[i].locked)
            bytes += vmas[i].end - vmas[i].start;
    return bytes;
}

uintptr_t watch_first_absent(uintptr_t start, uintptr_t end)
{
    static uint64_t entry[PAGEMAP_ENTRIES];
    static int fd = -1;
    uintptr_t page = start;

    /* After a fork the old descriptor still shows the parent. */
    static pid_t owner;

    if (owner != getpid()) {
        fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
        owner = getpid();
    }
    expect(fd >= 0);
    while (page < end) {
        size_t pages = (end - page) / WATCH_PAGE;
        size_t bytes = (pages < PAGEMAP_ENTRIES ? pages : PAGEMAP_ENTRIES) * sizeof(*entry);
        ssize_t got = pread(fd, entry, bytes, (off_t)(page / WATCH_PAGE * sizeof(*entry)));

        expect_equal(got, bytes);
        for (size_t i = 0; i < bytes / sizeof(*entry); i++, page += WATCH_PAGE) {
            /* Bit 63: in memory. Bit 62: swapped, or on its way to another page of memory. */
            if (!(entry[i] >> 63))
                return page;
        }
    }
    return end;
}

size_t watch_locked_pages(const void *start, size_t length)
{
    uintptr_t page = page_of((uintptr_t)start);
    uintptr_t end = (uintptr_t)start + length;
    size_t pages = 0;

    for (; page < end; page += WATCH_PAGE) {
        const struct vma *vma = watch_find(page);

        pages += vma && vma->locked;
    }
    return pages;
}

bool watch_all_locked(const void *start, size_t length)
{
    return watch_locked_pages(start, length) == pages_of(start, length);
}

bool watch_none_locked(const void *start, size_t length)
{
    return watch_locked_pages(start, length) == 0;
}
