#include "check_call.h"

#include <string.h>

static const char *const level_words[] = {"ok", "note", "part", "none"};

static const char *const verdict_words[] = {"all of it will be locked", "all of it will be locked",
                                            "some of it will be locked",
                                            "nothing of it will be locked"};
static const char *const verdict_names[] = {"all", "all", "some", "none"};

static const char *const place_names[] = {"shell", "systemd", "docker", "podman", "kubernetes"};

enum { PLACES = sizeof(place_names) / sizeof(place_names[0]) };

/* Whether a higher limit is what would help. */
static bool is_limited(const struct check_surroundings *here)
{
    return !here->exempt && !here->killed_by && (!here->lock_error || !here->limit_that_holds);
}

/* What gives a higher limit in that place. */
static void limit_fix(char *ret_fix, size_t size, const struct check_result *result,
                      enum al_place_kind place)
{
    struct al_failure failure = check_failure(result->here, result->config);
    enum al_cause cause = al_explain_cause(&failure);

    if (place != result->here->place.kind)
        failure.place.unit[0] = '\0';
    failure.place.kind = place;
    check_fix_for(ret_fix, size, &failure, cause);
}

/* -- text ----------------------------------------------------------------------------------- */

static void colour_on(FILE *to, bool colour, enum check_level level)
{
    static const char *const codes[] = {"32", "36", "33", "31"};

    if (colour)
        (void)fprintf(to, "\033[%sm", codes[level]);
}

static void colour_off(FILE *to, bool colour)
{
    if (colour)
        (void)fputs("\033[m", to);
}

/* A path may hold anything, a terminal may do anything with it. */
static void print_safe(FILE *to, const char *string)
{
    char bytes[4 * (600 + 4)];
    struct al_text text = al_text_over(bytes, sizeof(bytes));

    al_text_printable(&text, string, 600);
    (void)fputs(bytes, to);
}

static void print_fixes(FILE *to, const struct check_result *result)
{
    char fix[600];

    if (!is_limited(result->here))
        return;
    (void)fputs("\na higher limit:\n", to);
    for (unsigned place = 0; place < PLACES; place++) {
        limit_fix(fix, sizeof(fix), result, place);
        (void)fprintf(to, "  %-11s %s%s\n", place_names[place], fix,
                      place == result->here->place.kind ? "  (here)" : "");
    }
}

static void print_place(FILE *to, const struct al_place *place)
{
    static const char *const words[] = {"here", "in a service of systemd", "in a Docker container",
                                        "in a Podman container", "in a pod of Kubernetes"};

    if (place->kind == AL_PLACE_SYSTEMD && *place->unit) {
        (void)fputs("in ", to);
        print_safe(to, place->unit);
    } else {
        (void)fputs(words[place->kind], to);
    }
}

static void print_head(FILE *to, const struct check_result *result, bool colour)
{
    enum check_level verdict = check_verdict(result->findings);

    print_safe(to, result->program ? result->program->name : "a program");
    (void)fprintf(to, ", as user %u ", result->here->user);
    print_place(to, &result->here->place);
    (void)fputs(": ", to);
    colour_on(to, colour, verdict);
    (void)fputs(verdict_words[verdict], to);
    colour_off(to, colour);
    (void)fputc('\n', to);
}

void check_print_text(FILE *to, const struct check_result *result, bool colour)
{
    print_head(to, result, colour);
    for (size_t i = 0; i < result->findings->count; i++) {
        const struct check_finding *finding = &result->findings->list[i];

        (void)fputs("  ", to);
        colour_on(to, colour, finding->level);
        (void)fprintf(to, "%-4s", level_words[finding->level]);
        colour_off(to, colour);
        (void)fprintf(to, "  %-10s ", finding->subject);
        print_safe(to, finding->what);
        if (*finding->fix) {
            (void)fputs("; what helps: ", to);
            print_safe(to, finding->fix);
        }
        (void)fputc('\n', to);
    }
    print_fixes(to, result);
}

/* -- JSON ----------------------------------------------------------------------------------- */

static void member_text(struct al_text *text, const char *name, const char *value)
{
    al_text_json_key(text, name);
    al_text_json(text, value);
}

static void member_bool(struct al_text *text, const char *name, bool value)
{
    al_text_json_key(text, name);
    al_text_string(text, value ? "true" : "false");
}

/* -1: there is none, or it is not known. */
static void member_bytes(struct al_text *text, const char *name, uint64_t bytes)
{
    al_text_json_key(text, name);
    al_text_i64(text, bytes > INT64_MAX ? -1 : (int64_t)bytes);
}

static void add_program(struct al_text *text, const struct check_program *program)
{
    al_text_json_key(text, "program");
    if (!program) {
        al_text_string(text, "null");
        return;
    }
    al_text_char(text, '{');
    member_text(text, "name", program->name);
    member_text(text, "file", program->file);
    member_bool(text, "script", program->script);
    member_text(text, "loader", program->elf.interpreter);
    al_text_char(text, '}');
}

static void add_surroundings(struct al_text *text, const struct check_surroundings *here)
{
    al_text_json_key(text, "here");
    al_text_char(text, '{');
    member_text(text, "place", place_names[here->place.kind]);
    member_text(text, "unit", here->place.unit);
    member_bytes(text, "user", here->user);
    member_text(text, "kernel", here->kernel);
    member_bytes(text, "memlock_soft_bytes", here->soft_limit);
    member_bytes(text, "memlock_hard_bytes", here->hard_limit);
    member_bytes(text, "memlock_holds_bytes", here->exempt ? UINT64_MAX : here->limit_that_holds);
    member_bool(text, "user_namespace", here->user_namespace);
    member_bool(text, "seccomp_filter", here->seccomp == 2);
    member_bytes(text, "cgroup_limit_bytes", here->cgroup_limit);
    member_bytes(text, "cgroup_used_bytes", here->cgroup_used);
    member_bytes(text, "memory_bytes", here->memory_total);
    member_bytes(text, "memory_available_bytes", here->memory_available);
    member_bytes(text, "swap_bytes", here->swap_total);
    member_bytes(text, "swap_used_bytes", here->swap_total - here->swap_free);
    al_text_char(text, '}');
}

static void add_findings(struct al_text *text, const struct check_findings *findings)
{
    al_text_json_key(text, "findings");
    al_text_char(text, '[');
    for (size_t i = 0; i < findings->count; i++) {
        const struct check_finding *finding = &findings->list[i];

        al_text_string(text, i ? ",{" : "{");
        member_text(text, "level", level_words[finding->level]);
        member_text(text, "subject", finding->subject);
        member_text(text, "what", finding->what);
        member_text(text, "fix", finding->fix);
        al_text_char(text, '}');
    }
    al_text_char(text, ']');
}

static void add_fixes(struct al_text *text, const struct check_result *result)
{
    char fix[600];

    al_text_json_key(text, "limit_fixes");
    al_text_char(text, '{');
    for (unsigned place = 0; is_limited(result->here) && place < PLACES; place++) {
        limit_fix(fix, sizeof(fix), result, place);
        member_text(text, place_names[place], fix);
    }
    al_text_char(text, '}');
}

void check_print_json(FILE *to, const struct check_result *result)
{
    /* Of control bytes each is written as six. */
    static char bytes[6 * (sizeof(struct check_findings) + (size_t)4 * PATH_MAX)];
    struct al_text text = al_text_over(bytes, sizeof(bytes));

    al_text_char(&text, '{');
    member_text(&text, "schema", CHECK_SCHEMA);
    member_text(&text, "version", AL_VERSION);
    member_text(&text, "verdict", verdict_names[check_verdict(result->findings)]);
    add_program(&text, result->program);
    add_surroundings(&text, result->here);
    add_findings(&text, result->findings);
    add_fixes(&text, result);
    al_text_string(&text, "}\n");
    (void)fwrite(bytes, 1, text.length, to);
}
