/* Who has set the limits, by what a process can see of it. */
#include "place.h"
#include "unit.h"

static struct al_place place;

static void judge(struct al_place_signs signs)
{
    if (!signs.cgroup)
        signs.cgroup = "";
    al_place_judge(&signs, &place);
}

static void expect_of_cgroup(const char *cgroup, enum al_place_kind kind, const char *unit)
{
    judge((struct al_place_signs){.cgroup = cgroup});
    ck_assert_int_eq(place.kind, kind);
    ck_assert_str_eq(place.unit, unit);
}

static void expect(enum al_place_kind kind, struct al_place_signs signs)
{
    judge(signs);
    ck_assert_int_eq(place.kind, kind);
}

START_TEST(by_files_and_variables)
{
    expect(AL_PLACE_SHELL, (struct al_place_signs){0});
    expect(AL_PLACE_SYSTEMD, (struct al_place_signs){.service = true});
    expect(AL_PLACE_DOCKER, (struct al_place_signs){.docker = true, .service = true});
    expect(AL_PLACE_PODMAN, (struct al_place_signs){.podman = true, .service = true});
    expect(AL_PLACE_KUBERNETES, (struct al_place_signs){.docker = true, .kubernetes = true});
}
END_TEST

START_TEST(by_cgroup)
{
    expect_of_cgroup("0::/\n", AL_PLACE_SHELL, "");
    expect_of_cgroup("0::/system.slice/gateway.service\n", AL_PLACE_SYSTEMD, "gateway.service");
    expect_of_cgroup("4:memory:/x\n1:name=systemd:/system.slice/a.service\n0::/\n",
                     AL_PLACE_SYSTEMD, "a.service");
    expect_of_cgroup("4:memory:/system.slice/a.service\n0::/\n", AL_PLACE_SHELL, "");
    expect_of_cgroup("0::/user.slice/user-1000.slice/session-3.scope\n", AL_PLACE_SHELL, "");
    expect_of_cgroup("0::/system.slice/docker-0123.scope\n", AL_PLACE_DOCKER, "");
    expect_of_cgroup("4:memory:/docker/0123\n", AL_PLACE_DOCKER, "");
    expect_of_cgroup("0::/machine.slice/libpod-0123.scope\n", AL_PLACE_PODMAN, "");
    expect_of_cgroup("0::/kubepods/burstable/pod1/2\n", AL_PLACE_KUBERNETES, "");
}
END_TEST

START_TEST(docker_itself_is_a_service)
{
    expect_of_cgroup("0::/system.slice/docker.service\n", AL_PLACE_SYSTEMD, "docker.service");
}
END_TEST

/* A user's own services cannot go above the limits of the user's manager. */
START_TEST(of_a_users_manager)
{
    expect_of_cgroup("0::/user.slice/user-1000.slice/user@1000.service/app.slice/a.service\n",
                     AL_PLACE_SYSTEMD, "user@1000.service");
    expect_of_cgroup("0::/user.slice/user-1000.slice/user@1000.service\n", AL_PLACE_SYSTEMD,
                     "user@1000.service");
}
END_TEST

START_TEST(terminals_inherit_the_variable)
{
    expect(AL_PLACE_SHELL,
           (struct al_place_signs){.service = true,
                                   .cgroup = "0::/user.slice/user-1000.slice/user@1000.service/"
                                             "app.slice/vte-spawn-1.scope\n"});
}
END_TEST

START_TEST(unusual_texts)
{
    expect_of_cgroup("0::", AL_PLACE_SHELL, "");
    expect_of_cgroup("nonsense", AL_PLACE_SHELL, "");
    expect_of_cgroup("0::/.service\n", AL_PLACE_SHELL, "");
    judge((struct al_place_signs){.cgroup = unit_repeat('\n', 100)});
    ck_assert_int_eq(place.kind, AL_PLACE_SHELL);
}
END_TEST

START_TEST(of_this_process)
{
    char *const environment[] = {"KUBERNETES_SERVICE_HOSTS=x", "KUBERNETES_SERVICE_HOST=10.0.0.1",
                                 NULL};

    al_place_read(environment, &place);
    ck_assert_int_eq(place.kind, AL_PLACE_KUBERNETES);
    al_place_read(NULL, &place);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("place");

    tcase_add_test(tests, by_files_and_variables);
    tcase_add_test(tests, by_cgroup);
    tcase_add_test(tests, docker_itself_is_a_service);
    tcase_add_test(tests, of_a_users_manager);
    tcase_add_test(tests, terminals_inherit_the_variable);
    tcase_add_test(tests, unusual_texts);
    tcase_add_test(tests, of_this_process);
    return unit_run(tests);
}
