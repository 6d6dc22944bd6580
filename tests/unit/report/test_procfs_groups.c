/* A user in many groups: the kernel lists them in front of the lines on memory. */
#include "procfs.h"
#include "unit.h"

#include <grp.h>
#include <stdio.h>
#include <unistd.h>

static void enter_groups(size_t count)
{
    static gid_t group[65536];

    for (size_t i = 0; i < count; i++)
        group[i] = (gid_t)(4000000000U + i);
    ck_assert_int_eq(setgroups(count, group), 0);
}

static const size_t many[] = {1, 300, 340, 350, 360, 370, 400, 1000, 65536};

START_TEST(memory_is_found_behind_them)
{
    struct al_memory_status without;
    struct al_memory_status status;

    ck_assert_int_eq(al_memory_status_read(&without), 0);
    enter_groups(many[_i]);
    ck_assert_int_eq(al_memory_status_read(&status), 0);
    ck_assert_uint_ge(status.peak_virtual, without.peak_virtual);
    ck_assert_uint_ge(status.peak_resident, without.peak_resident);
    ck_assert_uint_gt(status.resident, 0);
    ck_assert(!status.parent || status.parent == (uint64_t)getppid()); /* it may be cut off */
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("procfs_groups");
    gid_t none = 0;

    if (setgroups(0, &none)) {
        puts("skipped: only root may enter groups");
        return UNIT_SKIP;
    }
    tcase_add_loop_test(tests, memory_is_found_behind_them, 0, sizeof(many) / sizeof(many[0]));
    return unit_run(tests);
}
