#include "faults_sites.h"

#include "faults_symbols.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>

static struct faults_place place_of(const struct faults_code *code)
{
    struct faults_module *module =
        code->file && code->file[0] == '/' ? faults_module(code->file, code->inode) : NULL;

    return module ? faults_module_place(module, code->offset, code->call != 0)
                  : (struct faults_place){0};
}

/* Of our hooks the name of what they stand for: al_counted_malloc. */
static const char *hooked_name(const char *name)
{
    static const char *const functions[] = {"_malloc",         "_calloc",      "_realloc",
                                            "_free",           "_memalign",    "_aligned_alloc",
                                            "_posix_memalign", "_reallocarray"};
    size_t length = strlen(name);

    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        size_t end = strlen(functions[i]);

        if (length > end && strcmp(name + length - end, functions[i]) == 0)
            return name + length - end + 1;
    }
    return name;
}

/*
 * As it is called in a program: without the version, and of memset and its like without what
 * processor it is for (__memset_avx512_unaligned_erms).
 */
static const char *served_name(const struct faults_code *code)
{
    static const char *const processors[] = {"_avx", "_evex", "_sse", "_ssse", "_erms", "_generic"};
    const char *name = place_of(code).function;
    const char *end;

    if (!name || strstr(code->file, "/libautolock.so"))
        return name ? hooked_name(name) : NULL;
    end = name + strcspn(name, "@");
    for (size_t i = 0; i < sizeof(processors) / sizeof(processors[0]); i++) {
        const char *found = strstr(name, processors[i]);

        if (found && found > name && found < end)
            end = found;
    }
    if (strncmp(name, "__libc_", 7) == 0 && strncmp(name, "__libc_start", 12) != 0)
        name += 7;
    else if (strncmp(name, "__", 2) == 0)
        name += 2;
    return text_of("%.*s", (int)(end - name), name);
}

static void add(struct run_fault_sites *sites, const struct faults_group *group,
                const struct faults_process *process)
{
    const struct faults_key *key = &group->key;
    struct run_fault_site *site = &sites->list[sites->count++];
    struct faults_place at = place_of(&key->at);

    *site = (struct run_fault_site){
        .function = at.function,
        .source = at.source,
        .line = at.line,
        .module = key->at.file,
        .offset = key->at.offset,
        .mapping = faults_process_mapping(process, key),
        .cause = (enum run_fault_cause)key->cause,
        .minor = group->minor,
        .major = group->major,
    };
    if (memcmp(&key->at, &key->through, sizeof(key->at)) != 0)
        site->through = served_name(&key->through);
    sites->minor += group->minor;
    sites->major += group->major;
    if (site->cause == RUN_FAULT_BROUGHT)
        sites->brought += group->minor;
}

void faults_sites_add(struct run_fault_sites *sites, const struct faults_process *process)
{
    const struct faults_groups *groups = &process->groups;
    struct run_fault_site *list = allocate((sites->count + groups->count + 1) * sizeof(*list));

    if (sites->count)
        memcpy(list, sites->list, sites->count * sizeof(*list));
    free(sites->list);
    sites->list = list;
    sites->other += groups->other;
    for (size_t i = 0; i < groups->size; i++)
        if (groups->list[i].minor + groups->list[i].major)
            add(sites, &groups->list[i], process);
}

/* -- what has the same name ---------------------------------------------------------------------
 */

static int compare_texts(const char *a, const char *b)
{
    if (!a || !b)
        return (a != NULL) - (b != NULL);
    return strcmp(a, b);
}

/* Without a name a place is its address. */
static int compare_names(const struct run_fault_site *a, const struct run_fault_site *b)
{
    int order = compare_texts(a->module, b->module);

    if (!order)
        order = compare_texts(a->function, b->function);
    if (!order)
        order = compare_texts(a->source, b->source);
    if (!order)
        order = a->line - b->line;
    if (!order && !a->function)
        order = (a->offset > b->offset) - (a->offset < b->offset);
    if (!order)
        order = compare_texts(a->mapping, b->mapping);
    return order ? order : (int)a->cause - (int)b->cause;
}

/* What waits for a disk is worse than what does not, however much there is of it. */
static int compare_weights(const struct run_fault_site *a, const struct run_fault_site *b)
{
    if (a->major != b->major)
        return a->major > b->major ? -1 : 1;
    if (a->minor != b->minor)
        return a->minor > b->minor ? -1 : 1;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    int order = compare_names(a, b);

    return order ? order : compare_weights(a, b);
}

static int by_weight(const void *a, const void *b)
{
    int order = compare_weights(a, b);

    return order ? order : compare_names(a, b);
}

void faults_sites_finish(struct run_fault_sites *sites)
{
    size_t kept = 0;

    if (sites->count)
        qsort(sites->list, sites->count, sizeof(*sites->list), by_name);
    for (size_t i = 0; i < sites->count; i++) {
        struct run_fault_site *last = kept ? &sites->list[kept - 1] : NULL;
        const struct run_fault_site *site = &sites->list[i];

        if (last && compare_names(last, site) == 0) {
            /* The function of the C library that was there most often: the first, by its weight. */
            last->minor += site->minor;
            last->major += site->major;
        } else {
            sites->list[kept++] = *site;
        }
    }
    sites->count = kept;
    if (kept)
        qsort(sites->list, kept, sizeof(*sites->list), by_weight);
    faults_modules_close();
}
