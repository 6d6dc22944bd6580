#include "memory.h"

#include "command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void (*memory_lack)(void);

static void *or_end(void *memory)
{
    if (!memory) {
        complain("out of memory");
        if (memory_lack)
            memory_lack();
        exit(STATUS_FAILED);
    }
    return memory;
}

void *allocate(size_t bytes)
{
    return or_end(calloc(1, bytes));
}

void *allocate_aligned(size_t alignment, size_t bytes)
{
    return memset(or_end(aligned_alloc(alignment, bytes)), 0, bytes);
}

void *reallocate(void *memory, size_t bytes)
{
    return or_end(realloc(memory, bytes));
}

char *text_of(const char *format, ...)
{
    va_list arguments;
    char *text = NULL;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    return or_end(text);
}
