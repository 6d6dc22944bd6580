/*
 * Text in XML and HTML.
 */
#ifndef AL_MARKUP_H
#define AL_MARKUP_H

#include <stdio.h>

/*
 * Writes any bytes as the text of an element, or as an attribute's value in quotes. What these
 * cannot hold (control characters, bytes that are no UTF-8) is the replacement character instead.
 */
void markup_put(FILE *out, const char *text);

#endif
