/* Marks the symbols that exports.map lists; everything else in the library is hidden. */
#ifndef AL_EXPORT_H
#define AL_EXPORT_H

#define AL_EXPORT __attribute__((visibility("default")))

#endif
