/* What the kernel is not to lock, for lack of room: where it is, and what of it. */
#include "room_check.h"

static uint64_t skipped(void)
{
    uint64_t sum[AL_COUNTER_TOTAL];

    al_counters_sum(sum);
    return sum[AL_COUNT_skipped_budget];
}

/* -- leaving out ---------------------------------------------------------------------------- */

static void expect_left_out(size_t from, size_t length, size_t expected_from, size_t expected_end)
{
    static char *const base = (char *)((uintptr_t)1 << 40);

    kernel_double.munlock_calls = 0;
    al_room_leave_out(base + from, length);
    if (expected_from == expected_end) {
        ck_assert_uint_eq(kernel_double.munlock_calls, 0);
        return;
    }
    ck_assert_uint_eq(kernel_double.munlock_calls, 1);
    ck_assert_ptr_eq(kernel_double.munlock_start, base + expected_from);
    ck_assert_uint_eq(kernel_double.munlock_length, expected_end - expected_from);
}

/* Its neighbours on the pages at both ends stay locked. */
START_TEST(whole_pages_alone)
{
    size_t page = al_page_size();

    begin_with(64 * mib);
    expect_left_out(0, 2 * page, 0, 2 * page);
    expect_left_out(1, 2 * page, page, 2 * page);
    expect_left_out(0, 2 * page - 1, 0, page);
    expect_left_out(page - 1, page + 2, page, 2 * page);
    expect_left_out(1, page, 0, 0);
    expect_left_out(16, 2 * page - 32, 0, 0);
    expect_left_out(0, 0, 0, 0);
}
END_TEST

/* The hooks lock what they can then: that stays. */
START_TEST(not_after_its_end)
{
    begin_with(64 * mib);
    al_room_end(NULL, NULL);
    expect_left_out(0, 2 * al_page_size(), 0, 0);
}
END_TEST

/* In a call that whoever ends it waits for. */
START_TEST(in_flight)
{
    begin_with(64 * mib);
    al_flight_begin();
    expect_left_out(0, 2 * al_page_size(), 0, 2 * al_page_size());
    al_flight_end();
}
END_TEST

/* -- what is to become accessible ----------------------------------------------------------- */

START_TEST(opening_what_does_not_fit)
{
    char *there = map_of(64 * mib);

    begin_with(16 * mib);
    al_room_opening(there, 64 * mib);
    ck_assert_uint_eq(kernel_double.munlock_calls, 1);
    ck_assert_ptr_eq(kernel_double.munlock_start, there);
    ck_assert_uint_eq(kernel_double.munlock_length, 64 * mib);
    ck_assert_uint_eq(skipped(), 1);
}
END_TEST

START_TEST(opening_what_fits)
{
    char *there = map_of(64 * mib);

    begin_with(128 * mib);
    al_room_opening(there, 64 * mib);
    ck_assert_uint_eq(kernel_double.munlock_calls, 0);
    ck_assert_uint_eq(skipped(), 0);
}
END_TEST

/* It takes nothing that is not taken already. */
START_TEST(opening_what_is_there)
{
    char *there = fill(64 * mib);

    begin_with(16 * mib);
    al_room_opening(there, 64 * mib);
    ck_assert_uint_eq(kernel_double.munlock_calls, 0);
    /* of a quarter most is not */
    ck_assert_int_eq(madvise(there + 16 * mib, 48 * mib, MADV_DONTNEED), 0);
    al_room_begin(future, resident() + 16 * mib);
    al_room_opening(there, 64 * mib);
    ck_assert_uint_eq(kernel_double.munlock_calls, 1);
    ck_assert_uint_eq(skipped(), 1);
}
END_TEST

/* A page that was read and never written is the one that all share: to open it is to copy it. */
START_TEST(opening_what_was_only_read)
{
    volatile char *there = map_of(64 * mib);

    for (uint64_t i = 0; i < 64 * mib; i += al_page_size())
        ck_assert_int_eq(there[i], 0);
    begin_with(16 * mib);
    al_room_opening((char *)there, 64 * mib);
    ck_assert_uint_eq(kernel_double.munlock_calls, 1);
}
END_TEST

START_TEST(opening_little)
{
    char *there = map_of(mib);

    al_room_begin(future, 1);
    al_room_opening(there, AL_ROOM_CHUNK - al_page_size());
    ck_assert_uint_eq(kernel_double.munlock_calls, 0);
    al_room_opening(there, AL_ROOM_CHUNK);
    ck_assert_uint_eq(kernel_double.munlock_calls, 1);
}
END_TEST

START_TEST(opening_without_a_bound)
{
    char *there = map_of(64 * mib);

    al_room_opening(there, 64 * mib);
    ck_assert_uint_eq(kernel_double.munlock_calls, 0);
}
END_TEST

void room_add_left_out(TCase *tests)
{
    tcase_add_test(tests, whole_pages_alone);
    tcase_add_test(tests, not_after_its_end);
    tcase_add_test(tests, in_flight);
    tcase_add_test(tests, opening_what_does_not_fit);
    tcase_add_test(tests, opening_what_fits);
    tcase_add_test(tests, opening_what_is_there);
    tcase_add_test(tests, opening_what_was_only_read);
    tcase_add_test(tests, opening_little);
    tcase_add_test(tests, opening_without_a_bound);
}
