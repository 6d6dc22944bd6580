/*
 * Processes that each get memory, say so, and wait for each other before they end; what they touch
 * of it is far less than what they ask for:
 *
 *     several HOW SIZE PROCESSES
 *
 * HOW: `malloc` in one block, `pieces` of 1 MiB by malloc, `files` of 8 MiB that are mapped and
 * read.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIECE ((size_t)1 << 20)
#define FILES ((size_t)8 << 20)

enum { PAGE = 4096, STRIDE = 64 };

static void touch(volatile unsigned char *start, size_t size)
{
    for (size_t at = 0; at < size; at += (size_t)STRIDE * PAGE)
        start[at] = 1;
}

static int get_heap(size_t size, size_t piece)
{
    for (size_t had = 0; had < size; had += piece) {
        unsigned char *start = malloc(piece);

        if (!start)
            return -1;
        touch(start, piece);
    }
    return 0;
}

/* All of it is read, which fills the page cache only: what was read first makes room for the rest.
 */
static int get_files(size_t size)
{
    unsigned sum = 0;

    for (size_t had = 0; had < size; had += FILES) {
        char name[] = "/reports/several-XXXXXX";
        int fd = mkstemp(name);
        const volatile unsigned char *start;

        if (fd < 0 || unlink(name) || ftruncate(fd, (off_t)FILES))
            return -1;
        start = mmap(NULL, FILES, PROT_READ, MAP_SHARED, fd, 0);
        if (start == MAP_FAILED || close(fd))
            return -1;
        for (size_t at = 0; at < FILES; at += PAGE)
            sum += start[at];
    }
    return sum ? -1 : 0;
}

static int get(const char *how, size_t size)
{
    if (strcmp(how, "malloc") == 0)
        return get_heap(size, size);
    if (strcmp(how, "pieces") == 0)
        return get_heap(size, PIECE);
    return get_files(size);
}

/* The ends of the pipes in a process that was started by the first. */
enum { HAD = 3, END = 4 };

static int be_one_of_them(const char *how, size_t size)
{
    char word = get(how, size) == 0 ? 'y' : 'n';

    /* Closed, so that the first does not wait for those who are killed before they say a word. */
    return write(HAD, &word, 1) == 1 && close(HAD) == 0 && read(END, &word, 1) == 0 ? 0 : 3;
}

static void start(char *how, char *size, const int had[2], const int end[2])
{
    char *command[] = {"several", how, size, NULL};

    if (fork())
        return;
    /* Away from the numbers that they get. */
    if (dup2(had[1], 10) < 0 || dup2(end[0], 11) < 0 || dup2(10, HAD) < 0 || dup2(11, END) < 0)
        _exit(2);
    for (int fd = END + 1; fd < 12; fd++)
        close(fd);
    execvp(command[0], command);
    _exit(2);
}

int main(int argc, char **argv)
{
    size_t processes = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
    size_t good = 0;
    int had[2];
    int end[2];
    char word;

    if (argc == 3)
        return be_one_of_them(argv[1], strtoul(argv[2], NULL, 10));
    if (!processes || pipe(had) || pipe(end))
        return 2;
    for (size_t i = 0; i < processes; i++)
        start(argv[1], argv[2], had, end);
    close(had[1]);
    close(end[0]);
    for (size_t i = 0; i < processes && read(had[0], &word, 1) == 1; i++)
        good += word == 'y';
    close(end[1]);
    for (size_t i = 0; i < processes; i++) {
        int status = 1;

        if (wait(&status) < 0 || status)
            printf("a process ended with %x\n", (unsigned)status);
    }
    printf("%zu of %zu had it\n", good, processes);
    return good == processes ? 0 : 1;
}
