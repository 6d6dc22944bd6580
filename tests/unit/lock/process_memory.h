/*
 * The start of the hooks in this very process: memory of each sort that is there before it, and
 * what is made of it. All of it lies outside the simulated stretch, where every lock is had unless
 * kernel_model.refusal says otherwise.
 */
#ifndef PROCESS_MEMORY_H
#define PROCESS_MEMORY_H

#include "books_check.h"
#include "lock_alloc.h"

/* The thread sanitizer's own tables are anonymous memory too, 100 terabytes of it. */
#if defined(__SANITIZE_THREAD__)
#    define THREADS_SANITIZED 1
#else
#    define THREADS_SANITIZED 0
#endif

enum { MEMORY_BYTES = 1 << 20 };

/* Of MEMORY_BYTES each. */
struct process_memory {
    char *anon;
    char *shared;
    char *closed; /* inaccessible */
    char *file;   /* private */
    char *shared_file;
};

extern struct process_memory memory;

/* What start() asks for: at first everything of heap and anonymous memory, without a limit. */
extern struct al_alloc_start wanted;

/* Maps the memory, in a simulated kernel that has nothing yet. */
void process_memory_begin(void);

int start(void);

/* The same under a memlock limit of `bytes`. */
int start_under(uint64_t bytes);

uint32_t word_of(const void *address);

/* Says why it cannot be done here; returns what main returns then. */
int process_memory_skip(void);

/* The word of a locked page of a mapping of this kind. */
static inline uint32_t mapped_as(unsigned kind, uint32_t more)
{
    return kind << AL_PAGE_KIND_SHIFT | AL_PAGE_MAPPED | AL_PAGE_LOCKED | more;
}

/* All pages of one of the mappings have this word. */
void expect_all(const char *address, uint32_t word);

#endif
