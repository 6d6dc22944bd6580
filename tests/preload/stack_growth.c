/* Uses 7 MB of the main stack, whose usual limit is 8. */
#include <string.h>

static int deep(int levels)
{
    volatile char frame[4096];

    memset((void *)frame, levels, sizeof(frame));
    return levels ? deep(levels - 1) + frame[7] : 0;
}

int main(void)
{
    return deep(1700) == 12345;
}
