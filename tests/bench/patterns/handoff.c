/*
 * handoff ITERATIONS [THREADS]
 *
 * THREADS (2) in a ring: each allocates ITERATIONS blocks of 16 to 1040 bytes and hands them to the
 * next one, which frees them; of two, each frees the other's blocks. One operation: what a thread
 * does for one block allocated and one freed.
 */
#include "pattern.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { SLOTS = 1024, LINE = 64, MOST_THREADS = 1024 };

/* One writer, one reader, each on a cache line of its own. */
struct queue {
    _Alignas(LINE) atomic_size_t written;
    _Alignas(LINE) atomic_size_t read;
    _Alignas(LINE) void *slot[SLOTS];
};

struct worker {
    struct queue *in;
    struct queue *out;
    size_t iterations;
    uint64_t random_state;
    uint64_t elapsed_ns;
    pthread_t thread;
};

static pthread_barrier_t start_line;

static bool put(struct queue *queue, void *block)
{
    size_t written = atomic_load_explicit(&queue->written, memory_order_relaxed);

    if (written - atomic_load_explicit(&queue->read, memory_order_acquire) == SLOTS)
        return false;
    queue->slot[written % SLOTS] = block;
    atomic_store_explicit(&queue->written, written + 1, memory_order_release);
    return true;
}

static void *take(struct queue *queue)
{
    size_t read = atomic_load_explicit(&queue->read, memory_order_relaxed);
    void *block;

    if (read == atomic_load_explicit(&queue->written, memory_order_acquire))
        return NULL;
    block = queue->slot[read % SLOTS];
    atomic_store_explicit(&queue->read, read + 1, memory_order_release);
    return block;
}

/* Returns how many: one or none. */
static size_t free_one(struct queue *queue)
{
    void *block = take(queue);

    free(block);
    return block ? 1 : 0;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    size_t freed = 0;
    uint64_t begin;

    pthread_barrier_wait(&start_line);
    begin = now_ns();
    for (size_t i = 0; i < worker->iterations; i++) {
        void *block = used(malloc(16 + (size_t)(next_random(&worker->random_state) >> 54)));

        /* Who waits for room makes room, so that the ring never stands still. */
        while (!put(worker->out, block)) {
            if (free_one(worker->in))
                freed++;
            else
                sched_yield();
        }
        freed += free_one(worker->in);
    }
    while (freed < worker->iterations) {
        if (free_one(worker->in))
            freed++;
        else
            sched_yield();
    }
    worker->elapsed_ns = now_ns() - begin;
    return NULL;
}

int main(int count, char *arguments[])
{
    size_t iterations = argument(count, arguments, 1, 1);
    size_t threads = argument(count, arguments, 2, 2);
    struct worker *workers = calloc(threads, sizeof(*workers));
    struct queue *queues = aligned_alloc(LINE, threads * sizeof(*queues));
    uint64_t longest_ns = 0;

    if (threads > MOST_THREADS)
        die("too many threads");
    if (!workers || !queues || pthread_barrier_init(&start_line, NULL, (unsigned)threads))
        die("out of memory");
    for (size_t i = 0; i < threads; i++) {
        atomic_init(&queues[i].written, 0);
        atomic_init(&queues[i].read, 0);
    }
    for (size_t i = 0; i < threads; i++) {
        workers[i].in = &queues[i];
        workers[i].out = &queues[(i + 1) % threads];
        workers[i].iterations = iterations;
        workers[i].random_state = 88172645463325252 + i;
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
            die("a thread cannot be started");
    }
    for (size_t i = 0; i < threads; i++) {
        pthread_join(workers[i].thread, NULL);
        if (workers[i].elapsed_ns > longest_ns)
            longest_ns = workers[i].elapsed_ns;
    }
    print_result(longest_ns, iterations);
    free(queues);
    free(workers);
    return 0;
}
