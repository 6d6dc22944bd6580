#include "screen_keys.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* More than anybody types before it is taken; what does not fit is lost. */
static char typed[256];
static size_t length;

bool screen_keys_read(int fd)
{
    ssize_t more = read(fd, typed + length, sizeof(typed) - length);

    if (more > 0)
        length += (size_t)more;
    return more > 0 || length == sizeof(typed) || (more < 0 && errno == EINTR);
}

static const struct {
    const char *bytes;
    enum screen_event event;
} keys[] = {
    {"q", SCREEN_QUIT},        {"Q", SCREEN_QUIT},          {"s", SCREEN_SORT},
    {"k", SCREEN_UP},          {"j", SCREEN_DOWN},          {" ", SCREEN_PAGE_DOWN},
    {"b", SCREEN_PAGE_UP},     {"g", SCREEN_TOP},           {"G", SCREEN_BOTTOM},
    {"\033[A", SCREEN_UP},     {"\033OA", SCREEN_UP},       {"\033[B", SCREEN_DOWN},
    {"\033OB", SCREEN_DOWN},   {"\033[5~", SCREEN_PAGE_UP}, {"\033[6~", SCREEN_PAGE_DOWN},
    {"\033[H", SCREEN_TOP},    {"\033OH", SCREEN_TOP},      {"\033[1~", SCREEN_TOP},
    {"\033[F", SCREEN_BOTTOM}, {"\033OF", SCREEN_BOTTOM},   {"\033[4~", SCREEN_BOTTOM},
};

static void drop(size_t count)
{
    length -= count;
    memmove(typed, typed + count, length);
}

/* How long the sequence is that begins with an escape; 0: its end has not come. */
static size_t sequence_length(void)
{
    if (length < 2)
        return 0;
    if (typed[1] == 'O')
        return length < 3 ? 0 : 3;
    if (typed[1] != '[')
        return 1;
    for (size_t i = 2; i < length; i++)
        if (typed[i] >= '@' && typed[i] <= '~')
            return i + 1;
    return length == sizeof(typed) ? length : 0;
}

enum screen_event screen_keys_next(void)
{
    while (length) {
        size_t key = *typed == '\033' ? sequence_length() : 1;
        enum screen_event event = SCREEN_NOTHING;

        if (!key)
            break;
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
            if (strlen(keys[i].bytes) == key && memcmp(keys[i].bytes, typed, key) == 0)
                event = keys[i].event;
        drop(key);
        if (event != SCREEN_NOTHING)
            return event;
    }
    return SCREEN_NOTHING;
}
