/*
 * Starts a program in which a system call fails: as on kernels that lack it, and in containers that
 * forbid it.
 *
 *     deny CALL ERRNO FLAGS PROGRAM ARGUMENT…
 *
 * FLAGS: only where the call's first argument has one of these bits; 0: always.
 */
#include "expect.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

static const struct {
    const char *name;
    unsigned number;
} calls[] = {{"mlockall", SYS_mlockall},
             {"mlock", SYS_mlock},
             {"mlock2", SYS_mlock2},
             {"perf_event_open", SYS_perf_event_open},
             {"clone", SYS_clone},
             {"clone3", 435},
             {"memfd_create", SYS_memfd_create},
#if defined(SYS_renameat)
             {"rename", SYS_renameat}};
#else
             {"rename", SYS_renameat2}};
#endif

static unsigned number_of(const char *name)
{
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        if (strcmp(calls[i].name, name) == 0)
            return calls[i].number;
    end_with_1("unknown call %s\n", name);
}

int main(int argc, char **argv)
{
    expect(argc > 4);

    const unsigned error = (unsigned)strtoul(argv[2], NULL, 10);
    const unsigned flags = (unsigned)strtoul(argv[3], NULL, 10);
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number_of(argv[1]), 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, flags, 0, flags ? 1 : 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};

    expect(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0))
        skip("no seccomp filters here");
    execv(argv[4], argv + 4);
    end_with_1("cannot execute %s\n", argv[4]);
}
