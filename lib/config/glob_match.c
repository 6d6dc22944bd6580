#include "glob_match.h"

/* The place behind the bracket that `at` opens, or NULL if it is never closed. */
static const char *behind_bracket(const char *at, const char *end)
{
    at++;
    if (at < end && *at == '!')
        at++;
    if (at < end && *at == ']')
        at++;
    while (at < end && *at != ']')
        at++;
    return at < end ? at + 1 : NULL;
}

/* Whether the bracket from `at` to `behind` has this byte. */
static bool in_bracket(const char *at, const char *behind, char c)
{
    const unsigned char byte = (unsigned char)c;
    const char *last = behind - 1;
    bool negated = at[1] == '!';
    bool found = false;

    for (at += 1 + negated; at < last; at++) {
        unsigned char low = (unsigned char)*at;
        unsigned char high = low;

        if (at + 2 < last && at[1] == '-') {
            at += 2;
            high = (unsigned char)*at;
        }
        found |= low <= byte && byte <= high;
    }
    return found != negated;
}

/* Matches one byte; returns the glob's next place, or NULL. `at` is before `end` and no star. */
static const char *match_one(const char *at, const char *end, char c)
{
    if (*at == '?')
        return at + 1;
    if (*at == '[') {
        const char *behind = behind_bracket(at, end);

        if (behind)
            return in_bracket(at, behind, c) ? behind : NULL;
    }
    if (*at == '\\' && at + 1 < end)
        at++;
    return *at == c ? at + 1 : NULL;
}

/*
 * Where it goes wrong, only the last star needs to take one byte more: what an earlier one took can
 * stay, since the later one can take whatever that would have left. Hence no exponential time.
 */
bool al_glob_matches(const char *glob, size_t length, const char *text)
{
    const char *end = glob + length;
    const char *behind_star = NULL;
    const char *taken = NULL;

    while (*text) {
        const char *next = NULL;

        if (glob < end && *glob == '*') {
            behind_star = ++glob;
            taken = text;
            continue;
        }
        if (glob < end)
            next = match_one(glob, end, *text);
        if (next) {
            glob = next;
            text++;
        } else if (behind_star) {
            glob = behind_star;
            text = ++taken;
        } else {
            return false;
        }
    }
    while (glob < end && *glob == '*')
        glob++;
    return glob == end;
}
