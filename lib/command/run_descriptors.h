/*
 * Descriptors that are held back while things are opened that the program can do without: where
 * there may be few, there are enough left to start it.
 */
#ifndef AL_RUN_DESCRIPTORS_H
#define AL_RUN_DESCRIPTORS_H

void run_descriptors_hold(void);
void run_descriptors_let_go(void);

#endif
