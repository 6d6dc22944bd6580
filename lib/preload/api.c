#include "export.h"

#include <autolock/autolock.h>

AL_EXPORT const char *autolock_version(void)
{
    return AL_VERSION;
}
