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

static bool capable(int capability)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};

    ck_assert_int_eq(al_sys2(SYS_capget, &header, data), 0);
    return data[0].effective >> capability & 1;
}

static void give_up(int capability)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};

    ck_assert_int_eq(al_sys2(SYS_capget, &header, data), 0);
    data[0].effective &= ~(1U << capability);
    ck_assert_int_eq(al_sys2(SYS_capset, &header, data), 0);
}

/* What the kernel answers where a limit holds. */
static struct al_privilege read_limited(void)
{
    kernel_double.try_error = -ENOMEM;
    return al_privilege_read();
}

START_TEST(limits_are_the_processs)
{
    struct al_privilege privilege;
    rlim_t soft = lower_limit(65536);
    struct rlimit limit;

    getrlimit(RLIMIT_MEMLOCK, &limit);
    privilege = read_limited();
    ck_assert_uint_eq(privilege.soft_limit, soft);
    ck_assert_uint_eq(privilege.hard_limit,
                      limit.rlim_max == RLIM_INFINITY ? AL_UNLIMITED : limit.rlim_max);
    ck_assert_int_eq(privilege.capable, capable(CAP_IPC_LOCK));
    ck_assert_int_eq(privilege.resource, capable(CAP_SYS_RESOURCE));
}
END_TEST

START_TEST(without_the_capability_the_limit_holds)
{
    struct al_privilege privilege;

    lower_limit(65536);
    give_up(CAP_IPC_LOCK);
    privilege = read_limited();
    ck_assert(!privilege.capable);
    ck_assert(!privilege.exempt);
    ck_assert_int_eq(privilege.forbidden, 0);
}
END_TEST

START_TEST(what_the_kernel_lets_through)
{
    rlim_t soft = lower_limit(65536);
    struct al_privilege privilege = al_privilege_read();

    ck_assert(privilege.exempt);
    ck_assert(privilege.capable);
    ck_assert_int_eq(privilege.forbidden, 0);
    ck_assert_uint_eq(kernel_double.try_calls, 1);
    ck_assert_uint_eq(kernel_double.nothing_calls, 0);
    ck_assert_uint_gt(kernel_double.try_length, soft);
}
END_TEST

START_TEST(a_capability_that_does_not_count)
{
    if (!capable(CAP_IPC_LOCK))
        return;
    lower_limit(65536);
    ck_assert(read_limited().capable);
    ck_assert(!read_limited().exempt);
}
END_TEST

START_TEST(forbidden_altogether)
{
    lower_limit(65536);
    kernel_double.nothing_error = -EPERM;
    ck_assert_int_eq(read_limited().forbidden, -EPERM);
    kernel_double.nothing_error = -ENOSYS;
    kernel_double.nothing_old_error = -ENOSYS;
    ck_assert_int_eq(read_limited().forbidden, -ENOSYS);
    /* Linux before 4.4 */
    kernel_double.nothing_old_error = 0;
    ck_assert_int_eq(read_limited().forbidden, 0);
}
END_TEST

START_TEST(the_soft_limit_is_raised)
{
    struct rlimit limit;
    struct al_privilege privilege;

    getrlimit(RLIMIT_MEMLOCK, &limit);
    if (limit.rlim_max < 65536)
        return;
    limit.rlim_max = 65536;
    limit.rlim_cur = 4096;
    ck_assert_int_eq(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
    give_up(CAP_SYS_RESOURCE);
    privilege = read_limited();
    al_privilege_raise(&privilege);
    ck_assert_uint_eq(privilege.soft_limit, 65536);
    ck_assert(!privilege.exempt);
    getrlimit(RLIMIT_MEMLOCK, &limit);
    ck_assert_uint_eq(limit.rlim_cur, 65536);
    ck_assert_uint_eq(limit.rlim_max, 65536);
}
END_TEST

START_TEST(the_hard_limit_is_raised)
{
    struct al_privilege privilege;
    struct rlimit limit;

    lower_limit(4096);
    privilege = read_limited();
    if (!privilege.resource)
        return;
    al_privilege_raise(&privilege);
    getrlimit(RLIMIT_MEMLOCK, &limit);
    ck_assert_uint_eq(privilege.soft_limit,
                      limit.rlim_cur == RLIM_INFINITY ? AL_UNLIMITED : limit.rlim_cur);
    /* A user namespace's root has the capability too; it may raise the soft one alone. */
    ck_assert_int_eq(privilege.exempt, limit.rlim_cur == RLIM_INFINITY);
    ck_assert_uint_eq(limit.rlim_cur, limit.rlim_max);
}
END_TEST

/* As in a user namespace: the capability is there, and the kernel refuses all the same. */
START_TEST(the_hard_limit_stays)
{
    struct al_privilege privilege;
    struct rlimit limit;

    getrlimit(RLIMIT_MEMLOCK, &limit);
    if (limit.rlim_max == RLIM_INFINITY || capable(CAP_SYS_RESOURCE))
        return;
    lower_limit(4096);
    privilege = read_limited();
    privilege.resource = true;
    al_privilege_raise(&privilege);
    ck_assert_uint_eq(privilege.soft_limit, limit.rlim_max);
    ck_assert_uint_eq(privilege.hard_limit, limit.rlim_max);
    ck_assert(!privilege.exempt);
}
END_TEST

START_TEST(who_is_exempt_raises_nothing)
{
    rlim_t soft = lower_limit(4096);
    struct al_privilege privilege = al_privilege_read();
    struct rlimit limit;

    ck_assert(privilege.exempt);
    al_privilege_raise(&privilege);
    getrlimit(RLIMIT_MEMLOCK, &limit);
    ck_assert_uint_eq(limit.rlim_cur, soft);
}
END_TEST

START_TEST(a_limit_of_nothing)
{
    lower_limit(0);
    kernel_double.try_error = -EPERM;
    kernel_double.nothing_error = -EPERM;
    ck_assert_uint_eq(al_privilege_read().soft_limit, 0);
    ck_assert(!al_privilege_read().exempt);
    /* It is the limit, and not that locking is forbidden. */
    ck_assert_int_eq(al_privilege_read().forbidden, 0);
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
    tcase_add_test(tests, what_the_kernel_lets_through);
    tcase_add_test(tests, a_capability_that_does_not_count);
    tcase_add_test(tests, forbidden_altogether);
    tcase_add_test(tests, the_soft_limit_is_raised);
    tcase_add_test(tests, the_hard_limit_is_raised);
    tcase_add_test(tests, the_hard_limit_stays);
    tcase_add_test(tests, who_is_exempt_raises_nothing);
    tcase_add_test(tests, a_limit_of_nothing);
    tcase_add_test(tests, nothing_of_the_probe_is_left);
    return unit_run(tests);
}
