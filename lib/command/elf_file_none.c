/* In place of elf_file.c, where there was no libelf to build with. */
#include "elf_file.h"

#include <string.h>

void elf_file_read(int fd, enum elf_file_depth depth, struct elf_file *ret_file)
{
    (void)fd;
    (void)depth;
    memset(ret_file, 0, sizeof(*ret_file));
    ret_file->not_looked_at = true;
}
