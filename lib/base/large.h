/*
 * For variables that are large: they stand behind all others, which so lie together, on the page
 * where those with a value are. Each page that is touched costs a fault, and stays. The linker
 * sorts by these names.
 */
#ifndef AL_LARGE_H
#define AL_LARGE_H

/* What has pages of its own, and what has not. */
#define AL_ON_PAGES __attribute__((section(".bss.zz1_pages")))
#define AL_LARGE    __attribute__((section(".bss.zz2_large")))

#endif
