/*
 * For variables that are large: they stand behind all others, which so lie together, on the page
 * where those with a value are. Each page that is touched costs a fault, and stays. The linker
 * sorts by these names.
 */
#ifndef AL_LARGE_H
#define AL_LARGE_H

/* What is a mapping of its own to the kernel, side by side, so that nothing between them is one
 * too; what is on whole pages otherwise; and what is not. */
#define AL_MAPPED_APART __attribute__((section(".bss.zz1_apart")))
#define AL_ON_PAGES     __attribute__((section(".bss.zz2_pages")))
#define AL_LARGE        __attribute__((section(".bss.zz3_large")))

#endif
