/* Where in a program something was: the frames of a sample, up to its own code. */
#ifndef AL_FAULTS_FRAMES_H
#define AL_FAULTS_FRAMES_H

#include "faults_groups.h"

/*
 * `ret_at` is the first frame that is neither in the C library nor in the loader nor in the library
 * that locks, and `ret_through` the function of theirs that it has called. If it was in none of
 * those, or who called them cannot be seen, both are the last frame that can be.
 */
void faults_frames_find(const struct faults_regions *regions, const struct faults_record *sample,
                        struct faults_code *ret_at, struct faults_code *ret_through);

#endif
