#include "process_memory.h"

#include "sys.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct process_memory memory;
struct al_alloc_start wanted;

static void *no_block(size_t size)
{
    (void)size;
    return NULL;
}

static void never(void *block)
{
    ck_abort_msg("%p was never given out", block);
}

static const struct al_allocator allocator = {.malloc = no_block, .free = never};

static char *map_now(int protection, int flags, int fd)
{
    char *there = mmap(NULL, MEMORY_BYTES, protection, flags, fd, 0);

    ck_assert(there != MAP_FAILED);
    return there;
}

void process_memory_begin(void)
{
    FILE *large = tmpfile();

    kernel_model_begin();
    ck_assert_ptr_nonnull(large);
    ck_assert_int_eq(ftruncate(fileno(large), MEMORY_BYTES), 0);
    memory.anon = map_now(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    memory.closed = map_now(PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    memory.shared = map_now(PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
    memory.file = map_now(PROT_READ, MAP_PRIVATE, fileno(large));
    memory.shared_file = map_now(PROT_READ, MAP_SHARED, fileno(large));
    wanted = (struct al_alloc_start){.policy = {.kinds = AL_KIND_HEAP | AL_KIND_ANON,
                                                .flags = AL_FLAG_CURRENT | AL_FLAG_FUTURE,
                                                .max_size = UINT64_MAX},
                                     .budget_bytes = UINT64_MAX,
                                     .exempt = true};
}

int start(void)
{
    return al_lock_alloc_start(&wanted, &allocator);
}

int start_under(uint64_t bytes)
{
    wanted.exempt = false;
    wanted.budget_bytes = bytes;
    return start();
}

uint32_t word_of(const void *address)
{
    return al_pagemap_get(al_page_of(address));
}

void expect_all(const char *address, uint32_t word)
{
    for (size_t byte = 0; byte < MEMORY_BYTES; byte += al_page_size())
        if (word_of(address + byte) != word)
            ck_abort_msg("%p has %#x, not %#x", (const void *)(address + byte),
                         word_of(address + byte), word);
}

int process_memory_skip(void)
{
    puts("skipped: the thread sanitizer's own tables would be locked, 100 terabytes of them");
    return UNIT_SKIP;
}
