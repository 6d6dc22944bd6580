#include "record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const call_names[CALL_TOTAL] = {
#define X(name) #name,
    CALLS(X)
#undef X
};

uint64_t calls[CALL_TOTAL];
struct entry journal[JOURNAL_MAX];
size_t journal_length;

void note(const char *what, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    size_t at = __atomic_fetch_add(&journal_length, 1, __ATOMIC_SEQ_CST);

    must(at < JOURNAL_MAX, "a place in the journal");
    journal[at] = (struct entry){what, a, b, c, d};
}

void must(int condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "not had: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}
