/*
 * Memory of every kind, and threads that wait, each with a name. Says that it is ready, and ends
 * with its input.
 *
 *     threads FILE      a file of some pages, to be mapped
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { THREADS = 3, BYTES = 1 << 20 };

static pthread_barrier_t all_are_there;

static void *wait(void *name)
{
    char *volatile block = malloc(1000);

    pthread_setname_np(pthread_self(), name);
    if (block)
        memset(block, 1, 1000);
    pthread_barrier_wait(&all_are_there);
    for (;;)
        pause();
    return block;
}

static int map(const char *path)
{
    int fd = open(path, O_RDONLY);
    char *anon = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *shared = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char *reserved = mmap(NULL, BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *file = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, fd, 0);

    if (anon == MAP_FAILED || shared == MAP_FAILED || reserved == MAP_FAILED || file == MAP_FAILED)
        return -1;
    memset(anon, 1, BYTES / 2);
    memset(shared, 1, BYTES / 4);
    return file[0];
}

int main(int count, char **arguments)
{
    static char *names[THREADS] = {"first", "second", "a b)c(d"};
    pthread_t thread;
    char byte;

    if (count != 2 || map(arguments[1]) < 0)
        return 2;
    pthread_barrier_init(&all_are_there, NULL, THREADS + 1);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&thread, NULL, wait, names[i]))
            return 3;
    pthread_barrier_wait(&all_are_there);
    puts("ready");
    return fflush(stdout) || read(STDIN_FILENO, &byte, 1) < 0;
}
