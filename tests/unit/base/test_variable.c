/* Variables of an environment. */
#include "unit.h"
#include "variable.h"

START_TEST(the_value_of_a_name)
{
    char *const environment[] = {(char *)"PATHS=no",   (char *)"PATH=/bin:/usr/bin",
                                 (char *)"PATH=later", (char *)"EMPTY=",
                                 (char *)"BARE",       NULL};

    ck_assert_str_eq(al_variable(environment, "PATH"), "/bin:/usr/bin");
    ck_assert_str_eq(al_variable(environment, "PATHS"), "no");
    ck_assert_str_eq(al_variable(environment, "EMPTY"), "");
    ck_assert_ptr_null(al_variable(environment, "BARE"));
    ck_assert_ptr_null(al_variable(environment, "PAT"));
    ck_assert_ptr_null(al_variable(NULL, "PATH"));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("variable");

    tcase_add_test(tests, the_value_of_a_name);
    return unit_run(tests);
}
