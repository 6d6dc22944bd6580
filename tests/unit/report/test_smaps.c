/* Recorded texts of the kernel, in pieces of every size, and those of old kernels. */
#include "lines.h"
#include "smaps.h"
#include "unit.h"

#include <errno.h>
#include <string.h>

/* As Linux 6.1 writes it, the lines that mean nothing here left out but for some. */
#define HEAD(range, rights, name) range " " rights " 00000000 00:00 0 " name "\n"
#define BODY(size, resident, locked)                                                               \
    "Size:               " size " kB\n"                                                            \
    "KernelPageSize:        4 kB\n"                                                                \
    "Rss:                " resident " kB\n"                                                        \
    "Pss:                   1 kB\n"                                                                \
    "Locked:             " locked " kB\n"                                                          \
    "THPeligible:           0\n"

static const char recorded[] =
    HEAD("55861c18b000-55861c18d000", "r--p", "                     /usr/bin/cat")
        BODY("   8", "   8", "   0") "VmFlags: rd mr mw me \n" HEAD("7f0000000000-7f0000010000",
                                                                    "rw-p", "")
            BODY("  64", "  60", "  60") "VmFlags: rd wr mr mw me lo ac sd \n" HEAD(
                "7f0000020000-7f0000030000", "rw-p", "")
                BODY("  64", "  12", "   0") "VmFlags: rd wr mr mw me ac sd \n" HEAD(
                    "7f0000040000-7f0000041000", "rw-s", "                     /tmp/VmFlags: lo")
                    BODY("   4", "   4", "   0") "VmFlags: rd wr sh mr mw me ms sd\n" HEAD(
                        "7ffd00000000-7ffd00002000", "r-xp", "                    [vdso]")
                        BODY("   8", "   8", "   0") "VmFlags: rd ex mr mw me de sd \n";

enum { UNLOCKED = (8 + 12 + 4) << 10 };

static struct al_smaps smaps;

/* What is told of the mappings one by one. */
static unsigned begun;
static uint64_t resident;
static uint64_t swapped;
static uint64_t locked;

static bool visit(char *line, void *data)
{
    ck_assert_ptr_null(data);
    switch (al_smaps_line(&smaps, line)) {
    case AL_SMAPS_BEGIN:
        begun++;
        break;
    case AL_SMAPS_END:
        resident += smaps.resident;
        swapped += smaps.swapped;
        locked += smaps.locked ? smaps.mapping.end - smaps.mapping.start : 0;
        break;
    default:
        break;
    }
    return true;
}

/* What a text comes to when it is read through a buffer of `size` bytes. */
static int parse(const char *text, size_t size)
{
    static char buffer[1 << 16];

    unit_write_path("smaps", text);
    memset(&smaps, 0, sizeof(smaps));
    begun = 0;
    resident = swapped = locked = 0;
    ck_assert_int_eq(al_lines_each("smaps", AL_LINES_LIST, buffer, size, visit, NULL), 0);
    return al_smaps_end(&smaps);
}

START_TEST(what_is_locked_and_what_is_the_kernels_is_left_out)
{
    ck_assert_int_eq(parse(recorded, 1 << 16), 0);
    ck_assert_uint_eq(smaps.unlocked, UNLOCKED);
}
END_TEST

START_TEST(each_mapping_is_told)
{
    ck_assert_int_eq(parse(recorded, 1 << 16), 0);
    ck_assert_uint_eq(begun, 5);
    ck_assert_uint_eq(resident, (8 + 60 + 12 + 4 + 8) << 10);
    ck_assert_uint_eq(locked, 64 << 10);
    ck_assert_uint_eq(swapped, 0);
    /* What is missing is not that of the one before; SwapPss is another line. */
    ck_assert_int_eq(parse("1000-2000 rw-p 0 0:0 0\nSwap: 8 kB\nSwapPss: 4 kB\nVmFlags: rd lo\n"
                           "2000-3000 rw-p 0 0:0 0\nRss: 4 kB\nVmFlags: rd\n",
                           512),
                     0);
    ck_assert_uint_eq(swapped, 8 << 10);
    ck_assert_uint_eq(resident, 4 << 10);
    ck_assert_uint_eq(locked, 4 << 10);
}
END_TEST

/* Each line is cut by the end of some buffer, at each of its bytes. */
START_TEST(a_line_is_cut_by_the_end_of_the_buffer)
{
    for (size_t size = 100; size < 400; size++) {
        ck_assert_int_eq(parse(recorded, size), 0);
        ck_assert_uint_eq(smaps.unlocked, UNLOCKED);
    }
}
END_TEST

/* Of a name that is longer than the buffer what follows may look like anything. */
START_TEST(a_long_name)
{
    char *text = unit_repeat('x', 6000);

    memcpy(text, "1000-3000 r--p 00000000 00:00 0 /", 33);
    memcpy(text + 5900, "\nRss: 8 kB\nVmFlags: rd mr \n", 28);
    for (size_t at = 100; at < 1000; at += 3)
        memcpy(text + at, " lo", 3);
    ck_assert_int_eq(parse(text, 512), 0);
    ck_assert_uint_eq(smaps.unlocked, 8 << 10);
}
END_TEST

START_TEST(flags_are_whole_words)
{
    ck_assert_int_eq(parse("1000-2000 r--p 0 0:0 0\nRss: 4 kB\nVmFlags: rd xlo lox l o \n", 512),
                     0);
    ck_assert_uint_eq(smaps.unlocked, 4096);
    ck_assert_int_eq(parse("1000-2000 r--p 0 0:0 0\nRss: 4 kB\nVmFlags: lo\n", 512), 0);
    ck_assert_uint_eq(smaps.unlocked, 0);
    ck_assert_int_eq(parse("1000-2000 r--p 0 0:0 0\nRss: 4 kB\nVmFlags:\n", 512), 0);
    ck_assert_uint_eq(smaps.unlocked, 4096);
}
END_TEST

/* Linux before 3.8 has no flags: what is locked is not known. */
START_TEST(without_flags_nothing_is_known)
{
    ck_assert_int_eq(parse("1000-2000 r--p 0 0:0 0\nSize: 4 kB\nRss: 4 kB\n", 512), -ENODATA);
    ck_assert_int_eq(parse("1000-2000 r--p 0 0:0 0\nRss: 4 kB\n"
                           "2000-3000 r--p 0 0:0 0\nRss: 4 kB\nVmFlags: rd \n",
                           512),
                     -ENODATA);
    ck_assert_int_eq(parse("1000-2000 r--p 0 0:0 0\nRss: 4 kB\nVmFlags: rd \n"
                           "2000-3000 r--p 0 0:0 0\nRss: 4 kB\n",
                           512),
                     -ENODATA);
}
END_TEST

/* A mapping that has no line of what is resident does not have that of the one before. */
START_TEST(what_is_missing_is_nothing)
{
    ck_assert_int_eq(parse("", 512), 0);
    ck_assert_uint_eq(smaps.unlocked, 0);
    ck_assert_int_eq(parse("1000-2000 r--p 0 0:0 0\nRss: 4 kB\nVmFlags: rd \n"
                           "2000-3000 r--p 0 0:0 0\nVmFlags: rd \n",
                           512),
                     0);
    ck_assert_uint_eq(smaps.unlocked, 4096);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("smaps");

    unit_in_directory(tests);
    tcase_add_test(tests, what_is_locked_and_what_is_the_kernels_is_left_out);
    tcase_add_test(tests, each_mapping_is_told);
    tcase_add_test(tests, a_line_is_cut_by_the_end_of_the_buffer);
    tcase_add_test(tests, a_long_name);
    tcase_add_test(tests, flags_are_whole_words);
    tcase_add_test(tests, without_flags_nothing_is_known);
    tcase_add_test(tests, what_is_missing_is_nothing);
    return unit_run(tests);
}
