/*
 * The program's own brk and sbrk: mappings of the kind `anon`, as `heap` is the malloc family.
 */
#include "stress.h"

enum { BREAKS = 64 };

struct stretch {
    char *start;
    size_t length;
    size_t longest; /* before it was shortened */
};

static struct stretch stretches[BREAKS];
static size_t count;

static void grow(struct random *random)
{
    size_t length = 1 + random_below(random, random_percent(random, 80) ? 20000 : 1 << 20);
    char *start;

    if (count == BREAKS)
        return;
    start = sbrk(0);
    if (random_percent(random, 50))
        expect(sbrk((intptr_t)length) == start);
    else
        expect_equal(brk(start + length), 0);
    journal_add("sbrk", start, length);
    stretches[count++] = (struct stretch){start, length, length};
}

/* Only what is still at the heap's end: the allocator may have gone on from there. */
static void shrink(struct random *random)
{
    struct stretch *last = &stretches[count - 1];
    size_t less =
        random_percent(random, 50) ? last->length : 1 + random_below(random, last->length);

    if (sbrk(0) != last->start + last->length)
        return;
    journal_add("sbrk back", last->start + last->length - less, less);
    expect(sbrk(-(intptr_t)less) == last->start + last->length);
    last->length -= less;
    count -= !last->length;
}

void break_operation(struct random *random)
{
    if (!count || random_percent(random, 55))
        grow(random);
    else
        shrink(random);
}

/* Judged by its bytes or by the pages that it touches, before or after it was shortened. */
void breaks_claim(void)
{
    for (size_t i = 0; i < count; i++) {
        const struct stretch *stretch = &stretches[i];

        claims_add(stretch->start, stretch->length,
                   policy_judge(&policy, KIND_ANON, stretch->length,
                                pages_of(stretch->start, stretch->longest) * PAGE),
                   KIND_ANON, "sbrk");
    }
}
