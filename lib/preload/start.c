#include "counters.h"
#include "downgrades.h"
#include "hook_heap.h"
#include "lock_all.h"
#include "process.h"
#include "real.h"
#include "sys.h"
#include "text.h"
#include "thread_end.h"

#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

/* sysexits.h: EX_CONFIG. */
enum { STATUS_BAD_CONFIGURATION = 78 };

struct al_process al_process = {.err = {.duplicate = -1}};

static struct al_config config;

/* The variables, or NULL in a program with more rights than its caller (as secure_getenv does). */
static char **trusted_environment(void)
{
    return getauxval(AT_SECURE) ? NULL : environ;
}

/* Base name of what was started: of a script its own name, as ps shows it. */
static const char *program_name(void)
{
    const char *path = (const char *)getauxval(AT_EXECFN);
    const char *slash;

    if (!path)
        return "";
    slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void say(const char *bytes, size_t count)
{
    (void)al_stderr_write(&al_process.err, bytes, count);
}

static void __attribute__((noreturn)) give_up(void)
{
    for (;;)
        al_sys1(SYS_exit_group, STATUS_BAD_CONFIGURATION);
}

static void explain_failure(const struct al_lock_all *lock, const struct al_privilege *privilege)
{
    char line[400];
    struct al_text text = al_text_over(line, sizeof(line));
    bool limited = !privilege->exempt && (lock->error == -ENOMEM || lock->error == -EPERM);

    al_text_string(&text, "libautolock: ");
    al_text_printable(&text, al_process.run.program, 64);
    al_text_string(&text,
                   lock->error ? ": nothing is locked: " : ": only what exists now is locked: ");
    if (limited || !lock->error) {
        al_text_string(&text, "the limit of locked memory is ");
        al_text_size(&text, privilege->soft_limit);
        al_text_string(&text, " (raise it with ulimit -l, LimitMEMLOCK= or --ulimit memlock=, or "
                              "grant CAP_IPC_LOCK)\n");
    } else {
        al_text_string(&text, "mlockall failed with errno ");
        al_text_i64(&text, -lock->error);
        al_text_string(&text, ", and the limit of locked memory is not the cause\n");
    }
    say(text.at, text.length);
}

static void lock_everything(void)
{
    struct al_privilege privilege = al_privilege_read();
    struct al_lock_all lock = {.backend = AL_BACKEND_NONE};

    al_process.run.limit_bytes = privilege.soft_limit;
    if (config.mode == AL_MODE_OBSERVE)
        return;
    lock = al_lock_all_start(config.flags, &privilege);
    if (lock.backend == AL_BACKEND_KERNEL)
        al_process.run.backend = "kernel";
    al_process.locks = lock.backend == AL_BACKEND_KERNEL;
    al_process.run.lock_error = lock.error;
    if (!lock.error && (config.flags & ~lock.flags & (AL_FLAG_CURRENT | AL_FLAG_FUTURE)) == 0)
        return;
    if (config.on_failure != AL_ON_FAILURE_IGNORE && config.log >= AL_LOG_WARN)
        explain_failure(&lock, &privilege);
    if (config.on_failure == AL_ON_FAILURE_FAIL)
        give_up();
}

static void __attribute__((constructor)) start(void)
{
    char problem_bytes[4096];
    struct al_text problems = al_text_over(problem_bytes, sizeof(problem_bytes));
    unsigned problem_count = al_config_read(&config, trusted_environment(), &problems);

    (void)al_real_resolve();
    if (config.mode == AL_MODE_OFF) {
        al_counters_stop();
        al_heap_disconnect();
        return;
    }
    al_process.err = al_stderr_keep();
    al_process.pid = (pid_t)al_sys0(SYS_getpid);
    al_process.run.config = &config;
    al_process.run.program = program_name();
    al_process.run.backend = "none";
    al_downgrades_begin(al_now_ns());
    al_thread_end_watch();

    if (problem_count && config.log >= AL_LOG_ERROR)
        say(problems.at, problems.length);
    if (problem_count && config.on_failure == AL_ON_FAILURE_FAIL)
        give_up();

    lock_everything();
    al_faults_read(&al_process.run.minor_at_lock, &al_process.run.major_at_lock);
    al_process.active = true;
}

void al_process_after_fork(void)
{
    if (!al_process.active)
        return;
    al_stderr_release(&al_process.err);
    al_counters_after_fork();
    al_downgrades_begin(al_now_ns());
    if (strcmp(al_process.run.backend, "kernel") == 0)
        al_downgrade_add("forked: locks are not inherited");
    al_process.pid = (pid_t)al_sys0(SYS_getpid);
    al_process.run.backend = "none";
    al_process.locks = false;
    al_process.run.peak_kernel_bytes = 0;
    al_faults_read(&al_process.run.minor_at_lock, &al_process.run.major_at_lock);
}

void al_process_end(const char *ended)
{
    if (!al_process.active || al_process.pid != (pid_t)al_sys0(SYS_getpid))
        return;
    al_process.active = false;
    al_deliver(&al_process.err, &al_process.run, ended);
}

static void __attribute__((destructor)) end(void)
{
    al_process_end("exit");
}
