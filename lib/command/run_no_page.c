#include "run_page.h"

#include "command.h"

#include <stddef.h>

/* The command was built without jansson. */
bool run_page_can_be_made(void)
{
    complain("--report: this command was built without jansson, and makes no pages");
    return false;
}

struct run_page *run_page_begin(const struct run_options *options, const struct al_config *config)
{
    (void)options;
    (void)config;
    return NULL;
}

struct run_watch run_page_watch(struct run_page *page)
{
    (void)page;
    return (struct run_watch){.look = NULL};
}

void run_page_look(struct run_page *page, pid_t pid)
{
    (void)page;
    (void)pid;
}

void run_page_put(struct run_page *page, const char *name, const char *json)
{
    (void)page;
    (void)name;
    (void)json;
}

bool run_page_end(struct run_page *page, const char *directory, const struct run_end *ended,
                  const struct run_verdict *verdict)
{
    (void)page;
    (void)directory;
    (void)ended;
    (void)verdict;
    return false;
}
