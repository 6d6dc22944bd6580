#include "sanitizer_libraries.h"

#include <stddef.h>
#include <string.h>

/* gcc's, then clang's; the last row is for the rest of those. */
static const struct {
    const char *begins;
    const char *sanitizer; /* NULL: the library gets along with it */
} rows[] = {
    {"libasan.", "AddressSanitizer"},
    {"libhwasan.", "HWAddressSanitizer"},
    {"libtsan.", "ThreadSanitizer"},
    {"libmsan.", "MemorySanitizer"},
    {"liblsan.", NULL},
    {"libubsan.", NULL},
    {"libclang_rt.asan", "AddressSanitizer"},
    {"libclang_rt.hwasan", "HWAddressSanitizer"},
    {"libclang_rt.tsan", "ThreadSanitizer"},
    {"libclang_rt.msan", "MemorySanitizer"},
    {"libclang_rt.", NULL},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* ROWS: none. */
static size_t row_of(const char *name)
{
    size_t row = 0;

    while (row < ROWS && strncmp(name, rows[row].begins, strlen(rows[row].begins)) != 0)
        row++;
    return row;
}

bool sanitizer_is_library(const char *name)
{
    return row_of(name) < ROWS;
}

const char *sanitizer_of_library(const char *name)
{
    size_t row = row_of(name);

    return row < ROWS ? rows[row].sanitizer : NULL;
}
