#include "journal.h"

#include "../raw.h"

#include "../../expect.h"

enum { EVENTS = 1 << 20, SHOWN = 24 };

struct event {
    const char *what;
    uintptr_t start;
    size_t length;
    unsigned long number; /* 0: not written yet */
    unsigned thread;
};

static struct event *events;
static unsigned long last;

__thread unsigned journal_thread;

void journal_begin(void)
{
    events = raw_memory(EVENTS * sizeof(*events));
}

void journal_add(const char *what, const void *start, size_t length)
{
    unsigned long number = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
    struct event *event = &events[number % EVENTS];

    event->what = what;
    event->start = (uintptr_t)start;
    event->length = length;
    event->number = number;
    event->thread = journal_thread;
}

static int touches(const struct event *event, uintptr_t page)
{
    return event->number && event->start < page + PAGE && event->start + event->length > page;
}

void journal_explain(uintptr_t page)
{
    unsigned long first = last >= EVENTS ? last - EVENTS + 1 : 1;
    unsigned long number = last;
    int found = 0;

    for (; number >= first && found < SHOWN; number--)
        found += touches(&events[number % EVENTS], page);
    for (number++; number <= last; number++) {
        const struct event *event = &events[number % EVENTS];

        if (touches(event, page))
            dprintf(STDERR_FILENO, "  #%lu thread %u: %s %#lx + %zu\n", number, event->thread,
                    event->what, (unsigned long)event->start, event->length);
    }
    dprintf(STDERR_FILENO, "  (the last event was #%lu)\n", last);
}
