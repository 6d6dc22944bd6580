/*
 * What the loader's list (dl_iterate_phdr) says of one object.
 */
#ifndef AL_OBJECT_H
#define AL_OBJECT_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>

/* The kernel's own object (vdso), which has no name to some loaders. */
static inline bool al_object_is_kernels(const struct dl_phdr_info *info)
{
    return info->dlpi_addr && info->dlpi_addr == getauxval(AT_SYSINFO_EHDR);
}

/* Whether the address lies in a segment of the object. */
static inline bool al_object_holds(const struct dl_phdr_info *info, uintptr_t address)
{
    for (unsigned i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD &&
            address - (info->dlpi_addr + info->dlpi_phdr[i].p_vaddr) < info->dlpi_phdr[i].p_memsz)
            return true;
    return false;
}

/* Its dynamic section, which ends with DT_NULL; NULL if it has none. */
static inline const ElfW(Dyn) * al_object_dynamic(const struct dl_phdr_info *info)
{
    for (unsigned i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
            return (const void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
    return NULL;
}

#endif
