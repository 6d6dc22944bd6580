/*
 * Writes the number of each signal that it gets, after its own pid. Ends with status 9 by SIGTERM.
 *
 *     signals [NUMBER…]     these keep what was set for them
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { STATUS = 9 };

static void note(int number, siginfo_t *info, void *context)
{
    char line[32];
    int length;

    (void)context;
    length = snprintf(line, sizeof(line), "<%d", number);
    if (info->si_code == SI_QUEUE)
        length +=
            snprintf(line + length, sizeof(line) - (size_t)length, "=%d", info->si_value.sival_int);
    line[length++] = '>';
    line[length++] = '\n';
    if (write(STDOUT_FILENO, line, (size_t)length) != length)
        _exit(1);
    if (number == SIGTERM)
        _exit(STATUS);
}

int main(int count, char **arguments)
{
    for (int i = 1; i <= SIGRTMAX; i++) {
        struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_RESTART};
        bool left = i == SIGCHLD;

        for (int j = 1; j < count; j++)
            left |= atoi(arguments[j]) == i;
        sigfillset(&action.sa_mask);
        if (!left)
            sigaction(i, &action, NULL);
    }
    printf("pid %d.\n", getpid());
    if (fflush(stdout))
        return 1;
    for (;;)
        pause();
}
