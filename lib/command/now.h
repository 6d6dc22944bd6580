/*
 * The time by a clock that only goes forward.
 */
#ifndef AL_COMMAND_NOW_H
#define AL_COMMAND_NOW_H

#include "sys.h"

#include <stdint.h>

static inline int64_t now_ms(void)
{
    return (int64_t)(al_now_ns() / 1000000);
}

#endif
