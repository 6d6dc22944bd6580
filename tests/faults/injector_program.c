/*
 * The program: behind its filter, traced, until all that came of it are gone.
 */
#include "injector.h"

#include <errno.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void install_filter(void)
{
    static struct sock_filter filter[2 * FAULTS_MOST + 8];
    struct sock_fprog program = {.filter = filter};
    unsigned short length = 0;

    filter[length++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (int i = 0; i < injector_wish.count && !injector_wish.all; i++) {
        filter[length++] = (struct sock_filter)BPF_JUMP(
            BPF_JMP | BPF_JEQ | BPF_K, (unsigned)injector_wish.faults[i].call, 0, 1);
        filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
    }
    if (!injector_wish.all && injector_wish.has_library) {
        filter[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 0, 1);
        filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
    }
    filter[length++] = (struct sock_filter)BPF_STMT(
        BPF_RET | BPF_K, injector_wish.all ? SECCOMP_RET_TRACE : SECCOMP_RET_ALLOW);
    program.len = length;
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0)
        return;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0))
        _exit(SKIP);
}

__attribute__((noreturn)) static void become(char **command, int go)
{
    struct rlimit limit = {injector_wish.memlock, injector_wish.memlock};
    char byte;

    if (read(go, &byte, 1) != 1)
        _exit(TROUBLE);
    (void)close(go);
    install_filter();
    if (injector_wish.has_memlock && setrlimit(RLIMIT_MEMLOCK, &limit))
        _exit(TROUBLE);
    if (injector_wish.user >= 0 && (setgroups(0, NULL) || setgid((gid_t)injector_wish.user) ||
                                    setuid((uid_t)injector_wish.user)))
        _exit(TROUBLE);
    for (int i = 0; i < injector_wish.variable_count; i++)
        (void)putenv(injector_wish.variables[i]);
    execvp(command[0], command);
    _exit(127);
}

static pid_t launch(char **command)
{
    const long options = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                         PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD |
                         PTRACE_O_EXITKILL;
    int go[2];
    pid_t child;

    if (pipe(go))
        injector_trouble("pipe");
    child = fork();
    if (child < 0)
        injector_trouble("fork");
    if (child == 0) {
        (void)close(go[1]);
        become(command, go[0]);
    }
    (void)close(go[0]);
    if (ptrace(PTRACE_SEIZE, child, 0, options)) {
        (void)kill(child, SIGKILL);
        (void)fprintf(stderr, "no tracing here: %s\n", strerror(errno));
        exit(SKIP);
    }
    if (write(go[1], "", 1) != 1)
        injector_trouble("write");
    (void)close(go[1]);
    return child;
}

/* The signal with which the stopped one goes on. */
static void go_on(pid_t id, int status)
{
    const int event = (int)((unsigned)status >> 16);
    const int sign = WSTOPSIG(status);

    switch (event) {
    case 0:
        if (sign == (SIGTRAP | 0x80)) {
            injector_at_end_of_call(id);
            (void)ptrace(PTRACE_CONT, id, 0, 0);
            return;
        }
        (void)ptrace(PTRACE_CONT, id, 0, sign);
        return;
    case PTRACE_EVENT_SECCOMP:
        (void)ptrace(injector_at_call(id) ? PTRACE_SYSCALL : PTRACE_CONT, id, 0, 0);
        return;
    case PTRACE_EVENT_EXEC:
        injector_forget(id);
        break;
    case PTRACE_EVENT_STOP:
        if (sign == SIGSTOP || sign == SIGTSTP || sign == SIGTTIN || sign == SIGTTOU) {
            (void)ptrace(PTRACE_LISTEN, id, 0, 0);
            return;
        }
        injector_forget(id);
        break;
    default:
        break;
    }
    (void)ptrace(PTRACE_CONT, id, 0, 0);
}

/* Until all are gone; how the first one ended. */
static int watch(pid_t first)
{
    int status, result = 0;
    pid_t id;

    while ((id = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
        if (id < 0)
            continue;
        if (WIFSTOPPED(status))
            go_on(id, status);
        else {
            injector_forget(id);
            if (id == first)
                result = status;
        }
    }
    return result;
}

int injector_run(char **command)
{
    return watch(launch(command));
}
