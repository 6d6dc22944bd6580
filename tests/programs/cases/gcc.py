"""gcc: compile two files, link them, run the program that came out. Objects and program are the same bytes."""

from support import need

MAIN = r"""
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
unsigned long mix(unsigned long value);
static void *work(void *argument) {
    unsigned long value = (unsigned long)argument;
    char *memory = malloc(1 << 20);
    for (int i = 0; i < 200; i++) { memset(memory, i, 1 << 16); value = mix(value + (unsigned char)memory[i]); }
    free(memory);
    return (void *)value;
}
int main(void) {
    pthread_t threads[4];
    for (unsigned long i = 0; i < 4; i++) if (pthread_create(&threads[i], 0, work, (void *)i)) return 9;
    for (int i = 0; i < 4; i++) { void *value; pthread_join(threads[i], &value); printf("%lx\n", (unsigned long)value); }
    return 4;
}
"""
PART = "unsigned long mix(unsigned long value) { return (value ^ value >> 7) * 0x9e3779b97f4a7c15ul; }\n"


def run(stage):
    gcc = need("gcc")
    stage.write("main.c", MAIN)
    stage.write("part.c", PART)
    for name in ("main", "part"):
        stage.command(gcc, "-O2", "-g", "-Wall", "-c", f"{name}.c", programs=[gcc, "cc1", "as"])
    stage.command(gcc, "-o", "made", "main.o", "part.o", "-lpthread", programs=[gcc, "collect2", "ld"])
    stage.produced("main.o", "part.o", "made")
    stage.command(stage.path("made"), status=4)
    stage.write("wrong.c", "int main(void) { return nothing; }\n")
    stage.command(gcc, "-c", "wrong.c", status=1)
