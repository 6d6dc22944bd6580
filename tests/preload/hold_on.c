/* Says that it is ready; for each byte that comes in allocates, and says so. Ends with its input.
 */
#include "expect.h"

int main(void)
{
    char byte;

    puts("ready");
    expect(fflush(stdout) == 0);
    while (read(STDIN_FILENO, &byte, 1) == 1) {
        for (int i = 0; i < 1000; i++)
            expect(malloc(1000) != NULL);
        puts("allocated");
        expect(fflush(stdout) == 0);
    }
    return 0;
}
