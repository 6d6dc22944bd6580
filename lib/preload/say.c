#include "say.h"

#include "announce.h"
#include "downgrades.h"
#include "io.h"
#include "kernel.h"
#include "large.h"
#include "maps.h"
#include "process.h"
#include "sys.h"

#include <fcntl.h>
#include <string.h>

enum { LINE_BYTES = 1024 }; /* a control byte of the program's name takes four */

void al_say(const char *bytes, size_t count)
{
    (void)al_stderr_write(&al_process.err, bytes, count);
}

/* -- steps ---------------------------------------------------------------------------------- */

static struct al_text begin_line(char *line, size_t size)
{
    struct al_text text = al_text_over(line, size);

    al_text_string(&text, "libautolock: ");
    al_text_printable(&text, al_process.run.program, 64);
    al_text_string(&text, ": ");
    return text;
}

static void say_downgrade(const char *reason)
{
    char line[LINE_BYTES];
    struct al_text text = begin_line(line, sizeof(line));

    al_text_string(&text, reason);
    al_text_char(&text, '\n');
    al_say(text.at, text.length);
}

static void say_refusal(const char *call, int error)
{
    static bool said[256] AL_LARGE; /* by errno: no processor's are higher */
    char line[LINE_BYTES];
    struct al_text text;

    if (-error >= (int)sizeof(said) || __atomic_exchange_n(&said[-error], true, __ATOMIC_RELAXED))
        return;
    text = begin_line(line, sizeof(line));
    al_text_string(&text, call);
    al_text_string(&text, " failed with ");
    al_explain_errno(&text, error);
    al_text_string(&text, " for the first time\n");
    al_say(text.at, text.length);
}

void al_say_steps(const struct al_config *config)
{
    if (config->log < AL_LOG_DEBUG)
        return;
    al_downgrades_watch(say_downgrade);
    al_kernel_watch(say_refusal);
}

/* -- the start ------------------------------------------------------------------------------ */

static bool is_there(const char *path)
{
    return al_sys3(SYS_faccessat, AT_FDCWD, path, F_OK) == 0;
}

static bool count_mapping(const struct al_mapping *mapping, void *data)
{
    (void)mapping;
    ++*(uint64_t *)data;
    return true;
}

/* The first number in `path` behind `begin` (NULL: the file's beginning), or `otherwise`. */
static uint64_t number_in(const char *path, const char *begin, uint64_t otherwise)
{
    char text[64];
    uint64_t value = 0;
    const char *at = text;

    if (al_io_read_file_from(path, begin, text, sizeof(text)) <= 0)
        return otherwise;
    at += begin ? strlen(begin) : 0;
    at += strspn(at, " \t");
    for (; *at >= '0' && *at <= '9'; at++)
        value = value * 10 + (uint64_t)(*at - '0');
    return value;
}

/* The machine's first user namespace has this number for ever (PROC_USER_INIT_INO). */
static bool in_user_namespace(void)
{
    const char first[] = "user:[4026531837]";
    char link[sizeof(first)];
    long length = al_sys4(SYS_readlinkat, AT_FDCWD, "/proc/self/ns/user", link, sizeof(link));

    return length > 0 &&
           (length != sizeof(first) - 1 || memcmp(link, first, sizeof(first) - 1) != 0);
}

static void look_around(struct al_failure *failure, char *const environment[])
{
    failure->proc = is_there("/proc/self/status");
    failure->user_namespace = in_user_namespace();
    failure->seccomp = (int)number_in("/proc/self/status", "\nSeccomp:", (uint64_t)-1);
    failure->mappings_max = number_in("/proc/sys/vm/max_map_count", NULL, 0);
    (void)al_maps_each(count_mapping, &failure->mappings);
    failure->user = (unsigned)al_sys0(SYS_geteuid);
    /* Of no bytes, it only says whether it may be called. */
    if (failure->capable && !failure->exempt)
        failure->probe_error = al_kernel_mlock2(NULL, 0, AL_MLOCK_ONFAULT);
    al_place_read(environment, &failure->place);
}

/* What an errno is of: a refused mlockall is none of these, as the hooks do its work then. */
static const char *call_of(const struct al_config *config, int error)
{
    if (error == -ENOENT || error == -EACCES)
        return "to open /proc/self/maps";
    return config->flags & AL_FLAG_ONFAULT ? "mlock2" : "mlock";
}

static bool is_asked_for(const struct al_config *config)
{
    switch (config->on_failure) {
    case AL_ON_FAILURE_FAIL:
        return config->log >= AL_LOG_ERROR;
    case AL_ON_FAILURE_IGNORE:
        return false;
    default:
        return config->log >= AL_LOG_WARN;
    }
}

void al_say_failure(const struct al_config *config, const struct al_privilege *privilege,
                    const struct al_start_failure *failure, char *const environment[])
{
    char line[LINE_BYTES];
    struct al_text text = al_text_over(line, sizeof(line));
    struct al_failure whole = {.program = al_process.run.program,
                               .outcome = failure->outcome,
                               .flags = config->flags,
                               .call = call_of(config, failure->error),
                               .error = failure->error,
                               .soft_limit = privilege->soft_limit,
                               .hard_limit = privilege->hard_limit,
                               .wanted = failure->wanted,
                               .capable = privilege->capable,
                               .exempt = privilege->exempt};

    if (!is_asked_for(config))
        return;
    look_around(&whole, environment);
    al_explain(&text, &whole);
    al_say(text.at, text.length);
}

void al_say_start(const struct al_config *config, const struct al_privilege *privilege,
                  unsigned flags)
{
    char line[LINE_BYTES];
    struct al_text text = al_text_over(line, sizeof(line));
    const struct al_announcement announcement = {.program = al_process.run.program,
                                                 .config = config,
                                                 .flags = flags,
                                                 .locks = al_process.locks,
                                                 .soft_limit = privilege->soft_limit,
                                                 .exempt = privilege->exempt};

    if (config->log < AL_LOG_INFO)
        return;
    al_announce(&text, &announcement);
    al_say(text.at, text.length);
}

/* -- while it runs -------------------------------------------------------------------------- */

void al_say_mark(const char *phase)
{
    char line[LINE_BYTES];
    struct al_text text = al_text_over(line, sizeof(line));

    if (al_process.run.config->log < AL_LOG_INFO)
        return;
    al_text_string(&text, "libautolock: ");
    al_text_printable(&text, al_process.run.program, 64);
    al_text_char(&text, '[');
    al_text_i64(&text, al_process.run.pid);
    al_text_string(&text, "]: mark");
    if (phase) {
        al_text_char(&text, ' ');
        al_text_printable(&text, phase, 128);
    }
    al_text_char(&text, '\n');
    al_say(text.at, text.length);
}
