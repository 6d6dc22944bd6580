/*
 * The terminal as a page that is drawn again and again, by what every terminal of today knows
 * (ECMA-48) and no table of others. It is left as it was found, however the command ends, but for
 * SIGKILL.
 */
#ifndef AL_COMMAND_SCREEN_H
#define AL_COMMAND_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

/* Whether standard output is a terminal that knows more than lines (TERM). */
bool screen_is_there(void);

/* The same, and colours are wanted (NO_COLOR). */
bool screen_has_colour(void);

struct screen_size {
    unsigned rows;
    unsigned columns;
};

/* Of the terminal that standard output is; 24 x 80 if it does not say. */
struct screen_size screen_size(void);

/* From here to screen_end the terminal is ours. Once. */
void screen_begin(void);
void screen_end(void);

/*
 * Lines of `text`, as many as fit, from `first` on, and `bar` as the last line. Lines are cut at
 * the edge; they may hold changes of colour (ESC [ … m), which take no room. False: the terminal
 * is gone.
 */
bool screen_draw(const char *text, size_t first, const char *bar);

enum screen_event {
    SCREEN_NOTHING, /* the time is over */
    SCREEN_CHANGED, /* it has another size, or we were stopped: it is to be drawn */
    SCREEN_ENDED,   /* there is nobody any more who types */
    SCREEN_QUIT,
    SCREEN_SORT,
    SCREEN_UP,
    SCREEN_DOWN,
    SCREEN_PAGE_UP,
    SCREEN_PAGE_DOWN,
    SCREEN_TOP,
    SCREEN_BOTTOM,
    SCREEN_SIGNAL /* one that ends programs; screen_end_by_signal does */
};

/* Waits for so long. ^Z has been obeyed when it returns. */
enum screen_event screen_wait(int milliseconds);

/* Ends this process by the signal that it got, with the terminal as it was. */
void screen_end_by_signal(void);

#endif
