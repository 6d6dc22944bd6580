/* The budget where the kernel locks all that is to come: what is asked; what is left out is in
 * room_left_out.c. */
#include "room_check.h"

static void begin(void)
{
    memset(&kernel_double, 0, sizeof(kernel_double));
    kernel_double.knows_onfault = true;
}

/* -- what fits ------------------------------------------------------------------------------ */

START_TEST(before_it_begins_everything_fits)
{
    ck_assert(!al_room_limited());
    ck_assert(al_room_fits(UINT64_MAX));
    ck_assert(al_room_has(UINT64_MAX));
}
END_TEST

START_TEST(without_a_bound_everything_does)
{
    al_room_begin(future, UINT64_MAX);
    ck_assert(!al_room_limited());
    ck_assert(al_room_fits(UINT64_MAX));
    ck_assert(al_room_has(UINT64_MAX));
}
END_TEST

START_TEST(after_its_end_too)
{
    al_room_begin(future, mib);
    ck_assert(al_room_limited());
    ck_assert(!al_room_fits(2 * mib));
    al_room_end(NULL, NULL);
    ck_assert(!al_room_limited());
    ck_assert(al_room_fits(UINT64_MAX));
}
END_TEST

START_TEST(what_is_resident_is_used)
{
    begin_with(64 * mib);
    ck_assert(al_room_has(32 * mib));
    ck_assert(!al_room_has(96 * mib));
    ck_assert(al_room_fits(32 * mib));
    ck_assert(!al_room_fits(96 * mib));
    ck_assert(!al_room_fits(UINT64_MAX));
    ck_assert(!al_room_has(UINT64_MAX));
    (void)fill(48 * mib);
    ck_assert(!al_room_fits(32 * mib));
    ck_assert(!al_room_has(32 * mib));
}
END_TEST

START_TEST(nothing_fits_a_budget_that_is_used)
{
    (void)fill(8 * mib);
    al_room_begin(future, mib);
    ck_assert(!al_room_fits(1));
    ck_assert(!al_room_has(1));
    ck_assert(!al_room_has(0));
}
END_TEST

/* It is what is there now, not what was there at most. */
START_TEST(what_is_gone_is_not_used)
{
    char *there;

    begin_with(64 * mib);
    there = fill(60 * mib);
    ck_assert(!al_room_fits(32 * mib));
    ck_assert_int_eq(munmap(there, 60 * mib), 0);
    ck_assert(al_room_fits(32 * mib));
}
END_TEST

/* Between two looks an eighth of what was left then may be taken, and no more. */
START_TEST(credit)
{
    uint64_t taken = 0;

    begin_with(64 * mib);
    ck_assert(al_room_fits(mib));
    (void)fill(72 * mib);
    ck_assert(!al_room_has(mib)); /* looks each time */
    while (taken < 64 * mib && al_room_fits(mib))
        taken += mib;
    ck_assert_uint_ge(taken, 6 * mib);
    ck_assert_uint_le(taken, 8 * mib);
}
END_TEST

START_TEST(to_ask_takes_no_credit)
{
    begin_with(64 * mib);
    ck_assert(al_room_fits(mib));
    for (unsigned i = 0; i < 1000; i++)
        ck_assert(al_room_has(mib));
    (void)fill(72 * mib);
    ck_assert(al_room_fits(6 * mib));
}
END_TEST

/* -- a thread's chunk ----------------------------------------------------------------------- */

static struct al_counts counts;

START_TEST(small_ones_are_asked_for_together)
{
    begin_with(64 * mib);
    ck_assert(!al_room_spend(&counts, 1));
    ck_assert(al_room_renew(&counts, 100));
    ck_assert_uint_eq(counts.part[AL_PART_ROOM], AL_ROOM_CHUNK - 100);
    ck_assert(al_room_spend(&counts, AL_ROOM_CHUNK - 200));
    ck_assert(!al_room_spend(&counts, 101));
    ck_assert_uint_eq(counts.part[AL_PART_ROOM], 100);
    ck_assert(al_room_spend(&counts, 100));
    ck_assert(!al_room_spend(&counts, 1));
    ck_assert(al_room_spend(&counts, 0));
}
END_TEST

/* They are asked for one by one. */
START_TEST(large_ones_alone)
{
    begin_with(64 * mib);
    ck_assert(!al_room_renew(&counts, AL_ROOM_CHUNK));
    ck_assert_uint_eq(counts.part[AL_PART_ROOM], 0);
    ck_assert(al_room_renew(&counts, AL_ROOM_CHUNK - 1));
    ck_assert_uint_eq(counts.part[AL_PART_ROOM], 1);
}
END_TEST

START_TEST(no_room_for_a_chunk)
{
    (void)fill(8 * mib);
    al_room_begin(future, 2 * mib);
    ck_assert(!al_room_renew(&counts, 100));
    ck_assert_uint_eq(counts.part[AL_PART_ROOM], 0);
    ck_assert(!al_room_spend(&counts, 1));
}
END_TEST

START_TEST(without_a_bound_it_is_never_renewed)
{
    ck_assert(al_room_renew(&counts, 100));
    for (unsigned i = 0; i < 1000; i++)
        ck_assert(al_room_spend(&counts, (size_t)1 << 40));
}
END_TEST

/* -- open and close ------------------------------------------------------------------------- */

START_TEST(opened_the_kernel_brings_nothing_in)
{
    begin_with(64 * mib);
    (void)al_room_open();
    ck_assert_uint_eq(kernel_double.in_force, AL_MCL_FUTURE | AL_MCL_ONFAULT);
    al_room_close();
    ck_assert_uint_eq(kernel_double.in_force, AL_MCL_FUTURE);
    ck_assert_uint_eq(kernel_double.mlockall_calls, 2);
}
END_TEST

/* What was asked for on fault goes on so; what exists is not locked again. */
START_TEST(closed_it_is_as_before)
{
    al_room_begin(future | AL_MCL_ONFAULT, mib);
    (void)al_room_open();
    al_room_close();
    ck_assert_uint_eq(kernel_double.in_force, AL_MCL_FUTURE | AL_MCL_ONFAULT);
}
END_TEST

/* Two threads, or a call within a call: the last one out closes. */
START_TEST(nested)
{
    begin_with(64 * mib);
    (void)al_room_open();
    (void)al_room_open();
    ck_assert_uint_eq(kernel_double.mlockall_calls, 1);
    al_room_close();
    ck_assert_uint_eq(kernel_double.in_force, AL_MCL_FUTURE | AL_MCL_ONFAULT);
    ck_assert_uint_eq(kernel_double.mlockall_calls, 1);
    al_room_close();
    ck_assert_uint_eq(kernel_double.in_force, AL_MCL_FUTURE);
    (void)al_room_open();
    ck_assert_uint_eq(kernel_double.mlockall_calls, 3);
}
END_TEST

START_TEST(closed_without_being_open)
{
    begin_with(64 * mib);
    al_room_close();
    ck_assert_uint_eq(kernel_double.mlockall_calls, 0);
}
END_TEST

/* Another thread has ended it between a thread's question and its opening, or before it closes:
 * the kernel is not to lock what is to come, ever again. */
START_TEST(ended_meanwhile)
{
    begin_with(64 * mib);
    al_room_end(NULL, NULL);
    (void)al_room_open();
    al_room_close();
    ck_assert_uint_eq(kernel_double.mlockall_calls, 0);
    begin_with(64 * mib);
    (void)al_room_open();
    al_room_end(NULL, NULL);
    kernel_double.in_force = 0; /* munlockall */
    al_room_close();
    ck_assert_uint_eq(kernel_double.in_force, 0);
}
END_TEST

static bool ends_it(void *asked)
{
    *(bool *)asked = al_room_in_force() && al_room_limited() && !al_room_fits(128 * mib);
    kernel_double.in_force = 0; /* munlockall */
    return true;
}

/* Until the kernel has ended it, it brings in what another thread maps. */
START_TEST(asked_until_it_ends)
{
    bool asked = false;

    begin_with(64 * mib);
    al_room_end(ends_it, &asked);
    ck_assert(asked);
    ck_assert(!al_room_in_force());
    ck_assert_uint_eq(kernel_double.in_force, 0);
}
END_TEST

static bool fails(void *data)
{
    (void)data;
    return false;
}

/* As a munlockall of the program may, and then the kernel goes on. */
START_TEST(it_did_not_end)
{
    begin_with(64 * mib);
    (void)al_room_open();
    al_room_end(fails, NULL);
    ck_assert(al_room_in_force());
    al_room_close();
    ck_assert_uint_eq(kernel_double.in_force, AL_MCL_FUTURE);
}
END_TEST

/* Without a cgroup to ask nothing is held. */
START_TEST(at_once)
{
    size_t held = 1;

    begin_with(64 * mib);
    ck_assert(!al_room_is_large(32 * mib));
    ck_assert(al_room_fits_at_once(32 * mib, &held));
    ck_assert_uint_eq(held, 0);
    ck_assert(!al_room_fits_at_once(96 * mib, &held));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("room");

    tcase_add_checked_fixture(tests, begin, NULL);
    tcase_add_test(tests, before_it_begins_everything_fits);
    tcase_add_test(tests, without_a_bound_everything_does);
    tcase_add_test(tests, after_its_end_too);
    tcase_add_test(tests, what_is_resident_is_used);
    tcase_add_test(tests, nothing_fits_a_budget_that_is_used);
    tcase_add_test(tests, what_is_gone_is_not_used);
    tcase_add_test(tests, credit);
    tcase_add_test(tests, to_ask_takes_no_credit);
    tcase_add_test(tests, small_ones_are_asked_for_together);
    tcase_add_test(tests, large_ones_alone);
    tcase_add_test(tests, no_room_for_a_chunk);
    tcase_add_test(tests, without_a_bound_it_is_never_renewed);
    tcase_add_test(tests, opened_the_kernel_brings_nothing_in);
    tcase_add_test(tests, closed_it_is_as_before);
    tcase_add_test(tests, nested);
    tcase_add_test(tests, closed_without_being_open);
    tcase_add_test(tests, ended_meanwhile);
    tcase_add_test(tests, asked_until_it_ends);
    tcase_add_test(tests, it_did_not_end);
    tcase_add_test(tests, at_once);
    room_add_left_out(tests);
    return unit_run(tests);
}
