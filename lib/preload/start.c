#include "backend.h"
#include "books.h"
#include "counters.h"
#include "downgrades.h"
#include "ends.h"
#include "family.h"
#include "heap_owner.h"
#include "heap_table.h"
#include "large.h"
#include "live.h"
#include "process.h"
#include "procfs.h"
#include "program.h"
#include "real.h"
#include "reason.h"
#include "reserve.h"
#include "room.h"
#include "say.h"
#include "strangers.h"
#include "sys.h"
#include "text.h"
#include "thread_end.h"

#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

/* sysexits.h: EX_CONFIG. */
enum { STATUS_BAD_CONFIGURATION = 78 };

struct al_process al_process = {.err = {.duplicate = -1}};

/* What is not large of it is on one page. */
static struct al_config config AL_LARGE __attribute__((aligned(512)));

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

void al_process_set_backend(const char *backend)
{
    al_process.run.backend = backend;
    al_live_set_backend(backend);
}

void al_process_give_up(void)
{
    for (;;)
        al_sys1(SYS_exit_group, STATUS_BAD_CONFIGURATION);
}

static void stay_inert(void)
{
    al_counters_stop();
    al_heap_disconnect();
}

/* Once, on standard error as it is now. */
static void say_left_alone(const char *sanitizer)
{
    char line[256];
    struct al_text text = al_text_over(line, sizeof(line));

    if (config.log < AL_LOG_WARN || config.on_failure == AL_ON_FAILURE_IGNORE)
        return;
    al_text_string(&text, "libautolock: ");
    al_text_printable(&text, program_name(), 64);
    al_text_string(&text, ": left alone, nothing is locked: it is built with ");
    al_text_string(&text, sanitizer);
    al_text_char(&text, '\n');
    al_process.err = al_stderr_keep();
    al_say(text.at, text.length);
    al_stderr_release(&al_process.err);
}

/* As it was started: programs write over their arguments to be seen by another name. */
static void read_command(char *ret_command, size_t size, int argc, char *const *argv)
{
    struct al_text command = al_text_over(ret_command, size);

    if (!al_family_has_glibc()) {
        (void)al_command_line_read(ret_command, size);
        return;
    }
    for (int i = 0; i < argc && argv[i]; i++) {
        if (i)
            al_text_char(&command, ' ');
        al_text_string(&command, argv[i]);
    }
}

/* NAME=value of each option that the environment gave, each with its terminator. What does not fit
 * is left out whole. */
static void print_options(char *ret_options, size_t size)
{
    size_t length = 0;

    for (size_t i = 0; i < al_option_count; i++) {
        struct al_text option = al_text_over(ret_options + length, size - length - 1);

        if (!(config.given >> i & 1))
            continue;
        al_text_string(&option, AL_OPTION_PREFIX);
        al_text_string(&option, al_options[i].name);
        al_text_char(&option, '=');
        al_option_print(&option, &al_options[i], &config);
        if (!option.cut && length + option.length + 3 < size)
            length += option.length + 1;
    }
    memset(ret_options + length, 0, size - length);
}

/* What runs on when a run of the command is over is no part of it, and nobody misses its counters.
 */
static bool is_of_run_that_is_over(int error)
{
    const char *slash = strrchr(config.live_dir, '/');

    return error == -ENOENT && slash &&
           strncmp(slash + 1, AL_LIVE_OF_RUN, sizeof(AL_LIVE_OF_RUN) - 1) == 0;
}

static void show_counters(int argc, char *const *argv, struct al_text *problems)
{
    const struct al_live_start live = {
        .pid = al_process.run.pid, .program = al_process.run.program, .directory = config.live_dir};
    int error;

    read_command(al_live.head.command, sizeof(al_live.head.command), argc, argv);
    print_options(al_live.head.options, sizeof(al_live.head.options));
    error = al_live_begin(&live);
    if (!error || is_of_run_that_is_over(error))
        return;
    al_text_string(problems, "libautolock: the counters cannot be kept in \"");
    al_text_printable(problems, config.live_dir, 200);
    al_text_string(problems, "\" (" AL_OPTION_PREFIX "LIVE_DIR): ");
    al_reason_print(problems, error);
    al_text_string(problems, "; they end with the process\n");
}

/*
 * glibc, old and new, gives constructors what main gets; others do not, and then these are of no
 * use.
 */
static void __attribute__((constructor)) start(int argc, char **argv)
{
    char problem_bytes[4096]; /* the main thread has a stack that is larger by far */
    struct al_text problems = al_text_over(problem_bytes, sizeof(problem_bytes));
    unsigned problem_count = al_config_read(&config, trusted_environment(), &problems);
    const char *sanitizer;

    (void)al_real_resolve();
    if (config.mode == AL_MODE_OFF || !al_program_included(config.programs)) {
        stay_inert();
        return;
    }
    sanitizer = al_stranger_sanitizer();
    if (sanitizer) {
        stay_inert();
        say_left_alone(sanitizer);
        return;
    }
    al_process.err = al_stderr_keep();
    al_process.run.pid = (pid_t)al_sys0(SYS_getpid);
    al_process.run.config = &config;
    al_process.run.program = program_name();
    if (!*config.live_dir)
        al_live_take_place();
    al_process_set_backend("none");
    al_downgrades_begin(al_now_ns());
    show_counters(argc, argv, &problems);
    al_say_steps(&config);
    al_thread_end_watch();
    al_gate_watch_forks(&al_books.gate, al_process_after_fork);

    if (problems.length && config.log >= AL_LOG_ERROR)
        al_say(problems.at, problems.length);
    if (problem_count && config.on_failure == AL_ON_FAILURE_FAIL)
        al_process_give_up();

    al_reserve_start(&config);
    al_backend_start(&config, trusted_environment());
    al_run_locked(&al_process.run);
    al_process.active = true;
    al_heap_settle();
    al_ends_watch_quick_exit();
}

/* Nobody will ask any more whether there is room for what the program maps: the kernel is to bring
 * in none of that before it is used. */
bool al_process_sandboxing(void)
{
    static bool reported;

    if (al_gate_is_foreign(&al_books.gate))
        al_process_after_fork();
    if (!al_process.run.config || al_process.run.pid != (pid_t)al_sys0(SYS_getpid))
        return false;
    if (!al_process.active)
        return true;
    if (al_room_limited())
        (void)al_room_open();
    if (__atomic_exchange_n(&reported, true, __ATOMIC_RELAXED))
        al_live_finish("running");
    else
        al_ends_report("running");
    return true;
}

void al_process_not_sandboxed(void)
{
    if (!al_process.active)
        return;
    al_room_close();
    al_live_resume();
}

/*
 * Another thread that is in the middle of malloc or mmap finishes that, with a system call or two:
 * where it is bound by the filter as well, this is a gap.
 */
void al_process_sandboxed(void)
{
    al_process.active = false;
    al_backend_stop();
    al_counters_stop();
    al_downgrades_watch(NULL);
    al_heap_owner.on = false;
    al_heap_disconnect();
}

static void __attribute__((destructor)) end(void)
{
    al_process_end("exit");
}
