#include "command.h"

#include "memory.h"
#include "programs.h"
#include "run.h"
#include "run_child.h"
#include "run_descriptors.h"
#include "run_faults.h"
#include "run_file.h"
#include "run_gate.h"
#include "run_progress.h"
#include "run_proof.h"
#include "run_reports.h"
#include "run_signals.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct run {
    struct run_options options;
    struct al_config config; /* as the library will read it */
    char **environment;
    const char *library;
    char *path;
    struct run_file file;
    struct run_gate *gate;     /* NULL: nothing is asked of it */
    struct run_faults *faults; /* NULL: nobody asks where they come from */
    struct run_page *page;     /* NULL: there is to be none */
};

/* -- what will become of it ---------------------------------------------------------------------
 */

/* By the names that the library will see: what was started, and the file that runs. */
static bool is_among_programs(const struct run *run)
{
    char directory[PATH_MAX];
    char resolved[PATH_MAX];
    const char *path = strncmp(run->path, "./", 2) == 0 ? run->path + 2 : run->path;
    const char *names[2] = {path, realpath(run->file.runs, resolved)};

    if (*path != '/' && getcwd(directory, sizeof(directory)))
        names[0] = text_of("%s/%s", directory, path);
    return al_programs_include(run->config.programs, names, 2);
}

/* Why the library will do nothing, or NULL. `ret_level`: from which AUTOLOCK_LOG on it is said. */
static const char *foresee(const struct run *run, enum al_log *ret_level)
{
    *ret_level = AL_LOG_INFO;
    if (run->config.mode == AL_MODE_OFF)
        return "its mode is off";
    if (!is_among_programs(run))
        return "the program is not among those of AUTOLOCK_PROGRAMS";
    if (run->file.said)
        return run->file.hinders;
    *ret_level = AL_LOG_WARN;
    if (run->file.hinders)
        return run->file.hinders;
    if (run->options.require)
        return run_file_try(&run->file, run->library, run->environment);
    return NULL;
}

/* -- the run ------------------------------------------------------------------------------------
 */

/* Only when everything else is known to be right: it makes a directory. */
static int open_gate(struct run *run)
{
    const struct run_faults_options *faults = &run->options.faults;
    char *setting[2] = {NULL, NULL};

    if (!run_gate_is_wanted(&run->options.gate) && !faults->wanted)
        return RUN_ON;
    if (run->config.live_dir[0]) {
        complain("AUTOLOCK_LIVE_DIR cannot be had together with --expect, --json, --report, "
                 "--duration and --faults, which have one of their own");
        return STATUS_CONFIGURATION;
    }
    if (faults->file && !run_reports_can_go_to("--faults", faults->file))
        return STATUS_CONFIGURATION;
    run->gate = run_gate_open(&run->options.gate);
    if (!run->gate)
        return STATUS_CONFIGURATION;
    if (run->options.gate.report)
        run->page = run_page_begin(&run->options, &run->config);
    run_gate_set_page(run->gate, run->page);
    setting[0] = run_gate_setting(run->gate);
    run->environment = run_environment_with(run->environment, setting);
    return RUN_ON;
}

/* The program's own failure says more than the gate's. */
static int judged(const struct run *run, const struct run_end *end)
{
    const struct run_fault_sites *sites = NULL;
    bool as_meant = false;
    int status = RUN_ON;

    if (run->faults && !end->error)
        sites = run_faults_close(run->faults, run->options.program[0]);
    if (sites && run->page)
        run_page_put(run->page, "faults", run_faults_json(sites));
    if (run->gate && end->error)
        run_gate_discard(run->gate);
    else if (run->gate)
        status = run_gate_close(run->gate, run->options.program[0], end, &as_meant);
    if (sites && !run_faults_tell(sites, &run->options.faults) && status == RUN_ON)
        status = STATUS_FAILED;
    if (end->error || (end->status && !as_meant))
        return RUN_ON;
    return status == RUN_ON && as_meant ? 0 : status;
}

static int ended(const struct run *run, const struct run_end *end)
{
    if (end->error) {
        complain("%s: it cannot be run: %s", run->path, strerror(end->error));
        return STATUS_CANNOT_RUN;
    }
    if (WIFEXITED(end->status))
        return WEXITSTATUS(end->status);
    /* So that a script that was interrupted with its program knows. */
    if (end->by_terminal && (WTERMSIG(end->status) == SIGINT || WTERMSIG(end->status) == SIGQUIT))
        run_signals_end_by(WTERMSIG(end->status));
    return STATUS_SIGNALLED + WTERMSIG(end->status);
}

static const struct run *begun;

/*
 * A program is not left alone, nor ended, because there is no memory to look at it: its end is
 * waited for all the same. Its status is its own; that nothing is known of it is no success.
 */
static void go_on_without_memory(void)
{
    struct run_end end;
    int status;

    if (syscall(SYS_gettid) != getpid())
        pthread_exit(NULL);
    if (!run_child_wait(&end))
        _exit(STATUS_FAILED);
    if (begun->gate)
        run_gate_discard(begun->gate);
    status = ended(begun, &end);
    _exit(status ? status : STATUS_FAILED);
}

static int start(struct run *run)
{
    enum al_log level;
    const char *why = foresee(run, &level);
    struct run_child child = {.path = run->path,
                              .arguments = run->options.program,
                              .init = run->options.init || getpid() == 1,
                              .death_signal = run->options.death_signal};
    const char *name = run->options.program[0];
    bool require = run->options.require;
    struct run_proof proof = {
        .ends_program = require,
        .program = require || run->config.log >= AL_LOG_WARN ? name : NULL,
    };
    struct run_end end;
    int watches = 0;
    int status;

    if (why) {
        if (require || run->config.log >= level)
            run_proof_complain(name, why);
        if (require)
            return STATUS_NOT_HELD;
    }
    status = open_gate(run);
    if (status != RUN_ON)
        return status;
    run_rights_raise(&run->options);
    child.environment = run->environment;
    run_descriptors_hold();
    run_proof_begin(&proof, run->library);
    if (!why)
        child.watch[watches++] = run_proof_watch(&proof);
    /* Before the gate: it is out of the way when that ends the program. */
    if (run->options.progress && run_progress_can_be_seen())
        child.watch[watches++] = run_progress_watch(&run->options.gate);
    if (run->gate)
        child.watch[watches++] = run_gate_watch(run->gate);
    if (run->options.faults.wanted) {
        run->faults = run_faults_open(&run->options.gate, run_gate_directory(run->gate));
        child.watch[watches++] = run_faults_watch(run->faults);
    }
    if (run->page)
        child.watch[watches++] = run_page_watch(run->page);
    run_descriptors_let_go();
    begun = run;
    memory_lack = go_on_without_memory;
    end = run_child(&child);
    status = judged(run, &end);
    if (!why && !end.error && run_proof_end(&proof) == RUN_NOT_HELD && require)
        return STATUS_NOT_HELD;
    return status == RUN_ON ? ended(run, &end) : status;
}

static void prepare_environment(struct run *run)
{
    char problem_bytes[256];
    struct al_text problems = al_text_over(problem_bytes, sizeof(problem_bytes));
    const char *present = run_environment_get(environ, "LD_PRELOAD");
    char *preload[] = {text_of("LD_PRELOAD=%s", run_library_preload(run->library, present)), NULL};

    run->environment = run_environment_with(environ, run->options.settings);
    run->environment = run_environment_with(run->environment, preload);
    /* What is wrong in it the library will say. */
    (void)al_config_read(&run->config, run->environment, &problems);
}

static int find_program(struct run *run)
{
    const char *name = run->options.program[0];
    int status = run_search(name, run_environment_get(environ, "PATH"), &run->path);

    if (status != RUN_ON)
        return status;
    run->file = run_file_look(run->path, run->library);
    if (!run->file.missing)
        return RUN_ON;
    complain("%s: it cannot be run: its interpreter %s is not there", name,
             run->file.loader ? run->file.loader : run->file.runs);
    return STATUS_CANNOT_RUN;
}

int command_run(int count, char **arguments)
{
    static struct run run;
    int status;

    run_signals_hold_writing();
    status = run_options_read(count, arguments, &run.options);
    if (status != RUN_ON)
        return status;
    run.library = run_library_find(run.options.library_path);
    if (!run.library)
        return STATUS_CONFIGURATION;
    prepare_environment(&run);
    status = find_program(&run);
    return status == RUN_ON ? start(&run) : status;
}
