/*
 * The program and its libraries, those loaded later too. KINDS=image.
 */
#include "scenario.h"

#include <link.h>
#include <sys/auxv.h>

static char bss[50 * PAGE];
static char data[50 * PAGE] = {1};

/* Every accessible mapping of the file with that in its path; returns how many there are. */
static int expect_file(const char *path, bool locked)
{
    int count = 0;

    watch_take();
    for (size_t i = 0; i < watch_count(); i++) {
        const struct vma *vma = watch_at(i);

        if (!vma->accessible || !strstr(vma->name, path))
            continue;
        count++;
        if (vma->locked != locked)
            end_with_1("%s is%s locked\n", vma->line, vma->locked ? "" : " not");
        if (locked && watch_first_absent(vma->start, vma->end) != vma->end)
            end_with_1("%s is not in memory as a whole\n", vma->line);
    }
    return count;
}

/* The same of the file that has the address: libc and its loader have other names in other
 * releases. */
static int expect_file_of(const void *address, bool locked)
{
    const struct vma *vma;
    char path[sizeof(vma->line)];

    watch_take();
    vma = watch_find((uintptr_t)address);
    expect(vma && vma->name[0] == '/');
    strcpy(path, vma->name);
    return expect_file(path, locked);
}

static void expect_libc(bool locked)
{
    expect(expect_file_of(dlsym(RTLD_DEFAULT, "puts"), locked) >= 3);
}

static void at_start(void)
{
    expect(expect_file("alloc_images", true) >= 3);
    expect_libc(true);
    expect(expect_file_of((const void *)getauxval(AT_BASE), true) >= 3);
    expect_locked(bss, sizeof(bss));
    expect_locked(data, sizeof(data));
    expect_unlocked(used(malloc(100000)), 100000);
}

static void *load(void)
{
    void *module = dlopen(getenv("ALLOC_MODULE"), RTLD_NOW);

    if (!module)
        end_with_1("%s\n", dlerror());
    return module;
}

static void expect_symbols(void *module, bool locked)
{
    static const char *const names[] = {"module_data", "module_bss", "module_constant"};

    for (size_t i = 0; i < 3; i++) {
        const char *symbol = dlsym(module, names[i]);

        expect(symbol);
        if (locked)
            expect_locked(symbol, 5 * PAGE);
        else
            expect_unlocked(symbol, 5 * PAGE);
    }
    expect(((int (*)(int))dlsym(module, "module_code"))(0) == 2);
}

static void loaded_later(void)
{
    for (int turn = 0; turn < 5; turn++) {
        void *module = load();
        char *symbol;

        expect(expect_file("alloc_module", true) >= 3);
        expect_symbols(module, true);
        symbol = dlsym(module, "module_bss");
        expect(dlclose(module) == 0);
        expect_equal(expect_file("alloc_module", true), 0);
        /* What comes to its addresses next is judged as what it is. */
        symbol = mmap(symbol, 5 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        expect(symbol != MAP_FAILED);
        expect_unlocked(symbol, 5 * PAGE);
        expect(munmap(symbol, 5 * PAGE) == 0);
    }
    at_start();
}

static void loaded_twice(void)
{
    void *module = load();
    void *again = load();

    expect(again == module && dlclose(again) == 0);
    expect_symbols(module, true);
    expect(dlmopen(LM_ID_BASE, getenv("ALLOC_MODULE"), RTLD_NOW) == module);
    expect_symbols(module, true);
}

/* KINDS without `image`. */
static void not_wanted(void)
{
    void *module = load();

    expect(expect_file("alloc_images", false) >= 3);
    expect(expect_file("alloc_module", false) >= 3);
    expect_symbols(module, false);
}

/* FLAGS=current: what is loaded later is not locked; FLAGS=future: only that is. */
static void current_only(void)
{
    at_start();
    expect_libc(true);
    expect_symbols(load(), false);
}

static void future_only(void)
{
    void *module;

    expect(expect_file("alloc_images", false) >= 3);
    expect_libc(false);
    module = load();
    expect(expect_file("alloc_module", true) >= 3);
    expect_symbols(module, true);
    expect_libc(false);
}

SCENARIOS(SCENARIO(at_start), SCENARIO(loaded_later), SCENARIO(loaded_twice), SCENARIO(not_wanted),
          SCENARIO(current_only), SCENARIO(future_only))
