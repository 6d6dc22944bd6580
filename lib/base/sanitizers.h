/*
 * The sanitizers whose programs the library leaves alone, by the function that a program built with
 * one calls first: in memory by its symbol, in a file by the name of it.
 *
 * AL_SANITIZERS(ROW): ROW(symbol, name)
 */
#ifndef AL_SANITIZERS_H
#define AL_SANITIZERS_H

#define AL_SANITIZERS(ROW)                                                                         \
    ROW("__asan_init", "AddressSanitizer")                                                         \
    ROW("__hwasan_init", "HWAddressSanitizer")                                                     \
    ROW("__tsan_init", "ThreadSanitizer")                                                          \
    ROW("__msan_init", "MemorySanitizer")

#endif
