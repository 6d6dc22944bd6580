#include "proc_file.h"

#include <stdio.h>

bool proc_file_read(pid_t pid, const char *name, char *ret_text, size_t size)
{
    char path[64];
    FILE *file;
    size_t length = 0;

    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    file = fopen(path, "re");
    if (file) {
        length = fread(ret_text, 1, size - 1, file);
        (void)fclose(file);
    }
    ret_text[length] = '\0';
    return length > 0;
}
