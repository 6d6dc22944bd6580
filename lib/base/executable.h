/*
 * Whether the kernel is going to execute a file, as far as can be told without trying: it is there,
 * may be executed, and begins like something that can be; of a script the same of its interpreter.
 *
 * Not looked at, as it would cost more or cannot be known: the size of arguments and environment
 * (E2BIG), memory, who is writing to the file (ETXTBSY), the program's own loader, another
 * processor's programs. Where something cannot be looked at (the file may be executed, but not
 * read) the answer is yes.
 *
 * Async-signal safe; errno is untouched.
 */
#ifndef AL_EXECUTABLE_H
#define AL_EXECUTABLE_H

#include <stdbool.h>

/* A text without "#!" is nothing to the kernel, but execvp has the shell read it. */
enum al_text_file { AL_TEXT_FAILS, AL_TEXT_RUNS };

/*
 * `directory`, `path` and `flags` (AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW) as of execveat(2). A path
 * that points nowhere is a file that is not there: it is given to the kernel, and not read.
 */
bool al_executable(int directory, const char *path, int flags, enum al_text_file text);

/* The same of what execvp(3) would find for `name` in the directories of `search` (NULL: libc's).
 */
bool al_executable_in(const char *search, const char *name);

#endif
