/* A library to be loaded: what it has, and what its constructor has taken. */
#ifndef GUEST_H
#define GUEST_H

#include <stddef.h>

enum { GUEST_BLOCKS = 400, GUEST_BLOCK = 2000, GUEST_SMALL = 64 << 10, GUEST_LARGE = 3 << 20 };

struct guest {
    char *bytes; /* that nobody has touched */
    size_t length;
    char *own;   /* page of it that it has locked itself */
    char *small; /* mappings */
    char *large;
    char *blocks[GUEST_BLOCKS]; /* of the heap */
};

/* guest_holds in each of them, guest_of_host in who has one with it. */
typedef const struct guest *guest_function(void);

#endif
