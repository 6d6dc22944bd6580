/*
 * All the ways in which a program ends.
 *
 *     ends HOW
 */
#include "every_hook.h"

#include <limits.h>
#include <link.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/wait.h>
#include <ucontext.h>

enum { STACKS = 8 };

static sem_t running;
static char small_stack[16 * 1024] __attribute__((aligned(64)));

static void *sleep_for_ever(void *unused)
{
    free(used(malloc(10)));
    sem_post(&running);
    for (;;)
        pause();
    return unused;
}

static void *exit_4(void *unused)
{
    exit(4);
    return unused;
}

static void *last_thread(void *main_thread)
{
    expect(pthread_join(*(pthread_t *)main_thread, NULL) == 0);
    every_hook();
    dprintf(STDOUT_FILENO, "after main\n");
    return NULL;
}

static void exit_from_handler(int signal_number)
{
    (void)signal_number;
    exit(5);
}

static void make_thread(void *(*routine)(void *), void *argument, size_t stack)
{
    pthread_attr_t attributes;
    pthread_t thread;

    expect(pthread_attr_init(&attributes) == 0);
    if (stack)
        expect(pthread_attr_setstacksize(&attributes, stack) == 0);
    expect(pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0);
    expect(pthread_create(&thread, &attributes, routine, argument) == 0);
}

/* The next who runs the code brings it in again, with some of what stands beside it. */
static int take_code_out(struct dl_phdr_info *module, size_t size, void *ret_taken)
{
    (void)size;
    for (unsigned i = 0; i < module->dlpi_phnum; i++) {
        uintptr_t start = module->dlpi_addr + module->dlpi_phdr[i].p_vaddr;
        uintptr_t end = start + module->dlpi_phdr[i].p_memsz;

        start &= ~(uintptr_t)(PAGE - 1);
        if (module->dlpi_phdr[i].p_type == PT_LOAD &&
            (module->dlpi_phdr[i].p_flags & (PF_X | PF_W)) == PF_X &&
            madvise((void *)start, end - start, MADV_DONTNEED) == 0)
            (*(unsigned *)ret_taken)++;
    }
    return 0;
}

/* Resident and locked; nobody else has any of it here. */
static long locked_kb(void)
{
    struct lines lines;
    char line[512];
    long sum = 0;

    lines_open(&lines, "/proc/self/smaps");
    while (lines_next(&lines, line, sizeof(line)))
        if (strncmp(line, "Locked:", 7) == 0)
            sum += strtol(line + 7, NULL, 10);
    return sum;
}

static void end(const char *how)
{
    if (strcmp(how, "exit") == 0)
        exit(3);
    if (strcmp(how, "_exit") == 0)
        _exit(3);
    if (strcmp(how, "without_code") == 0) {
        unsigned taken = 0;

        dprintf(STDOUT_FILENO, "%ld\n", locked_kb());
        (void)dl_iterate_phdr(take_code_out, &taken);
        _exit(taken ? 3 : 8);
    }
    if (strcmp(how, "quick_exit") == 0)
        quick_exit(3);
    if (strcmp(how, "abort") == 0)
        abort();
    if (strcmp(how, "segv") == 0)
        *(volatile int *)8 = 1;
    if (strcmp(how, "exec") == 0)
        execl("/bin/sh", "sh", "-c", "exit 7", NULL);
    if (strcmp(how, "exec_fails") == 0) {
        execl("/there/is/nothing", "nothing", NULL);
        exit(errno == ENOENT ? 9 : 8);
    }
    if (strncmp(how, "signal", 6) == 0) {
        raise((int)strtol(how + 6, NULL, 10));
        exit(8);
    }
    if (strcmp(how, "pthread_exit") == 0) {
        static pthread_t self;

        self = pthread_self();
        make_thread(last_thread, &self, 0);
        pthread_exit(NULL);
    }
    if (strcmp(how, "detached") == 0) {
        expect(sem_init(&running, 0, 0) == 0);
        for (int i = 0; i < 10; i++)
            make_thread(sleep_for_ever, NULL, 0);
        for (int i = 0; i < 10; i++)
            sem_wait(&running);
        exit(6);
    }
    if (strcmp(how, "stacks") == 0) {
        char **gone = dlsym(RTLD_DEFAULT, "early_anon");

        need_order_of_glibc();
        /* Where that was, unseen. */
        expect(gone && syscall(SYS_munmap, *gone, 64L * PAGE) == 0);
        expect(sem_init(&running, 0, 0) == 0);
        for (int i = 0; i < STACKS; i++)
            make_thread(sleep_for_ever, NULL, (size_t)63 * PAGE);
        for (int i = 0; i < STACKS; i++)
            sem_wait(&running);
        exit(6);
    }
    if (strcmp(how, "thread") == 0 || strcmp(how, "small_thread") == 0) {
        make_thread(exit_4, NULL, strcmp(how, "thread") == 0 ? 0 : (size_t)PTHREAD_STACK_MIN);
        for (;;)
            pause();
    }
    if (strcmp(how, "handler") == 0) {
        struct sigaction action = {.sa_handler = exit_from_handler, .sa_flags = SA_ONSTACK};
        stack_t stack = {.ss_sp = small_stack, .ss_size = sizeof(small_stack)};

        expect(sigaltstack(&stack, NULL) == 0);
        expect(sigaction(SIGUSR1, &action, NULL) == 0);
        raise(SIGUSR1);
    }
    if (strcmp(how, "in_atexit") == 0) {
        expect(atexit(every_hook) == 0);
        exit(3);
    }
}

int main(int argc, char **argv)
{
    if (!getenv("EXPECT_NO_LIBRARY"))
        prove_loaded();
    expect(argc == 2);
    setvbuf(stdout, NULL, _IOFBF, 4096);
    /* In libc's buffer: lost or not, exactly as without the library. */
    printf("buffered ");
    end(argv[1]);
    return 1;
}
