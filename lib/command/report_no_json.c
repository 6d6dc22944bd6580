#include "call.h"
#include "command.h"

/* The command was built without jansson. */
int command_report(int count, char **arguments)
{
    struct call_reader reader = call_reader_of(&call_report, count, arguments);

    while (call_next(&reader))
        continue;
    if (reader.status != CALL_ON)
        return reader.status;
    complain("this command was built without jansson, and reads no reports");
    return STATUS_FAILED;
}
