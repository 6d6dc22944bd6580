/* The options of `autolock status`. */
#ifndef AL_CALL_STATUS_H
#define AL_CALL_STATUS_H

enum call_status_option {
    STATUS_OPTION_WATCH = 1,
    STATUS_OPTION_SORT,
    STATUS_OPTION_ALL,
    STATUS_OPTION_FORMAT
};

#endif
