/* What `stamps` says to `stages`. */
#ifndef STAMPS_H
#define STAMPS_H

#include <stdint.h>

enum { STAMPS_DESCRIPTOR = 10 };

struct stamps {
    uint64_t begin_ns;
    uint64_t end_ns;
};

#endif
