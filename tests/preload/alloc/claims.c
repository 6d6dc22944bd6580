#include "claims.h"

#include "raw.h"
#include "watch.h"

#include "../expect.h"

enum { MAX_CLAIMS = 1 << 20, MAX_SHOWN = 4 };

struct claim {
    uintptr_t start; /* whole pages */
    uintptr_t end;
    const char *block; /* as the program knows it */
    size_t length;
    const char *origin;
    uint8_t verdict;
    uint8_t kind;
};

/* Those of claims_begin() have a copy of their own, because checking reorders the others. */
static struct claim *at_start;
static struct claim *claims;
static size_t count;
static size_t count_at_start;

static void explain_nothing(uintptr_t page)
{
    (void)page;
}

void claims_add(const void *start, size_t length, enum verdict verdict, enum kind kind,
                const char *origin)
{
    if (!length)
        return;
    expect(count < MAX_CLAIMS);
    claims[count++] = (struct claim){
        .start = (uintptr_t)start & ~(uintptr_t)(PAGE - 1),
        .end = ((uintptr_t)start + length + PAGE - 1) & ~(uintptr_t)(PAGE - 1),
        .block = start,
        .length = length,
        .origin = origin,
        .verdict = (uint8_t)verdict,
        .kind = (uint8_t)kind,
    };
}

void claims_watch(const void *start, size_t length, const char *origin)
{
    claims_add(start, length, VERDICT_NO, KIND_HEAP, origin);
}

/* Files that are mapped as main begins are the program and its libraries. */
static bool is_image(const struct vma *vma)
{
    return vma->accessible && vma->name[0] == '/';
}

static bool is_main_stack(const struct vma *vma)
{
    return strcmp(vma->name, "[stack]") == 0;
}

void claims_begin(const struct policy *policy)
{
    /* How sizes of segments and of the main stack are meant is not tested here. */
    bool sizeless = policy->min_size == 0 && policy->max_size == SIZE_MAX;
    bool images = policy->current && sizeless && policy_has(policy, KIND_IMAGE);
    bool stack = policy->current && sizeless && policy_has(policy, KIND_STACK);

    claims = raw_memory(MAX_CLAIMS * sizeof(*claims));
    watch_take();
    for (size_t i = 0; i < watch_count(); i++) {
        const struct vma *vma = watch_at(i);
        const void *start = (const void *)vma->start;
        size_t length = vma->end - vma->start;

        if (images && is_image(vma))
            claims_add(start, length, VERDICT_YES, KIND_IMAGE, "segment at start");
        else if (stack && is_main_stack(vma))
            claims_add(start, length, VERDICT_YES, KIND_STACK, "main stack");
        else
            claims_add(start, length, VERDICT_EITHER, KIND_ANON, "there at start");
        /* It grows down by itself. */
        if (is_main_stack(vma))
            claims_add((const char *)start - (64 << 20), 64 << 20, VERDICT_EITHER, KIND_STACK,
                       "main stack, grown");
    }
    count_at_start = count;
    at_start = raw_memory(count * sizeof(*at_start));
    memcpy(at_start, claims, count * sizeof(*at_start));
}

void claims_reset(void)
{
    memcpy(claims, at_start, count_at_start * sizeof(*at_start));
    count = count_at_start;
}

/* -- sorting by start: a heap sort, because libc's allocates -------------------------------- */

static void sift(struct claim *heap, size_t root, size_t size)
{
    struct claim moving = heap[root];

    for (size_t child; (child = 2 * root + 1) < size; root = child) {
        if (child + 1 < size && heap[child + 1].start > heap[child].start)
            child++;
        if (heap[child].start <= moving.start)
            break;
        heap[root] = heap[child];
    }
    heap[root] = moving;
}

static void sort(struct claim *heap, size_t size)
{
    for (size_t i = size / 2; i-- > 0;)
        sift(heap, i, size);
    while (size > 1) {
        struct claim last = heap[--size];

        heap[size] = heap[0];
        heap[0] = last;
        sift(heap, 0, size);
    }
}

/* -- each claimed page ---------------------------------------------------------------------- */

static void show(uintptr_t page, const char *what, claims_explain *explain)
{
    static const char *const says[] = {
        [VERDICT_NO] = "no owner",
        [VERDICT_EITHER] = "perhaps an owner",
        [VERDICT_YES] = "owner",
    };
    const struct vma *vma = watch_find(page);
    int shown = 0;

    dprintf(STDERR_FILENO, "page %#lx: %s\n  mapping: %s%s\n", (unsigned long)page, what,
            vma ? vma->line : "none", vma ? (vma->locked ? " (lo)" : " (not lo)") : "");
    for (size_t i = 0; i < count && shown < MAX_SHOWN; i++) {
        const struct claim *claim = &claims[i];

        if (page < claim->start || page >= claim->end)
            continue;
        dprintf(STDERR_FILENO, "  %s: %s %p + %zu (%s)\n", says[claim->verdict],
                kind_name[claim->kind], (const void *)claim->block, claim->length, claim->origin);
        shown++;
    }
    explain(page);
}

/* The first page of [start, end) that is not locked, or `end`. */
static uintptr_t first_unlocked(uintptr_t start, uintptr_t end)
{
    for (size_t i = watch_index_after(start); start < end && i < watch_count(); i++) {
        const struct vma *vma = watch_at(i);

        if (vma->start > start || !vma->locked)
            return start;
        start = vma->end;
    }
    return start < end ? start : end;
}

/* Looks twice: a page on its way to another place in memory is absent for a moment. */
static uintptr_t first_absent(uintptr_t start, uintptr_t end)
{
    uintptr_t page = watch_first_absent(start, end);

    if (page < end) {
        usleep(20000);
        page = watch_first_absent(page, end);
    }
    return page;
}

/* Where the page's mapping ends: one violation is enough for it. */
static uintptr_t skip_mapping(uintptr_t page, uintptr_t end)
{
    const struct vma *vma = watch_find(page);

    return vma && vma->end < end ? vma->end : vma ? end : page + PAGE;
}

/* How many stretches of [start, end) are not as they should be. */
static size_t check_run(uintptr_t start, uintptr_t end, bool onfault, size_t shown,
                        claims_explain *explain)
{
    size_t wrong = 0;
    uintptr_t page;

    for (page = start; (page = first_unlocked(page, end)) < end; page = skip_mapping(page, end))
        if (shown + wrong++ < MAX_SHOWN)
            show(page, "not locked, but claimed", explain);
    if (onfault || wrong)
        return wrong;
    for (page = start; (page = first_absent(page, end)) < end; page = skip_mapping(page, end))
        if (shown + wrong++ < MAX_SHOWN)
            show(page, "not in memory, but claimed", explain);
    return wrong;
}

static void check_claimed(struct claims_result *result, bool onfault, claims_explain *explain)
{
    uintptr_t start = 0;
    uintptr_t end = 0;

    for (size_t i = 0; i <= count; i++) {
        const struct claim *claim = &claims[i];

        if (i < count && claim->verdict != VERDICT_YES)
            continue;
        if (i < count && claim->start <= end) {
            end = claim->end > end ? claim->end : end;
            continue;
        }
        result->claimed_bytes += end - start;
        result->wrong += check_run(start, end, onfault, result->wrong, explain);
        if (i < count) {
            start = claim->start;
            end = claim->end;
        }
    }
}

/* -- each locked page ----------------------------------------------------------------------- */

/* What a page is, by the claims that it is in. */
enum ownership { FOREIGN, OWNERLESS, OWNED };

/* Goes through the claims in their order, as far as an address. */
struct walk {
    size_t next;
    uintptr_t owned;   /* where the claims before `next` end that allow a lock */
    uintptr_t watched; /* … and the others */
};

static uintptr_t later(uintptr_t a, uintptr_t b)
{
    return a > b ? a : b;
}

/* What the page at `at` is, and how far it goes, at most to `end`. */
static enum ownership walk_to(struct walk *walk, uintptr_t at, uintptr_t end, uintptr_t *ret_until)
{
    enum ownership ownership;
    uintptr_t until = end;

    for (; walk->next < count && claims[walk->next].start <= at; walk->next++) {
        const struct claim *claim = &claims[walk->next];

        if (claim->verdict == VERDICT_NO)
            walk->watched = later(walk->watched, claim->end);
        else
            walk->owned = later(walk->owned, claim->end);
    }
    if (walk->next < count && claims[walk->next].start < until)
        until = claims[walk->next].start;
    if (walk->owned > at) {
        ownership = OWNED;
        until = walk->owned < end ? walk->owned : end;
    } else if (walk->watched > at) {
        ownership = OWNERLESS;
        until = walk->watched < until ? walk->watched : until;
    } else {
        ownership = FOREIGN;
    }
    *ret_until = until;
    return ownership;
}

/* Calls back for each stretch of locked memory. */
static void each_locked(void (*with)(enum ownership ownership, uintptr_t start, uintptr_t end))
{
    struct walk walk = {0};

    for (size_t i = 0; i < watch_count(); i++) {
        const struct vma *vma = watch_at(i);
        uintptr_t until;

        for (uintptr_t at = vma->start; vma->locked && at < vma->end; at = until) {
            enum ownership ownership = walk_to(&walk, at, vma->end, &until);

            with(ownership, at, until);
        }
    }
}

struct stretch {
    uintptr_t start;
    uintptr_t end;
};

static size_t locked_bytes[OWNED + 1];

static void add_up(enum ownership ownership, uintptr_t start, uintptr_t end)
{
    locked_bytes[ownership] += end - start;
}

static struct stretch largest[OWNED + 1][MAX_SHOWN];

static void keep_largest(enum ownership ownership, uintptr_t start, uintptr_t end)
{
    struct stretch stretch = {start, end};

    for (size_t i = 0; i < MAX_SHOWN; i++) {
        struct stretch other = largest[ownership][i];

        if (stretch.end - stretch.start > other.end - other.start) {
            largest[ownership][i] = stretch;
            stretch = other;
        }
    }
}

static void show_largest(enum ownership ownership, claims_explain *explain)
{
    memset(largest, 0, sizeof(largest));
    each_locked(keep_largest);
    for (const struct stretch *at = largest[ownership]; at < largest[ownership] + MAX_SHOWN; at++) {
        if (!at->end)
            break;
        dprintf(STDERR_FILENO, "locked: %lu KB\n", (unsigned long)(at->end - at->start) / 1024);
        show(at->start, "the first of these", explain ? explain : explain_nothing);
    }
}

void claims_show_ownerless(claims_explain *explain)
{
    show_largest(OWNERLESS, explain);
}

void claims_show_foreign(claims_explain *explain)
{
    show_largest(FOREIGN, explain);
}

static size_t slack_of(size_t locked)
{
    size_t slack = locked / SLACK_SHARE;

    if (slack > SLACK_MOST)
        slack = SLACK_MOST;
    return (slack < SLACK_LEAST ? SLACK_LEAST : slack) + SLACK_UNKNOWN;
}

struct claims_result claims_check(bool onfault, claims_explain *explain)
{
    struct claims_result result = {0};

    if (!explain)
        explain = explain_nothing;
    watch_take();
    sort(claims, count);
    check_claimed(&result, onfault, explain);
    memset(locked_bytes, 0, sizeof(locked_bytes));
    each_locked(add_up);
    result.locked_bytes = watch_locked_bytes();
    result.slack_bytes = slack_of(result.locked_bytes);
    result.ownerless_bytes = locked_bytes[OWNERLESS];
    result.foreign_bytes = locked_bytes[FOREIGN];
    return result;
}
