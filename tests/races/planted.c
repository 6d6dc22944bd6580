/*
 * What helgrind and DRD have to find where they are told of atomic functions, and what they must
 * not find then:
 *
 *     planted race | ordered
 *
 * race: two threads change the same data, and nothing orders them. ordered: an atomic function
 * does, which neither tool knows by itself.
 */
#include "valgrind_atomics.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_race;
static int ready;
static volatile unsigned long data;

static void *second(void *nothing)
{
    while (!is_race && !__atomic_load_n(&ready, __ATOMIC_ACQUIRE))
        (void)sched_yield();
    data++;
    return nothing;
}

int main(int count, char **arguments)
{
    pthread_t thread;

    if (count != 2)
        return 2;
    is_race = strcmp(arguments[1], "race") == 0;
    if (pthread_create(&thread, NULL, second, NULL))
        return 1;
    data++;
    __atomic_store_n(&ready, 1, __ATOMIC_RELEASE);
    if (pthread_join(thread, NULL))
        return 1;
    printf("COUNT: %lu changes of the same data\n", data);
    return 0;
}
