#include "check_call.h"

#include "programs.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LIBRARY_BITS = 8 * (int)sizeof(void *) };

/* The user that stands for all who have none in a user namespace. */
enum { NOBODYS = 65534 };

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void none(struct check_findings *findings, const char *fix, const char *format,
                 const char *name)
{
    char words[600];

    (void)snprintf(words, sizeof(words), "%.250s %.300s", name, format);
    check_find(findings, CHECK_NONE, "program", fix, "%s", words);
}

/* -- files that are no program -------------------------------------------------------------- */

static bool judge_kind(struct check_findings *findings, const struct check_program *program)
{
    const char *of_script = program->script ? ", which a script is to be run by," : "";
    const char *name = program->started;

    switch (program->kind) {
    case CHECK_FILE_MISSING:
        check_find(findings, CHECK_NONE, "program", NULL, "%.300s%s is not there", name, of_script);
        return false;
    case CHECK_FILE_NO_FILE:
        none(findings, NULL, program->directory ? "is a directory" : "is no regular file", name);
        return false;
    case CHECK_FILE_FORBIDDEN:
        check_find(findings, CHECK_NONE, "program", "chmod +x, or a file system without noexec",
                   "%.300s%s may not be executed", name, of_script);
        return false;
    case CHECK_FILE_UNREADABLE:
        check_find(findings, CHECK_PART, "program", "chmod +r",
                   "%.300s may be executed, but not read: what is in it cannot be told, and the "
                   "kernel hides its /proc/self, so that under a limit what exists is not found",
                   name);
        return false;
    case CHECK_FILE_UNKNOWN:
        none(findings, NULL, "is neither a program nor a script", name);
        return false;
    case CHECK_FILE_LOOP:
        none(findings, NULL, "has too many interpreters, one run by the other", name);
        return false;
    case CHECK_FILE_PROGRAM:
        break;
    }
    return true;
}

/* -- files into which no loader brings the library ------------------------------------------ */

static bool judge_static(struct check_findings *findings, const struct check_program *program)
{
    const char *name = program->file;

    if (*program->elf.interpreter)
        return true;
    if (program->elf.is_library && strncmp(base_name(name), "ld-", 3) == 0) {
        check_find(findings, CHECK_PART, "program", "check the program that it is given",
                   "%.300s is a loader itself: what it runs is not looked at", name);
        return false;
    }
    if (program->elf.is_library)
        none(findings, "a program that uses it",
             "is a library or has no loader: none is there "
             "that would load ours",
             name);
    else if (program->elf.go)
        none(findings,
             "CGO_ENABLED=1 go build -ldflags=-linkmode=external, with a package that uses C",
             "is a static program of Go: it has neither libc nor a loader that would load the "
             "library",
             name);
    else
        none(findings, "link it without -static",
             "is static: it has no loader that would load the library", name);
    return false;
}

static bool judge_file(struct check_findings *findings, const struct check_program *program)
{
    const struct elf_file *elf = &program->elf;
    const char *name = program->file;

    if (elf->not_looked_at) {
        check_find(findings, CHECK_PART, "program", "build this command with libelf",
                   "%.300s is not looked into: this command was built without libelf", name);
        return false;
    }
    if (elf->relocatable)
        none(findings, NULL, "is an object file or a core dump, no program", name);
    else if (elf->other_processor && elf->bits && elf->bits != LIBRARY_BITS)
        check_find(findings, CHECK_NONE, "program",
                   "a library built for it as well, and LD_PRELOAD='/usr/$LIB/libautolock.so'",
                   "%.300s is a %u-bit program, and the library a %d-bit one: the loader leaves it "
                   "out",
                   name, elf->bits, LIBRARY_BITS);
    else if (elf->other_processor)
        none(findings, "a library built for it",
             "is a program of another processor, into which the loader does not load the library",
             name);
    else if (elf->damaged)
        none(findings, NULL, "is damaged: it cannot run", name);
    else
        return true;
    return false;
}

/* -- programs with more rights than who starts them ------------------------------------------ */

static bool gains_user(const struct check_program *program, const struct check_surroundings *here)
{
    if (program->nosuid || here->no_new_privs || !(program->mode & S_ISUID) ||
        program->owner == here->user)
        return false;
    return !here->user_namespace || program->owner != NOBODYS;
}

static bool gains_group(const struct check_program *program, const struct check_surroundings *here)
{
    const mode_t both = S_ISGID | S_IXGRP;

    if (program->nosuid || here->no_new_privs || (program->mode & both) != both ||
        program->group == here->group)
        return false;
    return !here->user_namespace || program->group != NOBODYS;
}

/* As cap_bprm_creds_from_file sets AT_SECURE: root has nothing to gain, nor who gets nothing. */
static bool gains_capabilities(const struct check_program *program,
                               const struct check_surroundings *here)
{
    uint64_t gained = (program->capabilities.permitted & here->cap_bounding) |
                      (program->capabilities.inheritable & here->cap_inheritable);

    if (program->nosuid || !program->capabilities.any || here->user == 0)
        return false;
    return program->capabilities.effective || gained;
}

/* Who does not get all that the file says cannot run it at all. */
static bool cannot_have(const struct check_program *program, const struct check_surroundings *here)
{
    uint64_t had = here->cap_bounding | (program->capabilities.inheritable & here->cap_inheritable);

    return !program->nosuid && program->capabilities.any && program->capabilities.effective &&
           program->capabilities.permitted & ~had;
}

static bool judge_rights(struct check_findings *findings, const struct check_program *program,
                         const struct check_surroundings *here)
{
    static const char ignores[] = "the loader ignores LD_PRELOAD";
    char fix[600];

    if (here->proc && cannot_have(program, here)) {
        check_find(findings, CHECK_NONE, "program", NULL,
                   "%.300s has file capabilities that are not in the bounding set: it cannot be "
                   "executed here",
                   program->file);
        return false;
    }
    if (gains_user(program, here)) {
        (void)snprintf(fix, sizeof(fix),
                       "start it as user %u, who gains nothing by it, or chmod u-s %.300s",
                       (unsigned)program->owner, program->file);
        check_find(findings, CHECK_NONE, "program", fix, "%.300s is setuid to user %u: %s",
                   program->file, (unsigned)program->owner, ignores);
        return false;
    }
    if (gains_group(program, here)) {
        (void)snprintf(fix, sizeof(fix), "start it as group %u, or chmod g-s %.300s",
                       (unsigned)program->group, program->file);
        check_find(findings, CHECK_NONE, "program", fix, "%.300s is setgid to group %u: %s",
                   program->file, (unsigned)program->group, ignores);
        return false;
    }
    if (gains_capabilities(program, here)) {
        (void)snprintf(fix, sizeof(fix),
                       "setcap -r %.300s, and ambient capabilities instead (setpriv "
                       "--ambient-caps, AmbientCapabilities= of systemd)",
                       program->file);
        check_find(findings, CHECK_NONE, "program", fix, "%.300s has file capabilities: %s",
                   program->file, ignores);
        return false;
    }
    return true;
}

/* -- programs that the library loads into --------------------------------------------------- */

static void judge_libc(struct check_findings *findings, const struct check_program *program)
{
    const char *loader = base_name(program->elf.interpreter);

    if (strncmp(loader, "ld-musl", 7) == 0)
        check_find(findings, CHECK_GOOD, "libc", NULL,
                   "%.250s runs on musl (%.100s), where the library works too", program->file,
                   program->elf.interpreter);
    else if (strncmp(loader, "ld-linux", 8) != 0 && strncmp(loader, "ld64.so", 7) != 0 &&
             strncmp(loader, "ld.so.1", 7) != 0 && strncmp(loader, "ld-2.", 5) != 0)
        check_find(findings, CHECK_PART, "libc", NULL,
                   "%.250s has the loader %.100s: whether the library works with that libc is not "
                   "known",
                   program->file, program->elf.interpreter);
}

static void judge_memory_of_its_own(struct check_findings *findings,
                                    const struct check_program *program,
                                    const struct check_surroundings *here,
                                    const struct al_config *config)
{
    const struct elf_file *elf = &program->elf;
    bool by_kernel = config->mode == AL_MODE_ALL && here->exempt && !here->lockall_error;
    bool only_heap = config->mode == AL_MODE_ALLOC && config->kinds & AL_KIND_HEAP &&
                     !(config->kinds & AL_KIND_ANON);

    if (elf->own_malloc)
        check_find(findings, only_heap ? CHECK_PART : CHECK_NOTE, "allocator",
                   only_heap ? "anon in AUTOLOCK_KINDS" : NULL,
                   "%.300s has a malloc of its own, whose calls the library does not see: its "
                   "memory is judged as mappings%s",
                   program->file, only_heap ? ", which AUTOLOCK_KINDS leaves out" : "");
    else if (elf->allocator)
        check_find(findings, CHECK_GOOD, "allocator", NULL,
                   "%.300s is linked with %s, whose calls pass through the library", program->file,
                   elf->allocator);
    if (elf->go && !by_kernel)
        check_find(findings, CHECK_PART, "program", "CAP_IPC_LOCK or no limit, and mode all",
                   "%.300s is a program of Go, which maps memory past libc: what it has at its "
                   "start is locked, what comes later is not",
                   program->file);
}

static void judge_sanitizer(struct check_findings *findings, const struct check_program *program)
{
    static const char fix[] = "a build without the sanitizer";

    if (program->elf.sanitizer)
        check_find(findings, CHECK_NONE, "sanitizer", fix,
                   "%.300s is built with %s: the library leaves it alone", program->file,
                   program->elf.sanitizer);
    else if (program->elf.hidden_sanitizer)
        check_find(findings, CHECK_PART, "sanitizer", fix,
                   "%.300s has %s linked in, whose shadow of all addresses is past every budget",
                   program->file, program->elf.hidden_sanitizer);
}

static void judge_loaded(struct check_findings *findings, const struct check_program *program,
                         const struct check_surroundings *here, const struct al_config *config)
{
    size_t before = findings->count;

    if (program->interpreter_missing) {
        check_find(findings, CHECK_NONE, "libc", NULL,
                   "%.250s asks for the loader %.200s, which is not there: it cannot run",
                   program->file, program->elf.interpreter);
        return;
    }
    if (!judge_rights(findings, program, here))
        return;
    if (program->elf.cut)
        check_find(findings, CHECK_PART, "program", NULL,
                   "%.300s is cut off: what is missing cannot be locked, and who touches it dies",
                   program->file);
    judge_sanitizer(findings, program);
    judge_libc(findings, program);
    judge_memory_of_its_own(findings, program, here, config);
    if (findings->count == before)
        check_find(findings, CHECK_GOOD, "program", NULL, "%.300s%s loads the library",
                   program->file, program->script ? ", which runs the script," : "");
}

/* As the library itself judges it: by what was started, made absolute, and by what runs. */
static void judge_wish(struct check_findings *findings, const struct check_program *program,
                       const struct al_config *config)
{
    char started[2 * PATH_MAX];
    char here[PATH_MAX];
    const char *path = program->started;
    const char *names[] = {started, program->file};

    while (path[0] == '.' && path[1] == '/')
        path += 2;
    if (*path == '/' || !getcwd(here, sizeof(here)))
        (void)snprintf(started, sizeof(started), "%s", path);
    else
        (void)snprintf(started, sizeof(started), "%s/%s", here, path);
    if (!al_programs_include(config->programs, names, 2))
        check_find(findings, CHECK_NONE, "settings", "unset AUTOLOCK_PROGRAMS",
                   "AUTOLOCK_PROGRAMS leaves %.300s out: the library is inert there",
                   program->started);
}

void check_judge_program(struct check_findings *findings, const struct check_program *program,
                         const struct check_surroundings *here, const struct al_config *config)
{
    if (!judge_kind(findings, program))
        return;
    if (program->appimage) {
        check_find(findings, CHECK_PART, "program",
                   "FILE --appimage-extract, and check squashfs-root/AppRun",
                   "%.300s is an AppImage: the program inside is not looked at", program->file);
        return;
    }
    if (!judge_file(findings, program) || !judge_static(findings, program))
        return;
    judge_wish(findings, program, config);
    judge_loaded(findings, program, here, config);
}
