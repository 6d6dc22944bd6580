/* The options of `autolock export`. */
#ifndef AL_CALL_EXPORT_H
#define AL_CALL_EXPORT_H

enum call_export_option { EXPORT_OPTION_TEXTFILE = 1, EXPORT_OPTION_INTERVAL, EXPORT_OPTION_ONCE };

#endif
