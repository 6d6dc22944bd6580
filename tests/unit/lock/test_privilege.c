/* Limits and capabilities as the process has them, with a kernel that answers the probe at will. */
#include "kernel.h"
#include "kernel_double.h"
#include "privilege.h"
#include "sys.h"
#include "unit.h"

#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* Limits can be lowered by anyone; a capability can only be given up. Returns the limit, which is
 * smaller where the hard one is. */
static rlim_t lower_limit(rlim_t soft)
{
    struct rlimit limit;

    getrlimit(RLIMIT_MEMLOCK, &limit);
    limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
    return limit.rlim_cur;
}

static bool capable(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};

    ck_assert_int_eq(al_sys2(SYS_capget, &header, data), 0);
    return data[0].effective >> CAP_IPC_LOCK & 1;
}

static void give_up_capability(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};

    ck_assert_int_eq(al_sys2(SYS_capget, &header, data), 0);
    data[0].effective &= ~(1U << CAP_IPC_LOCK);
    ck_assert_int_eq(al_sys2(SYS_capset, &header, data), 0);
}

START_TEST(limits_are_the_processs)
{
    struct al_privilege privilege;
    rlim_t soft = lower_limit(65536);
    struct rlimit limit;

    getrlimit(RLIMIT_MEMLOCK, &limit);
    privilege = al_privilege_read();
    ck_assert_uint_eq(privilege.soft_limit, soft);
    ck_assert_uint_eq(privilege.hard_limit,
                      limit.rlim_max == RLIM_INFINITY ? AL_UNLIMITED : limit.rlim_max);
    ck_assert_int_eq(privilege.capable, capable());
}
END_TEST

START_TEST(without_the_capability_the_limit_holds)
{
    struct al_privilege privilege;

    lower_limit(65536);
    give_up_capability();
    privilege = al_privilege_read();
    ck_assert(!privilege.capable);
    ck_assert(!privilege.exempt);
    ck_assert_uint_eq(kernel_double.mlock2_calls, 0);
}
END_TEST

START_TEST(a_capability_that_counts)
{
    rlim_t soft = lower_limit(65536);

    if (!capable())
        return;
    ck_assert(al_privilege_read().exempt);
    ck_assert_uint_eq(kernel_double.mlock2_calls, 1);
    /* more than the limit allows, and no page of it brought in */
    ck_assert_uint_gt(kernel_double.mlock2_length, soft);
    ck_assert_uint_eq(kernel_double.mlock2_flags, AL_MLOCK_ONFAULT);
}
END_TEST

START_TEST(a_capability_that_does_not_count)
{
    if (!capable())
        return;
    lower_limit(65536);
    kernel_double.mlock2_error = -ENOMEM;
    ck_assert(al_privilege_read().capable);
    ck_assert(!al_privilege_read().exempt);
}
END_TEST

START_TEST(a_limit_of_nothing)
{
    lower_limit(0);
    kernel_double.mlock2_error = -EPERM;
    ck_assert_uint_eq(al_privilege_read().soft_limit, 0);
    ck_assert(!al_privilege_read().exempt);
}
END_TEST

START_TEST(nothing_of_the_probe_is_left)
{
    char *before;
    char *after;

    lower_limit(65536);
    /* the first read may make the heap grow */
    before = unit_read_path("/proc/self/statm");
    before = unit_read_path("/proc/self/statm");
    (void)al_privilege_read();
    after = unit_read_path("/proc/self/statm");
    if (!UNIT_SANITIZED)
        ck_assert_int_eq(strtol(before, NULL, 10), strtol(after, NULL, 10));
}
END_TEST

static void modern_kernel(void)
{
    memset(&kernel_double, 0, sizeof(kernel_double));
    kernel_double.knows_onfault = true;
}

int main(void)
{
    TCase *tests = tcase_create("privilege");

    tcase_add_checked_fixture(tests, modern_kernel, NULL);
    tcase_add_test(tests, limits_are_the_processs);
    tcase_add_test(tests, without_the_capability_the_limit_holds);
    tcase_add_test(tests, a_capability_that_counts);
    tcase_add_test(tests, a_capability_that_does_not_count);
    tcase_add_test(tests, a_limit_of_nothing);
    tcase_add_test(tests, nothing_of_the_probe_is_left);
    return unit_run(tests);
}
