/* What files say that are no longer what a linker made: whatever is in them, reading ends well. */
#include "elf_file.h"
#include "unit.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_BYTES = 4096, CHANGES = 1500, BITS = 8 * (int)sizeof(void *) };

static char *whole;
static size_t whole_size;
static struct elf_file elf;
static struct elf_file loading;

static void read_this_program(void)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct stat status;

    ck_assert_int_eq(fstat(fd, &status), 0);
    whole_size = (size_t)status.st_size;
    whole = mmap(NULL, whole_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    ck_assert_ptr_ne(whole, MAP_FAILED);
    close(fd);
}

/* All that is said of how it is loaded, at either depth. */
static void check_same(void)
{
    struct elf_file whole_file = elf;

    whole_file.go = whole_file.own_malloc = false;
    whole_file.hidden_sanitizer = NULL;
    ck_assert_mem_eq(&whole_file, &loading, sizeof(loading));
}

static void read_bytes(const char *bytes, size_t size)
{
    int fd = memfd_create("file", MFD_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
    memset(&loading, 0xAA, sizeof(loading));
    elf_file_read(fd, ELF_FILE_LOADING, &loading);
    memset(&elf, 0xAA, sizeof(elf));
    elf_file_read(fd, ELF_FILE_WHOLE, &elf);
    ck_assert_ptr_nonnull(memchr(elf.interpreter, '\0', sizeof(elf.interpreter)));
    close(fd);
    ck_assert(!loading.go && !loading.own_malloc && !loading.hidden_sanitizer);
    check_same();
}

/* The same numbers each time. */
static uint32_t random_below(uint32_t limit)
{
    static uint64_t state = 0x9E3779B97F4A7C15;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32) % limit;
}

START_TEST(this_program)
{
    read_bytes(whole, whole_size);
    ck_assert(elf.elf && !elf.damaged && !elf.cut && !elf.other_processor && !elf.relocatable);
    ck_assert_uint_eq(elf.bits, BITS);
    ck_assert(elf.interpreter[0] == '/');
    ck_assert(!elf.is_library && !elf.go && !elf.own_malloc);
    if (!UNIT_SANITIZED) {
        ck_assert_ptr_null(elf.sanitizer);
        ck_assert_ptr_null(elf.allocator);
    } else {
        ck_assert(elf.sanitizer || elf.hidden_sanitizer);
    }
}
END_TEST

START_TEST(cut_off)
{
    bool cut = false;

    for (size_t size = 0; size < HEAD_BYTES && size < whole_size; size += 3)
        read_bytes(whole, size);
    for (size_t size = HEAD_BYTES; size < whole_size; size += whole_size / 100) {
        read_bytes(whole, size);
        cut |= elf.cut;
    }
    ck_assert(cut);
    read_bytes(whole, 3);
    ck_assert(elf.damaged);
}
END_TEST

/* One byte, or eight as offsets, sizes and addresses have. */
static void change(char *bytes, size_t size)
{
    static const uint64_t odd[] = {0,          1,         UINT64_MAX,          INT64_MAX,
                                   UINT32_MAX, INT32_MAX, UINT64_C(1) << 63,   UINT64_C(1) << 40,
                                   0x10000,    0xFFF8,    UINT64_MAX - 0xFFFF, 0x7FFFFFF8};
    size_t spans[] = {64, 1024, size};
    size_t at = random_below((uint32_t)spans[random_below(3)]);
    size_t tail = random_below(HEAD_BYTES);

    /* The sections' headers are at the end. */
    if (random_below(3) == 0 && tail < size)
        at = size - 1 - tail;
    if (random_below(2) == 0) {
        bytes[at] = (char)random_below(256);
    } else {
        uint64_t value = odd[random_below(sizeof(odd) / sizeof(odd[0]))];

        at &= ~(size_t)7;
        if (at + sizeof(value) <= size)
            memcpy(bytes + at, &value, sizeof(value));
    }
}

START_TEST(changed)
{
    char *bytes = unit_repeat('x', whole_size);
    unsigned damaged = 0;

    for (int i = 0; i < CHANGES; i++) {
        memcpy(bytes, whole, whole_size);
        for (uint32_t changes = 1 + random_below(12); changes; changes--)
            change(bytes, whole_size);
        read_bytes(bytes, whole_size);
        damaged += elf.damaged || elf.cut;
    }
    ck_assert_uint_gt(damaged, 0);
    ck_assert_uint_lt(damaged, CHANGES);
}
END_TEST

START_TEST(no_file_to_be_read)
{
    int ends[2];

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    close(ends[1]);
    elf_file_read(ends[0], ELF_FILE_WHOLE, &elf);
    ck_assert(elf.damaged && !elf.elf);
    elf_file_read(-1, ELF_FILE_WHOLE, &elf);
    ck_assert(elf.damaged && !elf.elf);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("elf_file");

    tcase_add_unchecked_fixture(tests, read_this_program, NULL);
    tcase_add_test(tests, this_program);
    tcase_add_test(tests, cut_off);
    tcase_add_test(tests, changed);
    tcase_add_test(tests, no_file_to_be_read);
    return unit_run(tests);
}
