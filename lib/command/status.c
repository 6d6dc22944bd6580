#include "status_call.h"

#include "call.h"
#include "call_status.h"
#include "call_values.h"
#include "command.h"
#include "screen.h"

#include <stdlib.h>
#include <string.h>

struct wish {
    bool again;
    struct status_watch watch;
};

static bool parse_order(const char *word, enum status_order *ret_order)
{
    for (unsigned i = 0; i < STATUS_ORDERS; i++) {
        if (strcmp(word, status_order_names[i]) != 0)
            continue;
        *ret_order = (enum status_order)i;
        return true;
    }
    complain("--sort %s: it is one of address, size, resident, locked, unlocked", word);
    return false;
}

static bool take(const struct call_option *option, const char *value, struct wish *wish)
{
    switch ((enum call_status_option)option->id) {
    case STATUS_OPTION_WATCH:
        wish->again = true;
        return !value || call_read_time("--watch", value, &wish->watch.interval_ms);
    case STATUS_OPTION_SORT:
        return parse_order(value, &wish->watch.view.order);
    case STATUS_OPTION_ALL:
        wish->watch.view.all = true;
        return true;
    case STATUS_OPTION_FORMAT:
        return call_read_format(value, &wish->watch.view.json);
    }
    return false;
}

/* Returns CALL_ON, or the status to end with. */
static int parse(int count, char **arguments, struct wish *ret_wish)
{
    struct call_reader reader = call_reader_of(&call_status, count, arguments);
    const struct call_option *option;

    while ((option = call_next(&reader)))
        if (!take(option, reader.value, ret_wish))
            return STATUS_USAGE;
    if (reader.status != CALL_ON)
        return reader.status;
    ret_wish->watch.pids = reader.operands;
    if (!*ret_wish->watch.pids) {
        complain("no process is named: autolock status PID…");
        return STATUS_USAGE;
    }
    return call_are_pids(ret_wish->watch.pids) ? CALL_ON : STATUS_USAGE;
}

/* What cannot be read is said, and the others are shown all the same. */
static int print_each(char *const *pids, const struct status_view *view)
{
    static struct status_process process;
    int status = 0;
    bool more = false;

    for (; *pids; pids++) {
        enum status_trouble trouble = status_read(&process, (pid_t)strtol(*pids, NULL, 10));

        if (trouble != STATUS_FINE) {
            complain("process %s %s", *pids, status_words(trouble));
            status = STATUS_FAILED;
            continue;
        }
        if (more && !view->json)
            (void)putchar('\n');
        more = true;
        status_print(stdout, &process, view);
    }
    if (fflush(stdout) || ferror(stdout)) {
        complain("the answer cannot be written: %m");
        return STATUS_UNWRITTEN;
    }
    return status;
}

void status_print(FILE *to, const struct status_process *process, const struct status_view *view)
{
    if (view->json)
        status_print_json(to, process, view);
    else
        status_print_text(to, process, view);
}

int command_status(int count, char **arguments)
{
    struct wish wish = {.watch = {.interval_ms = 2000, .view.width = UINT32_MAX}};
    struct status_view *view = &wish.watch.view;
    int status = parse(count, arguments, &wish);

    if (status != CALL_ON)
        return status;
    view->colour = !view->json && screen_has_colour();
    if (screen_is_there())
        view->width = screen_size().columns;
    return wish.again ? status_watch(&wish.watch) : print_each(wish.watch.pids, view);
}
