/*
 * Runs a program and makes system calls fail in it: those of one library, or of one executable, and
 * no other's.
 *
 *     injector [OPTION…] PROGRAM ARGUMENT…
 *
 *     -l FILE     calls made at an instruction of this library are judged
 *     -b          those that libc makes for it instead, told by the address to which they return
 *     -p FILE     calls of processes that execute this file are judged, but for the loader's
 *     -a          everybody's calls are judged
 *     -i FROM-TO  with -b: returning to between these offsets of the library (hexadecimal)
 *     -x FROM-TO  not what lies between these offsets of the library
 *     -o OFFSET   only what returns to this offset of the library
 *     -f CALL=E,… what fails: the call's number and the errnos' numbers; 0: less is read or written
 *     -w WHEN     "each", "other" (every second time), N (the Nth time in all), or
 *                 "random:SEED:PERMILLE"
 *     -t          all calls are written down, and the number of those that are not judged
 *     -r FILE     what was seen is written there
 *     -e NAME=VALUE  of the program's environment, which is this one's besides
 *     -u ID       the program is run by this user
 *     -m BYTES    under this limit of locked memory
 *
 * A seccomp filter stops the calls that may fail, and no others, for a tracer that looks at the
 * instruction pointer. What fails is not made at all; what is short is made, of less.
 *
 * The lines of the file: "call NUMBER OFFSET TIMES FAILED" of the judged, "other NUMBER TIMES" of
 * the rest, and "locked PID KIB" whenever the library is about to write: what the kernel counts
 * then.
 */
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    FAULTS_MOST = 128,
    ERRNOS_MOST = 32,
    RANGES_MOST = 64,
    VARIABLES_MOST = 64,
    PROCESSES = 4096, /* a place each by the lowest bits of the number */
    SITES = 8192,
    CALLS_MOST = 1024,
    SKIP = 77,
    TROUBLE = 99,
};

struct range {
    uint64_t start, end;
};

/* What is known of a process: where the library is mapped, or that it executes the file. */
struct process {
    pid_t id;
    bool known, is_file;
    /* Of the call that is being made: the registers as they were, and the errno it is to tell. */
    struct user_regs_struct kept;
    int told;
    struct range library; /* empty: not mapped; where the file is executed: the loader */
    uint64_t base;
};

struct fault {
    long call;
    int errnos[ERRNOS_MOST];
    int count;
};

struct site {
    bool used;
    long call;
    uint64_t offset;
    unsigned long times, failed;
};

static struct {
    struct stat library, file;
    bool has_library, has_file, all, behind, anybody;
    struct range left_out[RANGES_MOST];
    int ranges;
    struct range inside;
    uint64_t only;
    struct fault faults[FAULTS_MOST];
    int count;
    enum { EACH, OTHER, ONE, RANDOM } when;
    unsigned long nth, permille;
    uint64_t random;
    const char *log;
    char *variables[VARIABLES_MOST];
    int variable_count;
    long user;
    uint64_t memlock;
    bool has_memlock;
} wish = {.user = -1};

static struct process processes[PROCESSES];
static struct site sites[SITES];
static unsigned long others[CALLS_MOST];
static FILE *log_file;

__attribute__((noreturn)) static void trouble(const char *what)
{
    (void)fprintf(stderr, "injector: %s: %s\n", what, strerror(errno));
    exit(TROUBLE);
}

/* xorshift64: the same faults from the same seed. */
static uint64_t next_random(void)
{
    wish.random ^= wish.random << 13;
    wish.random ^= wish.random >> 7;
    wish.random ^= wish.random << 17;
    return wish.random;
}

/* -- who makes the call --------------------------------------------------------------------------
 */

static void find_library(struct process *process)
{
    char path[64], line[4608];
    FILE *maps;

    process->library = (struct range){0};
    (void)snprintf(path, sizeof(path), "/proc/%d/maps", process->id);
    maps = fopen(path, "re");
    if (!maps)
        return;
    while (fgets(line, sizeof(line), maps)) {
        uint64_t start, end, offset;
        unsigned long inode;
        unsigned high, low;
        char rights[8];

        if (wish.has_file) {
            if (strstr(line, "/ld-") &&
                sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s", &start, &end, rights) == 3 &&
                rights[2] == 'x')
                process->library = (struct range){start, end};
            continue;
        }
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64 " %x:%x %lu", &start, &end, rights,
                   &offset, &high, &low, &inode) == 7 &&
            rights[2] == 'x' && inode == wish.library.st_ino &&
            makedev(high, low) == wish.library.st_dev) {
            process->library = (struct range){start, end};
            process->base = start - offset;
        }
    }
    (void)fclose(maps);
}

static struct process *process_of(pid_t id)
{
    struct process *process = &processes[(unsigned)id % PROCESSES];

    if (process->id != id || !process->known) {
        char path[64];
        struct stat file;

        *process = (struct process){.id = id, .known = true};
        if (wish.has_file) {
            (void)snprintf(path, sizeof(path), "/proc/%d/exe", id);
            process->is_file = stat(path, &file) == 0 && file.st_ino == wish.file.st_ino &&
                               file.st_dev == wish.file.st_dev;
        }
        if (wish.has_library || process->is_file)
            find_library(process);
    }
    return process;
}

static void forget(pid_t id)
{
    processes[(unsigned)id % PROCESSES].known = false;
}

static bool within(struct range range, uint64_t at)
{
    return at >= range.start && at < range.end;
}

/* The innermost address on the stack that lies in the library; 0: none. */
static uint64_t returns_to(pid_t id, const struct process *process, uint64_t stack)
{
    uint64_t words[160];
    struct iovec here = {words, sizeof(words)}, there = {(void *)stack, sizeof(words)};
    ssize_t got = process_vm_readv(id, &here, 1, &there, 1, 0);

    for (ssize_t i = 0; i < got / (ssize_t)sizeof(words[0]); i++)
        if (within(process->library, words[i]))
            return words[i];
    return 0;
}

/*
 * Whether the call is to be judged, and where in the library it is made. The library comes with the
 * program and never goes, so it is looked for until it is there; in every call before, which are
 * those of the loader.
 */
static bool is_judged(pid_t id, uint64_t at, uint64_t stack, uint64_t *ret_offset)
{
    struct process *process = process_of(id);

    *ret_offset = 0;
    if (wish.anybody)
        return true;
    if (wish.has_file)
        return process->is_file && !within(process->library, at);
    if (!process->library.end)
        find_library(process);
    if (wish.behind)
        at = within(process->library, at) ? 0 : returns_to(id, process, stack);
    if (!within(process->library, at))
        return false;
    *ret_offset = at - process->base;
    if (wish.inside.end && !within(wish.inside, *ret_offset))
        return false;
    for (int i = 0; i < wish.ranges; i++)
        if (within(wish.left_out[i], *ret_offset))
            return false;
    return true;
}

/* -- what is done about it -----------------------------------------------------------------------
 */

static struct site *site_of(long call, uint64_t offset)
{
    size_t at = ((size_t)call * 2654435761u + offset * 40503u) % SITES;

    while (sites[at].used && (sites[at].call != call || sites[at].offset != offset))
        at = (at + 1) % SITES;
    sites[at].used = true;
    sites[at].call = call;
    sites[at].offset = offset;
    return &sites[at];
}

static const struct fault *fault_of(long call)
{
    for (int i = 0; i < wish.count; i++)
        if (wish.faults[i].call == call)
            return &wish.faults[i];
    return NULL;
}

static bool is_time(void)
{
    static unsigned long times;

    times++;
    switch (wish.when) {
    case EACH:
        return true;
    case OTHER:
        return times % 2;
    case ONE:
        return times == wish.nth;
    case RANDOM:
        return next_random() % 1000 < wish.permille;
    }
    return false;
}

static void write_locked(pid_t id)
{
    char path[64], line[256];
    unsigned long kib;
    FILE *status;

    (void)snprintf(path, sizeof(path), "/proc/%d/status", id);
    status = fopen(path, "re");
    if (!status)
        return;
    while (fgets(line, sizeof(line), status)) {
        if (sscanf(line, "Tgid: %d", &id) == 1)
            continue;
        if (sscanf(line, "VmLck: %lu", &kib) == 1)
            (void)fprintf(log_file, "locked %d %lu\n", id, kib);
    }
    (void)fclose(status);
}

/*
 * How a call that is made is changed: of less than asked for; or told to have failed, as close,
 * after which the descriptor is closed whatever the answer; or brk, which tells where the heap
 * still ends and no errno. False: the call is not made.
 */
static bool is_made(struct process *process, struct user_regs_struct *registers, int error)
{
    process->kept = *registers;
    process->told = 0;
    if (registers->orig_rax == SYS_close)
        process->told = error;
    else if (registers->orig_rax == SYS_brk)
        registers->rdi = 0;
    else if (!error)
        registers->rdx /= 2;
    else
        return false;
    return true;
}

/* The kernel changes no register but that of the result, and neither may we. */
static void at_end_of_call(pid_t id)
{
    struct process *process = process_of(id);
    struct user_regs_struct registers;

    if (ptrace(PTRACE_GETREGS, id, 0, &registers))
        return;
    registers.rdi = process->kept.rdi;
    registers.rdx = process->kept.rdx;
    if (process->told)
        registers.rax = (unsigned long long)-(long long)process->told;
    (void)ptrace(PTRACE_SETREGS, id, 0, &registers);
}

/* Only who waits is to try again: a wake that were lost would leave somebody waiting for ever. */
static bool cannot_be(const struct user_regs_struct *registers, int error)
{
    return registers->orig_rax == SYS_futex && (error == EAGAIN || error == EINTR) &&
           (registers->rsi & (unsigned)FUTEX_CMD_MASK) != FUTEX_WAIT;
}

/* Whether its end is to be waited for. */
static bool at_call(pid_t id)
{
    struct user_regs_struct registers;
    const struct fault *fault;
    struct site *site;
    uint64_t offset;
    long call;
    bool made;
    int error;

    if (ptrace(PTRACE_GETREGS, id, 0, &registers))
        return false;
    call = (long)registers.orig_rax;
    if (!is_judged(id, registers.rip, registers.rsp, &offset)) {
        if (call >= 0 && call < CALLS_MOST)
            others[call]++;
        return false;
    }
    if (call == SYS_write && log_file && wish.has_library)
        write_locked(id);
    site = site_of(call, offset);
    site->times++;
    fault = fault_of(call);
    if (!fault || (wish.only && offset != wish.only) || !is_time())
        return false;
    error = fault->errnos[fault->count > 1 ? next_random() % (unsigned)fault->count : 0];
    if ((!error && registers.rdx < 2) || cannot_be(&registers, error))
        return false;
    made = is_made(process_of(id), &registers, error);
    if (!made) {
        registers.orig_rax = (unsigned long long)-1;
        registers.rax = (unsigned long long)-(long long)error;
    }
    if (ptrace(PTRACE_SETREGS, id, 0, &registers))
        return false;
    site->failed++;
    return made;
}

/* -- the program ---------------------------------------------------------------------------------
 */

static void install_filter(void)
{
    static struct sock_filter filter[2 * FAULTS_MOST + 8];
    struct sock_fprog program = {.filter = filter};
    unsigned short length = 0;

    filter[length++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (int i = 0; i < wish.count && !wish.all; i++) {
        filter[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
                                                        (unsigned)wish.faults[i].call, 0, 1);
        filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
    }
    if (!wish.all && wish.has_library) {
        filter[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 0, 1);
        filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
    }
    filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, wish.all ? SECCOMP_RET_TRACE
                                                                              : SECCOMP_RET_ALLOW);
    program.len = length;
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0)
        return;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0))
        _exit(SKIP);
}

__attribute__((noreturn)) static void become(char **command, int go)
{
    struct rlimit limit = {wish.memlock, wish.memlock};
    char byte;

    if (read(go, &byte, 1) != 1)
        _exit(TROUBLE);
    (void)close(go);
    install_filter();
    if (wish.has_memlock && setrlimit(RLIMIT_MEMLOCK, &limit))
        _exit(TROUBLE);
    if (wish.user >= 0 &&
        (setgroups(0, NULL) || setgid((gid_t)wish.user) || setuid((uid_t)wish.user)))
        _exit(TROUBLE);
    for (int i = 0; i < wish.variable_count; i++)
        (void)putenv(wish.variables[i]);
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
        trouble("pipe");
    child = fork();
    if (child < 0)
        trouble("fork");
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
        trouble("write");
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
            at_end_of_call(id);
            (void)ptrace(PTRACE_CONT, id, 0, 0);
            return;
        }
        (void)ptrace(PTRACE_CONT, id, 0, sign);
        return;
    case PTRACE_EVENT_SECCOMP:
        (void)ptrace(at_call(id) ? PTRACE_SYSCALL : PTRACE_CONT, id, 0, 0);
        return;
    case PTRACE_EVENT_EXEC:
        forget(id);
        break;
    case PTRACE_EVENT_STOP:
        if (sign == SIGSTOP || sign == SIGTSTP || sign == SIGTTIN || sign == SIGTTOU) {
            (void)ptrace(PTRACE_LISTEN, id, 0, 0);
            return;
        }
        forget(id);
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
            forget(id);
            if (id == first)
                result = status;
        }
    }
    return result;
}

/* -- what was asked for --------------------------------------------------------------------------
 */

static void read_fault(char *text)
{
    struct fault *fault = &wish.faults[wish.count];
    char *rest = strchr(text, '=');

    if (wish.count == FAULTS_MOST || !rest)
        trouble(text);
    fault->call = strtol(text, NULL, 10);
    for (char *at = rest; *at && fault->count < ERRNOS_MOST;)
        fault->errnos[fault->count++] = (int)strtol(at + 1, &at, 10);
    wish.count++;
}

static void read_when(const char *text)
{
    if (strcmp(text, "each") == 0)
        wish.when = EACH;
    else if (strcmp(text, "other") == 0)
        wish.when = OTHER;
    else if (sscanf(text, "random:%" SCNu64 ":%lu", &wish.random, &wish.permille) == 2) {
        wish.when = RANDOM;
        wish.random = wish.random * 0x9e3779b97f4a7c15u + 1;
    } else {
        wish.when = ONE;
        wish.nth = strtoul(text, NULL, 10);
    }
}

static void read_option(int option, char *value)
{
    struct range *range;

    switch (option) {
    case 'l':
        wish.has_library = true;
        if (stat(value, &wish.library))
            trouble(value);
        break;
    case 'p':
        wish.has_file = true;
        if (stat(value, &wish.file))
            trouble(value);
        break;
    case 'x':
        range = &wish.left_out[wish.ranges++];
        if (wish.ranges == RANGES_MOST ||
            sscanf(value, "%" SCNx64 "-%" SCNx64, &range->start, &range->end) != 2)
            trouble(value);
        break;
    case 'i':
        if (sscanf(value, "%" SCNx64 "-%" SCNx64, &wish.inside.start, &wish.inside.end) != 2)
            trouble(value);
        break;
    case 'o':
        wish.only = strtoull(value, NULL, 16);
        break;
    case 'f':
        read_fault(value);
        break;
    case 'w':
        read_when(value);
        break;
    case 'a':
        wish.anybody = true;
        break;
    case 'b':
        wish.behind = true;
        break;
    case 't':
        wish.all = true;
        break;
    case 'r':
        wish.log = value;
        break;
    case 'e':
        if (wish.variable_count == VARIABLES_MOST)
            trouble(value);
        wish.variables[wish.variable_count++] = value;
        break;
    case 'u':
        wish.user = strtol(value, NULL, 10);
        break;
    case 'm':
        wish.has_memlock = true;
        wish.memlock = strtoull(value, NULL, 10);
        break;
    default:
        exit(TROUBLE);
    }
}

int main(int count, char **arguments)
{
    int option, status;

    wish.random = 0x9e3779b97f4a7c15u;
    while ((option = getopt(count, arguments, "+al:p:bi:x:o:f:w:tr:e:u:m:")) != -1)
        read_option(option, optarg);
    if (optind == count) {
        errno = EINVAL;
        trouble("no program");
    }
    if (wish.log) {
        log_file = fopen(wish.log, "we");
        if (!log_file)
            trouble(wish.log);
    }
    status = watch(launch(arguments + optind));
    for (size_t i = 0; i < SITES && log_file; i++)
        if (sites[i].used)
            (void)fprintf(log_file, "call %ld %" PRIx64 " %lu %lu\n", sites[i].call,
                          sites[i].offset, sites[i].times, sites[i].failed);
    for (long i = 0; i < CALLS_MOST && log_file; i++)
        if (others[i])
            (void)fprintf(log_file, "other %ld %lu\n", i, others[i]);
    if (log_file)
        (void)fclose(log_file);
    if (WIFSIGNALED(status)) {
        (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        (void)signal(WTERMSIG(status), SIG_DFL);
        (void)raise(WTERMSIG(status));
    }
    return WEXITSTATUS(status);
}
