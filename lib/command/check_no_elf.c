/* In place of check_elf.c, where there was no libelf to build with. */
#include "check_elf.h"

#include <string.h>

void check_elf_read(int fd, struct check_elf *ret_elf)
{
    (void)fd;
    memset(ret_elf, 0, sizeof(*ret_elf));
    ret_elf->not_looked_at = true;
}
