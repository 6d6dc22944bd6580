/* Each cause is told from the others, and the limit is blamed for nothing that is not its fault. */
#include "explained.h"

static void expect_cause(enum al_cause cause)
{
    ck_assert_int_eq(al_explain_cause(&failure), cause);
}

START_TEST(limit)
{
    expect_cause(AL_CAUSE_LIMIT);
    expect_line(
        "libautolock: gateway: nothing is locked: the limit of locked memory is 8.0 MiB, "
        "needed are 100.0 MiB; what helps: as root `ulimit -l unlimited` before it is "
        "started, or `:1000 - memlock unlimited` in /etc/security/limits.d/memlock.conf and "
        "a new login\n");
}
END_TEST

START_TEST(limit_for_what_exists)
{
    failure.flags = AL_FLAG_CURRENT;
    expect_line("libautolock: gateway: nothing is locked: the limit of locked memory is 8.0 MiB, "
                "needed are 100.0 MiB; what helps: as root `ulimit -l 103424` before it is "
                "started, or `:1000 - memlock 103424` in /etc/security/limits.d/memlock.conf and "
                "a new login\n");
}
END_TEST

START_TEST(limit_that_the_user_may_raise)
{
    failure.flags = AL_FLAG_CURRENT;
    failure.hard_limit = 512 * mib;
    expect_line("libautolock: gateway: nothing is locked: the limit of locked memory is 8.0 MiB "
                "(hard limit 512.0 MiB), needed are 100.0 MiB; what helps: `ulimit -S -l 103424` "
                "before it is started\n");
}
END_TEST

START_TEST(limit_that_holds_what_exists)
{
    failure.outcome = AL_OUTCOME_CURRENT;
    failure.error = 0;
    failure.wanted = 5 * mib;
    failure.hard_limit = UINT64_MAX;
    expect_cause(AL_CAUSE_LIMIT);
    expect_line("libautolock: gateway: only what exists now is locked: the limit of locked memory "
                "is 8.0 MiB; what helps: `ulimit -S -l unlimited` before it is started\n");
}
END_TEST

START_TEST(limit_0)
{
    failure.soft_limit = failure.hard_limit = 0;
    failure.error = -EPERM;
    expect_cause(AL_CAUSE_LIMIT_ZERO);
    failure.error = -ENOMEM;
    expect_cause(AL_CAUSE_LIMIT_ZERO);
    failure.error = 0;
    expect_cause(AL_CAUSE_LIMIT_ZERO);
}
END_TEST

START_TEST(limit_0_under_a_filter_is_the_limit)
{
    failure.soft_limit = failure.hard_limit = 0;
    failure.error = -EPERM;
    failure.seccomp = 2;
    expect_cause(AL_CAUSE_LIMIT_ZERO);
}
END_TEST

START_TEST(user_namespace)
{
    failure.capable = true;
    failure.user_namespace = true;
    expect_cause(AL_CAUSE_NAMESPACE);
    expect_line("libautolock: gateway: nothing is locked: CAP_IPC_LOCK does not count in this user "
                "namespace, and the limit of locked memory is 8.0 MiB, needed are 100.0 MiB; what "
                "helps: outside of it, as root `ulimit -l unlimited` before it is started, or "
                "`:1000 - memlock unlimited` in /etc/security/limits.d/memlock.conf and a new "
                "login\n");
    failure.soft_limit = 0;
    failure.error = -EPERM;
    expect_cause(AL_CAUSE_NAMESPACE);
}
END_TEST

START_TEST(capability_that_does_not_count)
{
    failure.capable = true;
    expect_cause(AL_CAUSE_CAPABILITY);
}
END_TEST

START_TEST(filter)
{
    const int errors[] = {-EPERM, -ENOSYS, -EINVAL};

    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        ordinary_user();
        failure.seccomp = 2;
        failure.error = errors[i];
        expect_cause(AL_CAUSE_SECCOMP);
        root_whom_nothing_limits(errors[i]);
        expect_cause(AL_CAUSE_SECCOMP);
    }
    expect_line("libautolock: gateway: nothing is locked: a seccomp filter refuses mlockall "
                "(EINVAL); what helps: let the sandbox that it is started in allow mlock, mlock2 "
                "and mlockall\n");
}
END_TEST

START_TEST(filter_that_cannot_be_seen)
{
    failure.error = -EPERM;
    failure.seccomp = -1;
    expect_cause(AL_CAUSE_REFUSED);
    failure.seccomp = 0;
    expect_cause(AL_CAUSE_REFUSED);
    failure.error = -ENOSYS;
    expect_cause(AL_CAUSE_REFUSED);
}
END_TEST

START_TEST(filter_of_the_probe)
{
    failure.capable = true;
    failure.error = 0;
    failure.seccomp = 2;
    failure.probe_error = -EPERM;
    expect_cause(AL_CAUSE_SECCOMP);
    failure.seccomp = 0;
    expect_cause(AL_CAUSE_REFUSED);
    failure.probe_error = -ENOSYS;
    expect_cause(AL_CAUSE_NO_MLOCK2);
}
END_TEST

START_TEST(kernel_without_onfault)
{
    root_whom_nothing_limits(-EINVAL);
    failure.flags |= AL_FLAG_ONFAULT;
    expect_cause(AL_CAUSE_NO_ONFAULT);
    expect_line("libautolock: gateway: nothing is locked: this kernel does not know onfault (Linux "
                "4.4 does); what helps: AUTOLOCK_FLAGS without onfault\n");
    failure.flags &= ~(unsigned)AL_FLAG_ONFAULT;
    expect_cause(AL_CAUSE_REFUSED);
}
END_TEST

START_TEST(memory_used_up)
{
    root_whom_nothing_limits(-ENOMEM);
    expect_cause(AL_CAUSE_MEMORY);
    root_whom_nothing_limits(-EAGAIN);
    expect_cause(AL_CAUSE_MEMORY);
    expect_line("libautolock: gateway: nothing is locked: the memory of the machine or the cgroup "
                "is used up (EAGAIN); what helps: more memory, or onfault in AUTOLOCK_FLAGS\n");
}
END_TEST

START_TEST(memory_used_up_below_the_limit)
{
    failure.wanted = 4 * mib;
    expect_cause(AL_CAUSE_MEMORY);
    failure.wanted = 100 * mib;
    failure.error = -EAGAIN;
    expect_cause(AL_CAUSE_MEMORY);
}
END_TEST

START_TEST(memory_or_file)
{
    failure.wanted = 4 * mib;
    failure.flags |= AL_FLAG_ONFAULT;
    failure.call = "mlock2";
    expect_line("libautolock: gateway: nothing is locked: the memory of the machine or the cgroup "
                "is used up (ENOMEM), or a mapping is longer than its file; what helps: more "
                "memory\n");
}
END_TEST

START_TEST(mappings_used_up)
{
    root_whom_nothing_limits(-ENOMEM);
    failure.outcome = AL_OUTCOME_PART;
    failure.call = "mlock";
    failure.mappings = 65000;
    expect_cause(AL_CAUSE_MAPPINGS);
    expect_line("libautolock: gateway: only a part is locked: the program has 65,000 of at most "
                "65,530 mappings, and locks in pieces take more; what helps: sysctl -w "
                "vm.max_map_count=262120\n");
}
END_TEST

START_TEST(no_proc)
{
    root_whom_nothing_limits(-ENOENT);
    failure.proc = false;
    failure.seccomp = -1;
    failure.outcome = AL_OUTCOME_FUTURE;
    expect_cause(AL_CAUSE_NO_PROC);
    expect_line(
        "libautolock: gateway: what exists now is not locked: /proc is not mounted, so what "
        "exists cannot be looked up; what helps: mount -t proc proc /proc\n");
}
END_TEST

START_TEST(no_proc_and_a_limit)
{
    failure.proc = false;
    failure.seccomp = -1;
    failure.mappings = failure.mappings_max = failure.wanted = 0;
    expect_cause(AL_CAUSE_LIMIT);
}
END_TEST

START_TEST(anything_else)
{
    root_whom_nothing_limits(-EIO);
    expect_cause(AL_CAUSE_OTHER);
    expect_line("libautolock: gateway: nothing is locked: the kernel refuses mlockall (errno 5)\n");
}
END_TEST

START_TEST(name_of_the_program_is_printable)
{
    root_whom_nothing_limits(-EIO);
    failure.program = "a\nb";
    expect_line("libautolock: a\\x0ab: nothing is locked: the kernel refuses mlockall (errno 5)\n");
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("explain");

    tcase_add_checked_fixture(tests, ordinary_user, NULL);
    tcase_add_test(tests, limit);
    tcase_add_test(tests, limit_for_what_exists);
    tcase_add_test(tests, limit_that_the_user_may_raise);
    tcase_add_test(tests, limit_that_holds_what_exists);
    tcase_add_test(tests, limit_0);
    tcase_add_test(tests, limit_0_under_a_filter_is_the_limit);
    tcase_add_test(tests, user_namespace);
    tcase_add_test(tests, capability_that_does_not_count);
    tcase_add_test(tests, filter);
    tcase_add_test(tests, filter_that_cannot_be_seen);
    tcase_add_test(tests, filter_of_the_probe);
    tcase_add_test(tests, kernel_without_onfault);
    tcase_add_test(tests, memory_used_up);
    tcase_add_test(tests, memory_used_up_below_the_limit);
    tcase_add_test(tests, memory_or_file);
    tcase_add_test(tests, mappings_used_up);
    tcase_add_test(tests, no_proc);
    tcase_add_test(tests, no_proc_and_a_limit);
    tcase_add_test(tests, anything_else);
    tcase_add_test(tests, name_of_the_program_is_printable);
    return unit_run(tests);
}
