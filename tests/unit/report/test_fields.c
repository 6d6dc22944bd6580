/* The table of the report's numbers. */
#include "fields.h"
#include "unit.h"

#include <string.h>

START_TEST(each_row_is_described)
{
    for (size_t i = 0; i < AL_FIELD_TOTAL; i++) {
        ck_assert_uint_gt(strlen(al_field_inner(&al_fields[i])), 0);
        ck_assert_uint_gt(strlen(al_fields[i].key), 0);
        ck_assert_uint_gt(strlen(al_field_help(&al_fields[i])), 0);
    }
}
END_TEST

START_TEST(no_two_rows_are_the_same)
{
    for (size_t i = 0; i < AL_FIELD_TOTAL; i++)
        for (size_t j = 0; j < i; j++)
            ck_assert(strcmp(al_field_outer(&al_fields[i]), al_field_outer(&al_fields[j])) != 0 ||
                      strcmp(al_field_inner(&al_fields[i]), al_field_inner(&al_fields[j])) != 0 ||
                      strcmp(al_fields[i].key, al_fields[j].key) != 0);
}
END_TEST

/* An object that is opened a second time would be two objects of one name. */
START_TEST(rows_of_an_object_stand_together)
{
    for (size_t i = 1; i < AL_FIELD_TOTAL; i++) {
        const struct al_field_row *row = &al_fields[i];
        bool outer_goes_on = strcmp(al_field_outer(row), al_field_outer(&al_fields[i - 1])) == 0;

        for (size_t j = 0; j < i; j++) {
            if (*al_field_outer(row) && !outer_goes_on)
                ck_assert_str_ne(al_field_outer(row), al_field_outer(&al_fields[j]));
            if (!outer_goes_on ||
                strcmp(al_field_inner(row), al_field_inner(&al_fields[i - 1])) != 0)
                ck_assert(strcmp(al_field_outer(row), al_field_outer(&al_fields[j])) != 0 ||
                          strcmp(al_field_inner(row), al_field_inner(&al_fields[j])) != 0);
        }
    }
}
END_TEST

START_TEST(units_are_in_the_names)
{
    for (size_t i = 0; i < AL_FIELD_TOTAL; i++) {
        const char *key = al_fields[i].key;
        size_t length = strlen(key);

        ck_assert_int_eq(length > 6 && strcmp(key + length - 6, "_bytes") == 0,
                         al_fields[i].unit == AL_UNIT_BYTES);
        ck_assert_int_eq(length > 3 && strcmp(key + length - 3, "_ns") == 0,
                         al_fields[i].unit == AL_UNIT_NS);
    }
}
END_TEST

START_TEST(each_counter_is_in_the_report_once)
{
    unsigned seen[AL_COUNTER_TOTAL] = {0};

    for (size_t i = 0; i < AL_FIELD_TOTAL; i++) {
        ck_assert_int_lt(al_fields[i].counter, AL_COUNTER_TOTAL);
        if (al_fields[i].counter >= 0)
            seen[al_fields[i].counter]++;
    }
    for (size_t i = 0; i < AL_COUNTER_TOTAL; i++)
        ck_assert_uint_eq(seen[i], 1);
}
END_TEST

START_TEST(names_lead_to_rows)
{
    ck_assert_str_eq(al_field_outer(&al_fields[AL_FIELD_syscalls_mlock2_time_ns]), "syscalls");
    ck_assert_str_eq(al_field_inner(&al_fields[AL_FIELD_syscalls_mlock2_time_ns]), "mlock2");
    ck_assert_str_eq(al_fields[AL_FIELD_syscalls_mlock2_time_ns].key, "time_ns");
    ck_assert_int_eq(al_fields[AL_FIELD_syscalls_mlock2_time_ns].counter,
                     AL_COUNT_syscalls_mlock2_time_ns);
    ck_assert_str_eq(al_field_outer(&al_fields[AL_FIELD_memory_rss_bytes]), "");
    ck_assert_int_eq(al_fields[AL_FIELD_memory_rss_bytes].counter, -1);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("fields");

    tcase_add_test(tests, each_row_is_described);
    tcase_add_test(tests, no_two_rows_are_the_same);
    tcase_add_test(tests, rows_of_an_object_stand_together);
    tcase_add_test(tests, units_are_in_the_names);
    tcase_add_test(tests, each_counter_is_in_the_report_once);
    tcase_add_test(tests, names_lead_to_rows);
    return unit_run(tests);
}
