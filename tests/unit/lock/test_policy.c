#include "policy.h"
#include "unit.h"

static const struct al_policy policy = {
    .kinds = AL_KIND_HEAP | AL_KIND_FILE, .min_size = 4096, .max_size = 65536};

START_TEST(kinds)
{
    ck_assert_int_eq(al_policy_judge(&policy, AL_KIND_HEAP, 4096, true), AL_TAKE);
    ck_assert_int_eq(al_policy_judge(&policy, AL_KIND_FILE, 4096, true), AL_TAKE);
    ck_assert_int_eq(al_policy_judge(&policy, AL_KIND_ANON, 4096, true), AL_SKIP_KIND);
    ck_assert_int_eq(al_policy_judge(&policy, AL_KIND_IMAGE, 4096, true), AL_SKIP_KIND);
}
END_TEST

START_TEST(bounds)
{
    ck_assert_int_eq(al_policy_judge(&policy, AL_KIND_HEAP, 0, true), AL_SKIP_SIZE);
    ck_assert_int_eq(al_policy_judge(&policy, AL_KIND_HEAP, 4095, true), AL_SKIP_SIZE);
    ck_assert_int_eq(al_policy_judge(&policy, AL_KIND_HEAP, 65536, true), AL_TAKE);
    ck_assert_int_eq(al_policy_judge(&policy, AL_KIND_HEAP, 65537, true), AL_SKIP_SIZE);
    ck_assert_int_eq(al_policy_judge(&policy, AL_KIND_HEAP, UINT64_MAX, true), AL_SKIP_SIZE);
}
END_TEST

/* Reservations are judged again when they become accessible: their size says nothing yet. */
START_TEST(reservations)
{
    ck_assert_int_eq(al_policy_judge(&policy, AL_KIND_HEAP, 8192, false), AL_SKIP_INACCESSIBLE);
    ck_assert_int_eq(al_policy_judge(&policy, AL_KIND_HEAP, 1, false), AL_SKIP_INACCESSIBLE);
    ck_assert_int_eq(al_policy_judge(&policy, AL_KIND_ANON, 8192, false), AL_SKIP_KIND);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("policy");

    tcase_add_test(tests, kinds);
    tcase_add_test(tests, bounds);
    tcase_add_test(tests, reservations);
    return unit_run(tests);
}
