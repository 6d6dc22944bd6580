/*
 * Where the process runs: who set its limits, and so where they can be changed. Looked at only when
 * a lock could not be had. Async-signal safe.
 */
#ifndef AL_PLACE_H
#define AL_PLACE_H

#include <stdbool.h>

enum al_place_kind {
    AL_PLACE_SHELL, /* nothing tells of anything else */
    AL_PLACE_SYSTEMD,
    AL_PLACE_DOCKER,
    AL_PLACE_PODMAN,
    AL_PLACE_KUBERNETES
};

struct al_place {
    enum al_place_kind kind;
    char unit[128]; /* of systemd: whose limits count; "" if not known */
};

/* What a place is known by. */
struct al_place_signs {
    bool kubernetes;    /* KUBERNETES_SERVICE_HOST is set */
    bool podman;        /* /run/.containerenv is there */
    bool docker;        /* /.dockerenv is there */
    bool service;       /* INVOCATION_ID is set */
    const char *cgroup; /* the text of /proc/self/cgroup, "" if it cannot be read */
};

void al_place_judge(const struct al_place_signs *signs, struct al_place *ret_place);

/* The same of this process; `environment` is a list of NAME=value, or NULL. */
void al_place_read(char *const environment[], struct al_place *ret_place);

#endif
