#include "run_child.h"

#include "command.h"
#include "memory.h"
#include "now.h"
#include "run_signals.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* -- before the program is there ----------------------------------------------------------------
 */

/* Not one of the first three: where these are closed, they stay so for the program. */
static int out_of_the_way(int fd)
{
    int moved = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

    if (fd >= 0)
        (void)close(fd);
    return moved;
}

static bool is_text(const char *path)
{
    char head[128];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    ssize_t length = -1;

    if (fd >= 0) {
        length = read(fd, head, sizeof(head));
        (void)close(fd);
    }
    return length >= 0 && !memchr(head, '\0', (size_t)length);
}

/* The shell reads a text without "#!", as execvp(3) and shells have it. */
static void execute(const struct run_child *child)
{
    size_t count = 0;
    char **arguments;

    (void)execve(child->path, child->arguments, child->environment);
    if (errno != ENOEXEC || !is_text(child->path))
        return;
    while (child->arguments[count])
        count++;
    /* The first one is left out, the end is not. */
    arguments = allocate((count + 2) * sizeof(*arguments));
    arguments[0] = text_of("sh");
    arguments[1] = text_of("%s", child->path);
    memcpy(arguments + 2, child->arguments + 1, count * sizeof(*arguments));
    (void)execve("/bin/sh", arguments, child->environment);
    errno = ENOEXEC;
}

static void be_the_program(const struct run_child *child, pid_t parent, int tell)
{
    int error;

    if (child->death_signal) {
        (void)prctl(PR_SET_PDEATHSIG, child->death_signal);
        /* It may have died before that. */
        if (getppid() != parent)
            _exit(STATUS_FAILED);
    }
    run_signals_restore();
    execute(child);
    error = errno;
    while (write(tell, &error, sizeof(error)) < 0 && errno == EINTR)
        ;
    _exit(STATUS_CANNOT_RUN);
}

/* -- while it runs ------------------------------------------------------------------------------
 */

struct running {
    const struct run_child *child;
    struct run_end end;
    pid_t pid;
    bool executed;
    bool stopped;
    bool ended;
    int stopped_by;
    int64_t due_ms[RUN_WATCHES_MAX]; /* -1: not any more */
};

/* An init takes whatever has ended, others only their own. */
static void take_news(struct running *running)
{
    struct rusage usage;
    int status;
    pid_t pid;

    while (!running->ended && ((pid = wait4(running->child->init ? -1 : running->pid, &status,
                                            WNOHANG | WUNTRACED | WCONTINUED, &usage)) > 0 ||
                               (pid < 0 && errno == EINTR))) {
        if (pid != running->pid)
            continue;
        if (WIFSTOPPED(status))
            running->stopped_by = WSTOPSIG(status);
        running->stopped = WIFSTOPPED(status);
        running->ended = !WIFSTOPPED(status) && !WIFCONTINUED(status);
        running->end.status = status;
        running->end.usage = usage;
    }
}

/*
 * What is sent to a group is sent to one process after the other. This waits until that is over: it
 * changes nothing, but to change a group is to have the list of processes to oneself.
 */
static void wait_for_senders(void)
{
    (void)setpgid(0, getpgrp());
}

static void make_room(const struct running *running)
{
    for (int i = 0; i < RUN_WATCHES_MAX && running->child->watch[i].look; i++)
        if (running->child->watch[i].make_room)
            running->child->watch[i].make_room(running->child->watch[i].data);
}

/* A shell that controls jobs has started us: in our session, and in another group. */
static bool shell_looks_on(void)
{
    pid_t parent = getppid();

    return parent > 0 && getsid(parent) == getsid(0) && getpgid(parent) != getpgrp();
}

/*
 * The program has stopped, and so do we, for the shell to see. If it has been continued meanwhile
 * there is nothing to be seen: whoever continues the group takes back a stop that is pending, but
 * we must not stop after that.
 */
static void stop_too(struct running *running)
{
    int how = running->stopped_by;

    running->stopped_by = 0;
    if (!shell_looks_on())
        return;
    make_room(running);
    run_signals_prepare_stop(how);
    wait_for_senders();
    take_news(running);
    if (!running->stopped) {
        run_signals_forget(how);
        return;
    }
    run_signals_stop(how);
    /* Continued: as a rule by the shell, and then the program is too. It may have been stopped anew
     * before we came to see that. */
    wait_for_senders();
    take_news(running);
    if (running->stopped && !running->stopped_by)
        (void)kill(running->pid, SIGCONT);
}

/* Who has ended is told nothing more, but that may have been by the terminal. */
static void take_signals(struct running *running)
{
    struct run_signal signal;

    while (run_signals_next(&signal)) {
        if (signal.number == SIGCHLD)
            continue;
        if (signal.of_terminal)
            running->end.by_terminal |= signal.number == SIGINT || signal.number == SIGQUIT;
        if (running->ended)
            continue;
        make_room(running);
        if (!signal.of_terminal && signal.sender != running->pid)
            run_signals_pass_on(&signal, running->pid);
    }
}

static void follow(struct running *running)
{
    take_signals(running);
    take_news(running);
    while (running->stopped && running->stopped_by)
        stop_too(running);
}

/* Returns how long to wait for the next look, -1: there is none. */
static int look(struct running *running)
{
    int64_t next = -1;

    if (!running->executed)
        return -1;
    for (int i = 0; i < RUN_WATCHES_MAX && running->child->watch[i].look; i++) {
        const struct run_watch *watch = &running->child->watch[i];
        int64_t *due = &running->due_ms[i];

        if (*due >= 0 && *due <= now_ms()) {
            int later = watch->look(running->pid, watch->data);

            *due = later < 0 ? -1 : now_ms() + later;
        }
        if (*due >= 0 && (next < 0 || *due < next))
            next = *due;
    }
    if (next < 0)
        return -1;
    next -= now_ms();
    return next < 0 ? 0 : next > INT_MAX ? INT_MAX : (int)next;
}

/* The other end is closed by the exec, or tells what was wrong with it. */
static void hear(struct running *running, int *told)
{
    int error;

    if (read(*told, &error, sizeof(error)) == (ssize_t)sizeof(error))
        running->end.error = error;
    else
        running->executed = true;
    (void)close(*told);
    *told = -1;
}

/* The program; there is one. */
static struct running present;

static void wait_for_end(int told, int (*next_look)(struct running *running))
{
    while (!present.ended) {
        struct pollfd files[2] = {{.fd = run_signals_file(), .events = POLLIN},
                                  {.fd = told, .events = POLLIN}};

        (void)poll(files, 2, next_look(&present));
        if (told >= 0 && files[1].revents)
            hear(&present, &told);
        follow(&present);
    }
    /* What the terminal has sent to all was sent before the program could end of it. */
    take_signals(&present);
    make_room(&present);
    if (told >= 0)
        hear(&present, &told);
}

static int look_no_more(struct running *looked_at)
{
    (void)looked_at;
    return -1;
}

bool run_child_wait(struct run_end *ret_end)
{
    if (!present.pid)
        return false;
    wait_for_end(-1, look_no_more);
    *ret_end = present.end;
    return true;
}

struct run_end run_child(const struct run_child *child)
{
    struct run_end end = {0};
    pid_t parent = getpid();
    int ends[2];
    pid_t pid;

    if (child->init && parent != 1)
        (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (!run_signals_take(out_of_the_way) || pipe2(ends, O_CLOEXEC)) {
        end.error = errno;
        return end;
    }
    ends[0] = out_of_the_way(ends[0]);
    ends[1] = out_of_the_way(ends[1]);
    pid = fork();
    if (pid < 0) {
        end.error = errno;
        return end;
    }
    if (pid == 0)
        be_the_program(child, parent, ends[1]);
    (void)close(ends[1]);
    present = (struct running){.child = child, .pid = pid, .end.pid = pid};
    wait_for_end(ends[0], look);
    return present.end;
}
