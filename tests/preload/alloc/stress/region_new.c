#include "region.h"

#include <sys/shm.h>

enum { FILE_BYTES = 32 << 20 };

/* A recipe's file, by index, until recipes_begin() has opened it. */
enum { DISK, MEMORY, FILES };

static struct recipe recipes[] = {
    {"mmap anon", KIND_ANON, MAP_PRIVATE | MAP_ANONYMOUS, PROT_READ | PROT_WRITE, -1},
    {"mmap anon", KIND_ANON, MAP_PRIVATE | MAP_ANONYMOUS, PROT_READ | PROT_WRITE, -1},
    {"mmap anon r", KIND_ANON, MAP_PRIVATE | MAP_ANONYMOUS, PROT_READ, -1},
    {"mmap anon noreserve", KIND_ANON, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
     PROT_READ | PROT_WRITE, -1},
    {"mmap anon populate", KIND_ANON, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
     PROT_READ | PROT_WRITE, -1},
    {"mmap reservation", KIND_ANON, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, PROT_NONE, -1},
    {"mmap reservation", KIND_ANON, MAP_PRIVATE | MAP_ANONYMOUS, PROT_NONE, -1},
    {"mmap stack", KIND_STACK, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, PROT_READ | PROT_WRITE, -1},
    {"mmap shared anon", KIND_SHARED, MAP_SHARED | MAP_ANONYMOUS, PROT_READ | PROT_WRITE, -1},
    {"mmap file private", KIND_FILE, MAP_PRIVATE, PROT_READ | PROT_WRITE, DISK},
    {"mmap file private r", KIND_FILE, MAP_PRIVATE, PROT_READ, DISK},
    {"mmap file shared", KIND_FILE, MAP_SHARED, PROT_READ | PROT_WRITE, DISK},
    {"mmap file shared r", KIND_FILE, MAP_SHARED, PROT_READ, DISK},
    {"mmap memfd shared", KIND_FILE, MAP_SHARED, PROT_READ | PROT_WRITE, MEMORY},
    {"mmap file reservation", KIND_FILE, MAP_PRIVATE, PROT_NONE, DISK},
};

void recipes_begin(void)
{
    char name[] = "/tmp/alloc_stress.XXXXXX";
    int file[FILES];

    file[DISK] = mkstemp(name);
    file[MEMORY] = (int)syscall(SYS_memfd_create, "alloc_stress", 0);
    expect(file[DISK] >= 0 && file[MEMORY] >= 0 && unlink(name) == 0);
    for (int i = 0; i < FILES; i++)
        expect(ftruncate(file[i], FILE_BYTES) == 0);
    for (size_t i = 0; i < sizeof(recipes) / sizeof(*recipes); i++)
        if (recipes[i].fd >= 0)
            recipes[i].fd = file[recipes[i].fd];
}

const struct recipe *recipe_pick(struct random *random)
{
    return &recipes[random_below(random, sizeof(recipes) / sizeof(*recipes))];
}

char *recipe_map(const struct recipe *recipe, struct random *random, char *at, size_t pages)
{
    int flags = recipe->flags | (at ? MAP_FIXED : 0);
    off_t offset = recipe->fd < 0 ? 0 : (off_t)random_below(random, 1024) * PAGE;
    size_t length = pages * PAGE - random_below(random, PAGE); /* the kernel rounds it up */
    char *start;

    if (random_percent(random, 50))
        start = mmap(at, length, recipe->protection, flags, recipe->fd, offset);
    else
        start = mmap64(at, length, recipe->protection, flags, recipe->fd, offset);
    expect(start != MAP_FAILED && (!at || start == at));
    journal_add(recipe->name, start, pages * PAGE);
    return start;
}

void region_set(struct region *region, size_t from, size_t count, struct page page)
{
    page.mapped = true;
    page.part = region->parts++;
    for (size_t i = from; i < from + count; i++)
        region->page[i] = page;
}

static size_t random_pages(struct random *random)
{
    size_t dice = random_below(random, 100);

    if (dice < 60)
        return 1 + random_below(random, 16);
    if (dice < 95)
        return 1 + random_below(random, 128);
    return 1 + random_below(random, REGION_PAGES / 2);
}

static void fill_with_segment(struct region *region, struct random *random, size_t pages)
{
    int id = shmget(IPC_PRIVATE, pages * PAGE - random_below(random, PAGE), IPC_CREAT | 0600);
    int flags = random_percent(random, 20) ? SHM_RDONLY : 0;

    expect(id >= 0);
    region->start = shmat(id, NULL, flags);
    expect(region->start != (void *)-1);
    expect_equal(shmctl(id, IPC_RMID, NULL), 0);
    region->segment = region->fixed_size = true;
    region->origin = "shmat";
    journal_add(region->origin, region->start, pages * PAGE);
    region_set(region, 0, pages,
               (struct page){.kind = KIND_SHARED,
                             .protection = flags ? PROT_READ : PROT_READ | PROT_WRITE,
                             .low = (uint16_t)pages,
                             .high = (uint16_t)pages});
}

void region_fill(struct region *region, struct random *random)
{
    size_t pages = random_pages(random);
    const struct recipe *recipe = recipe_pick(random);

    region->pages = pages;
    region->parts = 0;
    region->segment = region->fixed_size = false;
    if (random_percent(random, 10)) {
        fill_with_segment(region, random, pages);
        return;
    }
    region->origin = recipe->name;
    region->start = recipe_map(recipe, random, NULL, pages);
    region->fixed_size = recipe->kind == KIND_SHARED;
    region_set(region, 0, pages,
               (struct page){.kind = (uint8_t)recipe->kind,
                             .protection = (uint8_t)recipe->protection,
                             .low = (uint16_t)pages,
                             .high = (uint16_t)pages});
}
