#include "strangers.h"

#include "counters.h"
#include "downgrades.h"
#include "export.h"
#include "sanitizers.h"
#include "symbols.h"

#include <stddef.h>

/*
 * AddressSanitizer ends a program in which another library comes before its runtime, unless told
 * not to. It asks for its defaults by this function; a program that has one of its own is asked
 * first. The option is taken back by ASAN_OPTIONS=verify_asan_link_order=1.
 */
AL_EXPORT const char *__asan_default_options(void);
AL_EXPORT const char *__asan_default_options(void)
{
    return "verify_asan_link_order=0";
}

/* Who maps so often and never calls malloc allocates by other means. */
enum { MAPPINGS_LEAST = 16 };

const char *al_stranger_sanitizer(void)
{
    static const char symbols[][AL_SYMBOL_BYTES] = {
#define ROW(symbol, name) symbol,
        AL_SANITIZERS(ROW)
#undef ROW
    };
    static const char names[][20] = {
#define ROW(symbol, name) name,
        AL_SANITIZERS(ROW)
#undef ROW
    };
    const size_t count = sizeof(symbols) / sizeof(symbols[0]);
    size_t found = al_symbol_anywhere(symbols, count);

    return found < count ? names[found] : NULL;
}

void al_stranger_allocator_note(void)
{
    uint64_t sum[AL_COUNTER_TOTAL];
    uint64_t heap;

    al_counters_sum(sum);
    heap = sum[AL_COUNT_calls_malloc] + sum[AL_COUNT_calls_calloc] + sum[AL_COUNT_calls_realloc] +
           sum[AL_COUNT_calls_memalign];
    if (al_symbol_in_program("malloc") ||
        (!heap && sum[AL_COUNT_calls_mmap] + sum[AL_COUNT_calls_brk] >= MAPPINGS_LEAST))
        al_downgrade_add("heap calls did not reach us: the program has an allocator of its own, "
                         "whose memory is judged as mappings");
}
