/* What is decided of the limits that hold, and what they are here. */
#include "budget.h"
#include "unit.h"

#include <unistd.h>

#define GIB ((uint64_t)1 << 30)

static const struct al_budget_option automatic = {.sort = AL_BUDGET_AUTO};
static const struct al_budget_option unlimited = {.sort = AL_BUDGET_UNLIMITED};

/* The limits that hold; the memlock one only if `exempt` is false. */
static struct al_privilege privilege;
static struct al_budget limits;

static void begin(void)
{
    privilege = (struct al_privilege){.soft_limit = 8 << 20, .hard_limit = 8 << 20, .exempt = true};
    limits = (struct al_budget){.cgroup_bytes = AL_UNLIMITED, .machine_bytes = 10 * GIB};
}

static void expect(const struct al_budget_option *option, uint64_t bytes, enum al_budget_by by)
{
    struct al_budget budget = limits;

    al_budget_decide(&budget, option, &privilege);
    ck_assert_uint_eq(budget.bytes, bytes);
    ck_assert_int_eq(budget.by, by);
}

static void expect_percent(uint64_t percent, uint64_t bytes, enum al_budget_by by)
{
    struct al_budget_option option = {.sort = AL_BUDGET_PERCENT, .amount = percent};

    expect(&option, bytes, by);
}

static void expect_size(uint64_t size, uint64_t bytes, enum al_budget_by by)
{
    struct al_budget_option option = {.sort = AL_BUDGET_SIZE, .amount = size};

    expect(&option, bytes, by);
}

START_TEST(auto_is_the_smallest)
{
    expect(&automatic, 8 * GIB, AL_BUDGET_BY_MACHINE);
    limits.cgroup_bytes = GIB;
    expect(&automatic, GIB / 10 * 9 + 3, AL_BUDGET_BY_CGROUP);
    privilege.exempt = false;
    expect(&automatic, 8 << 20, AL_BUDGET_BY_MEMLOCK);
    privilege.soft_limit = 2 * GIB;
    expect(&automatic, GIB / 10 * 9 + 3, AL_BUDGET_BY_CGROUP);
    limits.cgroup_bytes = 0;
    expect(&automatic, 0, AL_BUDGET_BY_CGROUP);
}
END_TEST

START_TEST(nothing_is_known)
{
    limits.machine_bytes = AL_UNLIMITED;
    expect(&automatic, AL_UNLIMITED, AL_BUDGET_BY_NOTHING);
    expect_percent(50, AL_UNLIMITED, AL_BUDGET_BY_NOTHING);
    expect(&unlimited, AL_UNLIMITED, AL_BUDGET_BY_NOTHING);
}
END_TEST

START_TEST(percents_are_of_the_limits_themselves)
{
    expect_percent(50, 5 * GIB, AL_BUDGET_BY_MACHINE);
    expect_percent(100, 10 * GIB, AL_BUDGET_BY_MACHINE);
    limits.cgroup_bytes = 1000;
    expect_percent(50, 500, AL_BUDGET_BY_CGROUP);
    expect_percent(1, 10, AL_BUDGET_BY_CGROUP);
    privilege.exempt = false;
    privilege.soft_limit = 199;
    expect_percent(100, 199, AL_BUDGET_BY_MEMLOCK);
    expect_percent(50, 99, AL_BUDGET_BY_MEMLOCK);
}
END_TEST

START_TEST(large_numbers_do_not_overflow)
{
    limits.machine_bytes = UINT64_MAX - 1;
    expect_percent(100, UINT64_MAX - 1, AL_BUDGET_BY_MACHINE);
    expect_percent(50, UINT64_MAX / 2, AL_BUDGET_BY_MACHINE);
}
END_TEST

START_TEST(a_size_is_as_given)
{
    limits.cgroup_bytes = 1000;
    expect_size(GIB, GIB, AL_BUDGET_BY_OPTION);
    expect_size(0, 0, AL_BUDGET_BY_OPTION);
    privilege.exempt = false;
    expect_size(GIB, 8 << 20, AL_BUDGET_BY_MEMLOCK);
    expect_size(1 << 20, 1 << 20, AL_BUDGET_BY_OPTION);
}
END_TEST

START_TEST(unlimited_but_for_memlock)
{
    limits.cgroup_bytes = 1000;
    expect(&unlimited, AL_UNLIMITED, AL_BUDGET_BY_NOTHING);
    privilege.exempt = false;
    expect(&unlimited, 8 << 20, AL_BUDGET_BY_MEMLOCK);
}
END_TEST

START_TEST(of_this_machine)
{
    struct al_budget budget = al_budget_read(&automatic, &privilege);
    uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);

    ck_assert_uint_eq(budget.machine_bytes, memory);
    ck_assert_uint_le(budget.bytes, memory / 10 * 8 + 8);
    ck_assert_uint_gt(budget.bytes, 0);
}
END_TEST

START_TEST(nothing_is_read_for_unlimited)
{
    struct al_budget budget = al_budget_read(&unlimited, &privilege);

    ck_assert_uint_eq(budget.bytes, AL_UNLIMITED);
    ck_assert_uint_eq(budget.cgroup_bytes, AL_UNLIMITED);
    ck_assert_uint_eq(budget.machine_bytes, AL_UNLIMITED);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("budget");

    tcase_add_checked_fixture(tests, begin, NULL);
    tcase_add_test(tests, auto_is_the_smallest);
    tcase_add_test(tests, nothing_is_known);
    tcase_add_test(tests, percents_are_of_the_limits_themselves);
    tcase_add_test(tests, large_numbers_do_not_overflow);
    tcase_add_test(tests, a_size_is_as_given);
    tcase_add_test(tests, unlimited_but_for_memlock);
    tcase_add_test(tests, of_this_machine);
    tcase_add_test(tests, nothing_is_read_for_unlimited);
    return unit_run(tests);
}
