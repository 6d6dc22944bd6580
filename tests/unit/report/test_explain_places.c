/* What helps, where the program runs: the words that people paste. */
#include "explained.h"

static void expect_fix(enum al_place_kind place, enum al_cause cause, const char *expected)
{
    char line[1024];
    struct al_text text = al_text_over(line, sizeof(line));

    failure.place.kind = place;
    al_explain_fix(&text, &failure, cause);
    ck_assert_str_eq(line, expected);
}

START_TEST(limit_for_users)
{
    expect_fix(AL_PLACE_SYSTEMD, AL_CAUSE_LIMIT,
               "; what helps: LimitMEMLOCK=infinity in [Service] of the service");
    strcpy(failure.place.unit, "gateway.service");
    expect_fix(AL_PLACE_SYSTEMD, AL_CAUSE_LIMIT,
               "; what helps: LimitMEMLOCK=infinity in [Service] of gateway.service");
    expect_fix(AL_PLACE_DOCKER, AL_CAUSE_LIMIT, "; what helps: docker run --ulimit memlock=-1:-1");
    expect_fix(AL_PLACE_PODMAN, AL_CAUSE_LIMIT, "; what helps: podman run --ulimit memlock=-1:-1");
    expect_fix(AL_PLACE_KUBERNETES, AL_CAUSE_LIMIT,
               "; what helps: a higher LimitMEMLOCK= of the node's container runtime (a pod has no "
               "field for it), or securityContext: {runAsUser: 0, capabilities: {add: [IPC_LOCK]}} "
               "of the container");
}
END_TEST

START_TEST(limit_for_root)
{
    failure.user = 0;
    expect_fix(AL_PLACE_DOCKER, AL_CAUSE_LIMIT,
               "; what helps: docker run --ulimit memlock=-1:-1 or --cap-add IPC_LOCK");
    expect_fix(AL_PLACE_PODMAN, AL_CAUSE_LIMIT_ZERO,
               "; what helps: podman run --ulimit memlock=-1:-1 or --cap-add IPC_LOCK");
    expect_fix(AL_PLACE_KUBERNETES, AL_CAUSE_LIMIT,
               "; what helps: securityContext: {capabilities: {add: [IPC_LOCK]}} of the container");
}
END_TEST

START_TEST(limit_in_bytes)
{
    failure.flags = AL_FLAG_CURRENT;
    failure.wanted = 100 * mib - 1;
    expect_fix(AL_PLACE_SYSTEMD, AL_CAUSE_LIMIT,
               "; what helps: LimitMEMLOCK=104857600 in [Service] of the service");
    expect_fix(AL_PLACE_DOCKER, AL_CAUSE_LIMIT,
               "; what helps: docker run --ulimit memlock=104857600:104857600");
}
END_TEST

/* Where the capability does not count, nobody is told to get it. */
START_TEST(limit_where_the_capability_does_not_count)
{
    failure.user = 0;
    expect_fix(AL_PLACE_DOCKER, AL_CAUSE_NAMESPACE,
               "; what helps: docker run --ulimit memlock=-1:-1");
    expect_fix(AL_PLACE_KUBERNETES, AL_CAUSE_NAMESPACE,
               "; what helps: a higher LimitMEMLOCK= of the node's container runtime (a pod has no "
               "field for it)");
}
END_TEST

START_TEST(filter)
{
    expect_fix(AL_PLACE_SYSTEMD, AL_CAUSE_SECCOMP,
               "; what helps: SystemCallFilter=@memlock in [Service] of the service");
    expect_fix(
        AL_PLACE_DOCKER, AL_CAUSE_SECCOMP,
        "; what helps: docker run --security-opt seccomp=PROFILE with one that allows mlock, "
        "mlock2 and mlockall");
    expect_fix(AL_PLACE_KUBERNETES, AL_CAUSE_SECCOMP,
               "; what helps: a securityContext.seccompProfile that allows mlock, mlock2 and "
               "mlockall");
}
END_TEST

START_TEST(memory)
{
    failure.flags |= AL_FLAG_ONFAULT;
    expect_fix(AL_PLACE_SYSTEMD, AL_CAUSE_MEMORY,
               "; what helps: a higher MemoryMax= of the service");
    expect_fix(AL_PLACE_DOCKER, AL_CAUSE_MEMORY,
               "; what helps: a higher --memory of the container");
    expect_fix(AL_PLACE_KUBERNETES, AL_CAUSE_MEMORY,
               "; what helps: higher resources.limits.memory of the container");
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("explain_places");

    tcase_add_checked_fixture(tests, ordinary_user, NULL);
    tcase_add_test(tests, limit_for_users);
    tcase_add_test(tests, limit_for_root);
    tcase_add_test(tests, limit_in_bytes);
    tcase_add_test(tests, limit_where_the_capability_does_not_count);
    tcase_add_test(tests, filter);
    tcase_add_test(tests, memory);
    return unit_run(tests);
}
