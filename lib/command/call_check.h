/* The options of `autolock check`. */
#ifndef AL_CALL_CHECK_H
#define AL_CALL_CHECK_H

enum call_check_option { CHECK_OPTION_FORMAT = 1, CHECK_OPTION_ROOT };

#endif
