/* Small files of a process. */
#ifndef AL_PROC_FILE_H
#define AL_PROC_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The beginning of /proc/PID/NAME, terminated. False: there is nothing, or it may not be read. */
bool proc_file_read(pid_t pid, const char *name, char *ret_text, size_t size);

#endif
