/* The rows of the report's table as families of metrics, by the rules of Prometheus' own linter. */
#include "families.h"
#include "unit.h"

#include <string.h>

static const char *name_of(const struct al_membership *member)
{
    static char buffer[2][128];
    static unsigned turn;
    struct al_text text = al_text_over(buffer[turn ^= 1], sizeof(buffer[0]));

    al_family_print_name(&text, member);
    ck_assert(!text.cut);
    return text.at;
}

static bool ends_in(const char *name, const char *suffix)
{
    size_t length = strlen(name);
    size_t wanted = strlen(suffix);

    return length >= wanted && strcmp(name + length - wanted, suffix) == 0;
}

static struct al_membership find(size_t field)
{
    const struct al_field_row *row = &al_fields[field];
    struct al_membership member = al_family_find(row);

    ck_assert_msg(member.family != NULL, "families.def has none for %s.%s.%s", al_field_outer(row),
                  al_field_inner(row), row->key);
    return member;
}

START_TEST(each_row_has_its_family)
{
    for (size_t i = 0; i < AL_FIELD_TOTAL; i++) {
        struct al_membership member = find(i);

        ck_assert_uint_lt(strlen(member.star), sizeof(member.star) - 1);
        ck_assert_int_eq(member.family->type == AL_FAMILY_SUMMARY,
                         member.sample != AL_SAMPLE_VALUE);
    }
}
END_TEST

START_TEST(each_family_has_rows)
{
    bool used[64][AL_SAMPLE_TOTAL] = {{false}};

    ck_assert_uint_le(al_family_count, 64);
    for (size_t i = 0; i < AL_FIELD_TOTAL; i++) {
        struct al_membership member = find(i);

        used[member.family - al_families][member.sample] = true;
    }
    for (size_t i = 0; i < al_family_count; i++)
        for (unsigned sample = 0; sample < AL_SAMPLE_TOTAL; sample++)
            ck_assert_msg(used[i][sample] == (*al_family_pattern(&al_families[i], sample) != 0),
                          "%s: a pattern matches nothing", al_family_name(&al_families[i]));
}
END_TEST

/* No two samples may have the same name and labels. */
START_TEST(no_two_rows_are_the_same_sample)
{
    for (size_t i = 0; i < AL_FIELD_TOTAL; i++) {
        struct al_membership a = find(i);

        for (size_t j = 0; j < i; j++) {
            struct al_membership b = find(j);
            bool same_labels = !*al_family_label(a.family) || strcmp(a.star, b.star) == 0;

            if (strcmp(name_of(&a), name_of(&b)) != 0)
                continue;
            ck_assert_ptr_eq(a.family, b.family);
            ck_assert_msg(a.sample != b.sample || !same_labels, "%s", name_of(&a));
        }
    }
}
END_TEST

START_TEST(units_and_types_are_in_the_names)
{
    for (size_t i = 0; i < AL_FIELD_TOTAL; i++) {
        struct al_membership member = find(i);
        const char *name = name_of(&member);
        bool bytes = ends_in(name, "_bytes") || ends_in(name, "_bytes_total");
        bool seconds = ends_in(name, "_seconds") || ends_in(name, "_seconds_total");
        bool is_count = member.sample == AL_SAMPLE_COUNT;

        ck_assert_int_eq(strncmp(name, "autolock_", 9), 0);
        ck_assert_uint_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(name));
        ck_assert_msg(bytes == (al_fields[i].unit == AL_UNIT_BYTES), "%s", name);
        ck_assert_msg(seconds == (al_fields[i].unit == AL_UNIT_NS || is_count), "%s", name);
        ck_assert_msg(ends_in(name, "_total") == (member.family->type == AL_FAMILY_COUNTER), "%s",
                      name);
        ck_assert(!ends_in(name, "_sum") && !ends_in(name, "_count") && !ends_in(name, "_bucket"));
    }
}
END_TEST

/* It stands in the text as it is. */
START_TEST(help_needs_no_escaping)
{
    for (size_t i = 0; i < AL_FIELD_TOTAL; i++) {
        struct al_membership member = find(i);
        const char *help = al_family_help(&member, &al_fields[i]);

        ck_assert_uint_gt(strlen(help), 0);
        ck_assert_uint_eq(strcspn(help, "\\\n"), strlen(help));
        /* What JSON calls so is +Inf here. */
        ck_assert_msg(strstr(help, "-1") == NULL, "%s", help);
    }
}
END_TEST

static void expect(enum al_field field, const char *name, const char *star)
{
    struct al_membership member = find(field);

    ck_assert_str_eq(name_of(&member), name);
    ck_assert_str_eq(member.star, star);
}

START_TEST(rows_of_each_sort)
{
    expect(AL_FIELD_calls_malloc_usable_size, "autolock_calls_total", "malloc_usable_size");
    expect(AL_FIELD_locked_total_bytes, "autolock_locked_bytes_total", "");
    expect(AL_FIELD_locked_kernel_bytes, "autolock_locked_kernel_bytes", "kernel_bytes");
    expect(AL_FIELD_by_kind_heap_locked_bytes, "autolock_kind_locked_bytes", "heap");
    expect(AL_FIELD_faults_minor, "autolock_page_faults_total", "minor");
    expect(AL_FIELD_faults_major_after_lock, "autolock_page_faults_after_lock_total", "major");
    expect(AL_FIELD_syscalls_mlock2_p99_ns, "autolock_syscall_seconds", "mlock2");
    expect(AL_FIELD_children_fork, "autolock_forks_total", "fork");
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("families");

    tcase_add_test(tests, each_row_has_its_family);
    tcase_add_test(tests, each_family_has_rows);
    tcase_add_test(tests, no_two_rows_are_the_same_sample);
    tcase_add_test(tests, units_and_types_are_in_the_names);
    tcase_add_test(tests, help_needs_no_escaping);
    tcase_add_test(tests, rows_of_each_sort);
    return unit_run(tests);
}
