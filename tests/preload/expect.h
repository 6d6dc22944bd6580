/*
 * For the programs of this folder: expectations, and what the kernel says of an address. Nothing
 * here allocates or maps, so that looking does not change what is looked at.
 *
 * Exit statuses: 0 as expected, 1 not (with the place on standard error), 77 cannot be told here.
 */
#ifndef EXPECT_H
#define EXPECT_H

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* An errno that no function ever sets. */
enum { ERRNO_UNTOUCHED = 12345 };

/* The tests count in pages of the smallest size; other sizes are skipped by need_privilege(). */
enum { PAGE = 4096 };

/* More than the address space of any program has. */
#define BEYOND            (sizeof(size_t) > 4 ? (size_t)(UINT64_C(1) << 47) : (size_t)0xf0000000)

#define expect(condition) ((condition) ? (void)0 : expect_failed(__FILE__, __LINE__, #condition))

/* Both sides are shown when they differ. */
#define expect_equal(found, wanted)                                                                \
    expect_equal_at(__FILE__, __LINE__, #found, (long long)(found), (long long)(wanted))

static inline void __attribute__((noreturn, format(printf, 1, 2)))
end_with_1(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vdprintf(STDERR_FILENO, format, arguments);
    va_end(arguments);
    _exit(1);
}

static inline void __attribute__((noreturn))
expect_failed(const char *file, int line, const char *condition)
{
    end_with_1("%s:%d: not so: %s (errno %d)\n", file, line, condition, errno);
}

static inline void expect_equal_at(const char *file, int line, const char *what, long long found,
                                   long long wanted)
{
    if (found != wanted)
        end_with_1("%s:%d: %s is %lld, not %lld\n", file, line, what, found, wanted);
}

static inline void __attribute__((noreturn)) skip(const char *reason)
{
    dprintf(STDERR_FILENO, "skipped: %s\n", reason);
    _exit(77);
}

static inline bool library_loaded(void)
{
    return dlsym(RTLD_DEFAULT, "autolock_version") != NULL;
}

/* Without the library a test would pass and prove nothing. */
static inline void prove_loaded(void)
{
    if (!library_loaded())
        end_with_1("the library is not loaded\n");
}

/* For those who expect that everything can be locked: skips where the kernel would not, and where
 * it has no mlock2, unless EXPECT_NO_MLOCK2 is set. */
static inline void need_privilege(void)
{
    struct rlimit limit = {0};
    size_t length;
    void *probe;
    bool beyond;

    if (sysconf(_SC_PAGESIZE) != PAGE)
        skip("pages are not 4 KiB");
    expect(getrlimit(RLIMIT_MEMLOCK, &limit) == 0);
    if (limit.rlim_cur == RLIM_INFINITY)
        return;
    length = limit.rlim_cur + PAGE;
    probe = (void *)syscall(SYS_mmap, NULL, length, PROT_NONE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0L);
    expect(probe != MAP_FAILED);
    beyond = syscall(SYS_mlock2, probe, length, 1) == 0;
    if (!beyond && errno == ENOSYS) {
        beyond = getenv("EXPECT_NO_MLOCK2") != NULL;
        if (!beyond)
            skip("there is no mlock2");
    }
    expect(syscall(SYS_munmap, probe, length) == 0);
    if (!beyond)
        skip("no privilege to lock more than the limit");
}

/* For those who expect that a library behind ours begins before it. */
static inline void need_order_of_glibc(void)
{
#if !defined(__GLIBC__)
    skip("this libc initializes the library first");
#endif
}

/* -- files of /proc, line by line ----------------------------------------------------------- */

struct lines {
    int fd;
    size_t at;
    size_t have;
    char bytes[4096];
};

static inline void lines_open(struct lines *lines, const char *path)
{
    lines->fd = open(path, O_RDONLY | O_CLOEXEC);
    lines->at = lines->have = 0;
    expect(lines->fd >= 0);
}

/* The next line without its newline, cut at `size`; false at the end, which closes the file. */
static inline bool lines_next(struct lines *lines, char *line, size_t size)
{
    size_t length = 0;

    for (;;) {
        if (lines->at == lines->have) {
            ssize_t got = read(lines->fd, lines->bytes, sizeof(lines->bytes));

            lines->at = 0;
            lines->have = got > 0 ? (size_t)got : 0;
            if (got <= 0)
                break;
        }
        if (lines->bytes[lines->at] == '\n') {
            lines->at++;
            line[length] = '\0';
            return true;
        }
        if (length < size - 1)
            line[length++] = lines->bytes[lines->at];
        lines->at++;
    }
    close(lines->fd);
    return false;
}

/* A field of /proc/self/status in kB, as "VmLck". */
static inline long status_kb(const char *field)
{
    static __thread struct lines lines;
    char line[256];
    size_t length = strlen(field);
    long value = -1;

    lines_open(&lines, "/proc/self/status");
    while (lines_next(&lines, line, sizeof(line)))
        if (strncmp(line, field, length) == 0 && line[length] == ':')
            value = strtol(line + length + 1, NULL, 10);
    expect(value >= 0);
    return value;
}

static inline long mapping_count(void)
{
    static __thread struct lines lines;
    char line[256];
    long count = 0;

    lines_open(&lines, "/proc/self/maps");
    while (lines_next(&lines, line, sizeof(line)))
        count++;
    return count;
}

/* What smaps says of the mapping around an address. */
struct mapping {
    uintptr_t start;
    uintptr_t end;
    long rss_kb;
    long locked_kb;
    bool locked; /* marked so, resident or not: "lo" in VmFlags */
};

static inline struct mapping mapping_of(const void *address)
{
    static __thread struct lines lines;
    struct mapping found = {0};
    bool inside = false;
    char line[512];

    lines_open(&lines, "/proc/self/smaps");
    while (lines_next(&lines, line, sizeof(line))) {
        unsigned long start;
        unsigned long end;

        if (sscanf(line, "%lx-%lx ", &start, &end) == 2) {
            inside = start <= (uintptr_t)address && (uintptr_t)address < end;
            if (inside)
                found = (struct mapping){.start = start, .end = end};
        } else if (inside && strncmp(line, "Rss:", 4) == 0) {
            found.rss_kb = strtol(line + 4, NULL, 10);
        } else if (inside && strncmp(line, "Locked:", 7) == 0) {
            found.locked_kb = strtol(line + 7, NULL, 10);
        } else if (inside && strncmp(line, "VmFlags:", 8) == 0) {
            found.locked = strstr(line + 8, " lo") != NULL;
        }
    }
    expect(found.end != 0);
    return found;
}

static inline bool is_locked(const void *address)
{
    return mapping_of(address).locked;
}

/* How many of the whole pages that [start, start + length) touches are in memory; at most 4,096. */
static inline size_t resident_pages(const void *start, size_t length)
{
    static __thread unsigned char in_core[4096];
    uintptr_t first = (uintptr_t)start & ~(uintptr_t)(PAGE - 1);
    uintptr_t last = ((uintptr_t)start + length - 1) & ~(uintptr_t)(PAGE - 1);
    size_t pages = (last - first) / PAGE + 1;
    size_t count = 0;

    expect(pages <= sizeof(in_core));
    expect(mincore((void *)first, pages * PAGE, in_core) == 0);
    for (size_t i = 0; i < pages; i++)
        count += in_core[i] & 1;
    return count;
}

/* How many pages that range has. */
static inline size_t pages_of(const void *start, size_t length)
{
    uintptr_t first = (uintptr_t)start & ~(uintptr_t)(PAGE - 1);
    uintptr_t last = ((uintptr_t)start + length - 1) & ~(uintptr_t)(PAGE - 1);

    return (last - first) / PAGE + 1;
}

/* The compiler must believe that the block is used. */
static inline void *used(void *block)
{
    __asm__ volatile("" : "+r"(block) : : "memory");
    return block;
}

#endif
