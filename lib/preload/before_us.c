#include "before_us.h"

#include "object.h"
#include "real.h"
#include "room.h"

#include <sys/auxv.h>

/* What the loader's list says of what exists. */
struct loaded {
    uint64_t bytes;
    bool others; /* somebody but the loader and the C library may have run before us */
};

/* Whether the object is the program, and has nothing that runs before libraries' constructors. */
static bool is_plain_program(const struct dl_phdr_info *info)
{
    const ElfW(Dyn) *entry = al_object_dynamic(info);

    for (; entry && entry->d_tag != DT_NULL; entry++)
        if (entry->d_tag == DT_PREINIT_ARRAYSZ && entry->d_un.d_val)
            return false;
    return al_object_holds(info, getauxval(AT_ENTRY));
}

static int add_object(struct dl_phdr_info *info, size_t size, void *data)
{
    struct loaded *loaded = data;

    (void)size;
    for (unsigned i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD)
            loaded->bytes += info->dlpi_phdr[i].p_memsz;
    loaded->others |= !is_plain_program(info) && !al_object_holds(info, (uintptr_t)add_object) &&
                      !al_object_holds(info, (uintptr_t)al_real.sbrk) &&
                      !al_object_holds(info, getauxval(AT_BASE)) &&
                      !al_object_holds(info, getauxval(AT_SYSINFO_EHDR));
    return 0;
}

uint64_t al_before_us_bytes(void)
{
    struct loaded loaded = {0};

    (void)dl_iterate_phdr(add_object, &loaded);
    return loaded.others ? al_room_address_space() : loaded.bytes;
}
