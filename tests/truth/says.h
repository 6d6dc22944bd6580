/*
 * What the kernel says of this process, and what the process knows of itself, as text on standard
 * output.
 */
#ifndef SAYS_H
#define SAYS_H

/*
 * Once at the start, and again in a forked child that is to say something: all memory and code that
 * say() needs is used, so that nothing is brought in by it later.
 */
void say_nothing(void);

/* The last thing before the process's end. */
void say(void);

#endif
