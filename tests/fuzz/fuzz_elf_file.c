/*
 * A program's file, which is anybody's. Whatever is in it, reading ends, and what is said of how it
 * is loaded does not depend on how much of it is read.
 */
#include "elf_file.h"
#include "fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int file_of(const uint8_t *bytes, size_t size)
{
    static int fd = -1;

    if (fd < 0)
        fd = memfd_create("fuzz", MFD_CLOEXEC);
    fuzz_expect(fd >= 0);
    fuzz_expect(ftruncate(fd, 0) == 0);
    fuzz_expect(pwrite(fd, bytes, size, 0) == (ssize_t)size);
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    int fd = file_of(bytes, size);
    struct elf_file loading;
    struct elf_file whole;

    memset(&loading, 0xAA, sizeof(loading));
    memset(&whole, 0x55, sizeof(whole));
    elf_file_read(fd, ELF_FILE_LOADING, &loading);
    elf_file_read(fd, ELF_FILE_WHOLE, &whole);
    fuzz_expect(!loading.not_looked_at && (loading.elf || loading.damaged));
    fuzz_expect(memchr(whole.interpreter, '\0', sizeof(whole.interpreter)));
    fuzz_expect(!loading.go && !loading.own_malloc && !loading.hidden_sanitizer);
    whole.go = whole.own_malloc = false;
    whole.hidden_sanitizer = NULL;
    fuzz_expect(memcmp(&loading, &whole, sizeof(loading)) == 0);
    return 0;
}
