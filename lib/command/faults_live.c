#include "faults_live.h"

#include "live.h"
#include "memory.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* PROGRAM.PID.NANOSECONDS.live, of which only the program's name may have dots. 0: another one. */
static uint64_t nanoseconds_of(const char *name, pid_t pid)
{
    static const char suffix[] = ".live";
    size_t length = strlen(name);
    const char *at = name + length;
    int fields = 0;
    char *end;

    if (length < sizeof(suffix) || strcmp(at - (sizeof(suffix) - 1), suffix) != 0)
        return 0;
    while (at > name && fields < 3)
        fields += *--at == '.';
    if (fields < 3 || name[0] == '.' || strtol(at + 1, &end, 10) != pid || *end != '.')
        return 0;
    return strtoull(end + 1, NULL, 10);
}

/* The latest. */
static void find(struct faults_live *live, const char *directory, pid_t pid)
{
    DIR *list = opendir(directory);
    const struct dirent *entry;
    uint64_t latest = 0;

    while (list && (entry = readdir(list))) {
        uint64_t name_ns = nanoseconds_of(entry->d_name, pid);

        if (name_ns <= latest)
            continue;
        if (live->fd >= 0)
            (void)close(live->fd);
        live->fd = openat(dirfd(list), entry->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        latest = name_ns;
    }
    if (list)
        (void)closedir(list);
}

/* The value that the program's options have for AUTOLOCK_FLAGS. */
static const char *flags_of(const struct al_live_head *head)
{
    static const char name[] = "AUTOLOCK_FLAGS=";
    const char *option = head->options;
    const char *end = head->options + sizeof(head->options) - 1;

    for (; option < end && *option; option += strlen(option) + 1)
        if (strncmp(option, name, sizeof(name) - 1) == 0)
            return option + sizeof(name) - 1;
    return "current,future";
}

static bool is_backend(const struct al_live_head *head, const char *name)
{
    return strncmp(head->backend, name, sizeof(head->backend)) == 0;
}

void faults_live_refresh(struct faults_live *live, const char *directory, pid_t pid)
{
    struct al_live_head head;

    if (live->fd < 0)
        find(live, directory, pid);
    if (live->fd < 0 || pread(live->fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head) ||
        memcmp(head.magic, AL_LIVE_MAGIC, sizeof(head.magic)) != 0 ||
        head.layout != AL_LIVE_LAYOUT || head.field_count != AL_FIELD_TOTAL)
        return;
    if (head.began_ns < live->executed_ns) {
        (void)close(live->fd);
        live->fd = -1;
        return;
    }
    head.options[sizeof(head.options) - 1] = '\0';
    live->lock_ns = head.lock_ns;
    live->mark_ns = head.mark_ns;
    live->by_hooks = is_backend(&head, "hooks");
    live->at_once = is_backend(&head, "kernel") && strstr(flags_of(&head), "current");
    live->future = strstr(flags_of(&head), "future") != NULL;
    live->on_fault = strstr(flags_of(&head), "onfault") != NULL;
    live->ended = head.state == AL_LIVE_ENDED;
    live->after_lock =
        head.field[AL_FIELD_faults_minor_after_lock] + head.field[AL_FIELD_faults_major_after_lock];
    live->after_mark =
        head.field[AL_FIELD_faults_minor_after_mark] + head.field[AL_FIELD_faults_major_after_mark];
}

void faults_live_next(struct faults_live *live, uint64_t executed_ns)
{
    if (live->fd >= 0)
        (void)close(live->fd);
    *live = (struct faults_live){.fd = -1, .executed_ns = executed_ns};
}
