/* Why a fault was, by all that can be known of it. */
#include "faults_cause.h"
#include "unit.h"

#include <string.h>

static struct faults_region region(enum faults_lock lock)
{
    return (struct faults_region){
        .start = 0x10000,
        .end = 0x20000,
        .name = "",
        .is_private = true,
        .writable = true,
        .lock = lock,
        .populated_ns = lock == FAULTS_LOCKED ? 100 : 0,
    };
}

static enum run_fault_cause cause(enum faults_kind kind, const struct faults_region *before,
                                  const struct faults_region *after, uint64_t forked_ns)
{
    const struct faults_circumstances now = {.kind = kind,
                                             .before = before,
                                             .after = after,
                                             .looked = after != NULL,
                                             .forked_ns = forked_ns};

    return faults_cause(&now);
}

START_TEST(what_is_not_locked)
{
    struct faults_region here = region(FAULTS_LOCK_NONE);

    ck_assert_int_eq(cause(FAULTS_MINOR, &here, &here, 0), RUN_FAULT_NOT_LOCKED);
    ck_assert_int_eq(cause(FAULTS_MAJOR, &here, NULL, 0), RUN_FAULT_NOT_LOCKED);
    ck_assert_int_eq(cause(FAULTS_MINOR, NULL, &here, 0), RUN_FAULT_NOT_LOCKED);
    ck_assert_int_eq(cause(FAULTS_MINOR, &here, &here, 50), RUN_FAULT_NOT_LOCKED_OR_COPY);
    /* What has to be read from a disk is no copy, nor is what is shared, or cannot be written. */
    ck_assert_int_eq(cause(FAULTS_MAJOR, &here, &here, 50), RUN_FAULT_NOT_LOCKED);
    here.is_private = false;
    ck_assert_int_eq(cause(FAULTS_MINOR, &here, &here, 50), RUN_FAULT_NOT_LOCKED);
    here.is_private = true;
    here.writable = false;
    ck_assert_int_eq(cause(FAULTS_MINOR, &here, &here, 50), RUN_FAULT_NOT_LOCKED);
}
END_TEST

START_TEST(what_is_locked_later)
{
    struct faults_region none = region(FAULTS_LOCK_NONE);
    struct faults_region locked = region(FAULTS_LOCKED);
    struct faults_region on_fault = region(FAULTS_LOCKED_ON_FAULT);

    ck_assert_int_eq(cause(FAULTS_MINOR, &none, &locked, 0), RUN_FAULT_BEFORE_LOCK);
    ck_assert_int_eq(cause(FAULTS_MINOR, &none, &on_fault, 0), RUN_FAULT_FIRST_TOUCH);
    ck_assert_int_eq(cause(FAULTS_MINOR, &on_fault, &on_fault, 0), RUN_FAULT_FIRST_TOUCH);
    ck_assert_int_eq(cause(FAULTS_MINOR, &on_fault, NULL, 50), RUN_FAULT_FIRST_TOUCH_OR_COPY);
    /* What it was made with is what holds, until somebody has seen more. */
    locked.fresh = true;
    ck_assert_int_eq(cause(FAULTS_MINOR, &locked, &none, 0), RUN_FAULT_NOT_LOCKED);
    ck_assert_int_eq(cause(FAULTS_MINOR, &locked, &on_fault, 0), RUN_FAULT_FIRST_TOUCH);
    ck_assert_int_eq(cause(FAULTS_MINOR, &locked, NULL, 0), RUN_FAULT_UNKNOWN);
}
END_TEST

START_TEST(what_is_locked)
{
    struct faults_region locked = region(FAULTS_LOCKED);
    struct faults_circumstances now = {
        .kind = FAULTS_MINOR, .before = &locked, .after = &locked, .looked = true};

    ck_assert_int_eq(faults_cause(&now), RUN_FAULT_UNKNOWN);
    now.moved = true;
    ck_assert_int_eq(faults_cause(&now), RUN_FAULT_MIGRATION);
    /* A page that is moved is not read from a disk. */
    now.kind = FAULTS_MAJOR;
    ck_assert_int_eq(faults_cause(&now), RUN_FAULT_UNKNOWN);
    now.kind = FAULTS_MINOR;
    locked.name = "[stack]";
    ck_assert_int_eq(faults_cause(&now), RUN_FAULT_GROWTH);
}
END_TEST

START_TEST(copies)
{
    struct faults_region locked = region(FAULTS_LOCKED);

    ck_assert_int_eq(cause(FAULTS_MINOR, &locked, &locked, 200), RUN_FAULT_COPY);
    /* The fork was before all of it was there. */
    ck_assert_int_eq(cause(FAULTS_MINOR, &locked, &locked, 50), RUN_FAULT_UNKNOWN);
    ck_assert_int_eq(cause(FAULTS_MAJOR, &locked, &locked, 200), RUN_FAULT_UNKNOWN);
    /* In the child nothing is locked, but all of it is there. */
    locked.lock = FAULTS_LOCK_NONE;
    ck_assert_int_eq(cause(FAULTS_MINOR, &locked, NULL, 200), RUN_FAULT_COPY);
    locked.is_private = false;
    ck_assert_int_eq(cause(FAULTS_MINOR, &locked, NULL, 200), RUN_FAULT_NOT_LOCKED);
}
END_TEST

START_TEST(what_cannot_be_known)
{
    struct faults_region fresh = region(FAULTS_LOCK_NONE);
    struct faults_circumstances now = {.kind = FAULTS_MINOR, .before = &fresh, .by_hooks = true};

    ck_assert_int_eq(cause(FAULTS_MINOR, NULL, NULL, 0), RUN_FAULT_UNKNOWN);
    fresh.fresh = true;
    ck_assert_int_eq(faults_cause(&now), RUN_FAULT_UNKNOWN);
    now.by_hooks = false;
    ck_assert_int_eq(faults_cause(&now), RUN_FAULT_NOT_LOCKED);
    now.kind = FAULTS_BROUGHT;
    ck_assert_int_eq(faults_cause(&now), RUN_FAULT_BROUGHT);
}
END_TEST

START_TEST(each_has_words)
{
    for (int i = 0; i < RUN_FAULT_CAUSES; i++) {
        ck_assert_uint_gt(strlen(faults_cause_text((enum run_fault_cause)i)), 0);
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(faults_cause_key((enum run_fault_cause)i),
                             faults_cause_key((enum run_fault_cause)j));
    }
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("faults_cause");

    tcase_add_test(tests, what_is_not_locked);
    tcase_add_test(tests, what_is_locked_later);
    tcase_add_test(tests, what_is_locked);
    tcase_add_test(tests, copies);
    tcase_add_test(tests, what_cannot_be_known);
    tcase_add_test(tests, each_has_words);
    return unit_run(tests);
}
