/* The options of `autolock report`. */
#ifndef AL_CALL_REPORT_H
#define AL_CALL_REPORT_H

enum call_report_option { REPORT_OPTION_SORT = 1, REPORT_OPTION_FORMAT, REPORT_OPTION_HTML };

#endif
