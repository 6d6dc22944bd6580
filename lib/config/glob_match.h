/*
 * Globs as a shell writes them, over bytes: no locale, no allocation, no recursion.
 *
 *   *        any bytes, none and slashes included
 *   ?        any one byte
 *   [a-z_]   one byte of these; [!a-z] one that is none of them; a "]" that comes first is itself
 *   \x       x itself
 *
 * A bracket that is never closed stands for itself.
 */
#ifndef AL_GLOB_MATCH_H
#define AL_GLOB_MATCH_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether the whole of `text` is what the `length` bytes of `glob` describe. Takes no more than
 * length times text steps, whatever they are. Async-signal safe.
 */
bool al_glob_matches(const char *glob, size_t length, const char *text);

#endif
