/* Why a file could not be had or written, for people. Async-signal safe. */
#ifndef AL_REASON_H
#define AL_REASON_H

#include "text.h"

/* Appends words for the negative errno, or "errno 5". */
void al_reason_print(struct al_text *text, int error);

#endif
