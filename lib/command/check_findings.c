#include "check_call.h"

#include <stdarg.h>
#include <string.h>

void check_find(struct check_findings *findings, enum check_level level, const char *subject,
                const char *fix, const char *format, ...)
{
    struct check_finding *finding = &findings->list[findings->count];
    va_list arguments;

    if (findings->count == sizeof(findings->list) / sizeof(findings->list[0]))
        return;
    findings->count++;
    finding->level = level;
    finding->subject = subject;
    va_start(arguments, format);
    (void)vsnprintf(finding->what, sizeof(finding->what), format, arguments);
    va_end(arguments);
    (void)snprintf(finding->fix, sizeof(finding->fix), "%s", fix ? fix : "");
}

enum check_level check_verdict(const struct check_findings *findings)
{
    enum check_level worst = CHECK_GOOD;

    for (size_t i = 0; i < findings->count; i++)
        if (findings->list[i].level > worst)
            worst = findings->list[i].level;
    return worst;
}

struct check_size check_size(uint64_t bytes)
{
    struct check_size size;
    struct al_text text = al_text_over(size.text, sizeof(size.text));

    al_text_size(&text, bytes);
    return size;
}

struct al_failure check_failure(const struct check_surroundings *here,
                                const struct al_config *config)
{
    bool onfault = config->flags & AL_FLAG_ONFAULT;

    return (struct al_failure){.program = "",
                               .flags = config->flags,
                               .call = onfault ? "mlock2" : "mlock",
                               .error = here->lock_error,
                               .soft_limit = here->limit_that_holds,
                               .hard_limit = here->limit_that_holds,
                               .capable = here->cap_effective >> CHECK_IPC_LOCK & 1,
                               .exempt = here->exempt,
                               .proc = here->proc,
                               .user_namespace = here->user_namespace,
                               .seccomp = here->seccomp,
                               .user = here->user,
                               .place = here->place};
}

void check_fix_for(char *ret_fix, size_t size, const struct al_failure *failure,
                   enum al_cause cause)
{
    static const char before[] = "; what helps: ";
    char line[600];
    struct al_text text = al_text_over(line, sizeof(line));

    al_explain_fix(&text, failure, cause);
    (void)snprintf(ret_fix, size, "%s",
                   strncmp(line, before, strlen(before)) == 0 ? line + strlen(before) : line);
}
