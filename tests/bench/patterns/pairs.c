/*
 * pairs ITERATIONS [THREADS]
 *
 * THREADS (1) that have nothing to do with each other. One operation: what a thread does for one
 * malloc and free of 64 bytes.
 */
#include "pattern.h"

#include <pthread.h>

enum { SIZE = 64, MOST_THREADS = 1024 };

struct worker {
    size_t iterations;
    uint64_t elapsed_ns;
    pthread_t thread;
};

static pthread_barrier_t start_line;

static void *work(void *argument)
{
    struct worker *worker = argument;
    uint64_t begin;

    /* A thread's first block makes its arena. */
    free(used(malloc(SIZE)));
    pthread_barrier_wait(&start_line);
    begin = now_ns();
    for (size_t i = 0; i < worker->iterations; i++)
        free(used(malloc(SIZE)));
    worker->elapsed_ns = now_ns() - begin;
    return NULL;
}

int main(int count, char *arguments[])
{
    size_t iterations = argument(count, arguments, 1, 1);
    size_t threads = argument(count, arguments, 2, 1);
    struct worker *workers = calloc(threads, sizeof(*workers));
    uint64_t longest_ns = 0;

    if (threads > MOST_THREADS)
        die("too many threads");
    if (!workers || pthread_barrier_init(&start_line, NULL, (unsigned)threads))
        die("out of memory");
    for (size_t i = 0; i < threads; i++) {
        workers[i].iterations = iterations;
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
            die("a thread cannot be started");
    }
    for (size_t i = 0; i < threads; i++) {
        pthread_join(workers[i].thread, NULL);
        if (workers[i].elapsed_ns > longest_ns)
            longest_ns = workers[i].elapsed_ns;
    }
    print_result(longest_ns, iterations);
    free(workers);
    return 0;
}
