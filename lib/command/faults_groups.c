#include "faults_groups.h"

#include "memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* 160 bytes each; a program has some hundred. */
enum { SIZE_FIRST = 256, SIZE_MAX_GROUPS = 1 << 16 };

/* Keys are compared as bytes. */
static_assert(sizeof(void *) != 8 || sizeof(struct faults_code) == 32, "no gaps");

static size_t hash_of(const struct faults_key *key)
{
    const unsigned char *bytes = (const unsigned char *)key;
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < sizeof(*key); i++)
        hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
    return (size_t)(hash ^ hash >> 32);
}

static struct faults_group *place_of(const struct faults_groups *groups,
                                     const struct faults_key *key)
{
    size_t at = hash_of(key) & (groups->size - 1);
    struct faults_group *group = &groups->list[at];

    while (group->minor + group->major && memcmp(&group->key, key, sizeof(*key)) != 0) {
        at = (at + 1) & (groups->size - 1);
        group = &groups->list[at];
    }
    return group;
}

static void grow(struct faults_groups *groups)
{
    struct faults_groups larger = *groups;

    larger.size = groups->size ? 2 * groups->size : SIZE_FIRST;
    larger.list = allocate(larger.size * sizeof(*larger.list));
    for (size_t i = 0; i < groups->size; i++)
        if (groups->list[i].minor + groups->list[i].major)
            *place_of(&larger, &groups->list[i].key) = groups->list[i];
    free(groups->list);
    *groups = larger;
}

void faults_groups_add(struct faults_groups *groups, const struct faults_key *key, uint64_t minor,
                       uint64_t major)
{
    struct faults_group *group;

    if (2 * groups->count >= groups->size && groups->size < SIZE_MAX_GROUPS)
        grow(groups);
    group = place_of(groups, key);
    if (!(group->minor + group->major)) {
        if (2 * groups->count >= groups->size) {
            groups->other += minor + major;
            return;
        }
        group->key = *key;
        groups->count++;
    }
    group->minor += minor;
    group->major += major;
}

void faults_groups_clear(struct faults_groups *groups)
{
    free(groups->list);
    *groups = (struct faults_groups){0};
}
