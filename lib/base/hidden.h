/*
 * For variables of the library that are read where speed counts: tells the compiler that they are
 * not another library's, so that it reads them without a detour through the global offset table.
 */
#ifndef AL_HIDDEN_H
#define AL_HIDDEN_H

#define AL_HIDDEN __attribute__((visibility("hidden")))

#endif
