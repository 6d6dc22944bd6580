#include "status_call.h"

#include "command.h"
#include "memory.h"
#include "now.h"
#include "screen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct watched {
    struct status_process *process; /* as it was read last */
    bool told;                      /* its end has been */
};

static struct {
    struct watched *list;
    size_t count;
    struct status_process *spare; /* what is read into: of a failure nothing is seen */
} all;

/* -- reading ---------------------------------------------------------------------------------- */

static void swap(struct watched *one)
{
    struct status_process *last = one->process;

    one->process = all.spare;
    all.spare = last;
}

/* Those that are there. False: one is not, which has been said. */
static bool find_all(char *const *pids)
{
    size_t room = 0;
    bool found = true;

    while (pids[room])
        room++;
    all.list = allocate(room * sizeof(*all.list));
    all.spare = allocate(sizeof(*all.spare));
    for (; *pids; pids++) {
        enum status_trouble trouble = status_read(all.spare, (pid_t)strtol(*pids, NULL, 10));

        if (trouble == STATUS_FINE) {
            all.list[all.count].process = allocate(sizeof(*all.spare));
            swap(&all.list[all.count++]);
        } else {
            complain("process %s %s", *pids, status_words(trouble));
            found = false;
        }
    }
    return found;
}

/* One that cannot be read this time keeps what was seen last. */
static void read_again(struct watched *one)
{
    enum status_trouble trouble;
    uint64_t began = one->process->began;

    if (one->process->ended)
        return;
    trouble = status_read(all.spare, one->process->pid);
    if (trouble == STATUS_FINE && all.spare->began == began)
        swap(one);
    else
        one->process->ended = trouble == STATUS_ZOMBIE || !status_is_there(one->process);
}

/* False: all have ended. */
static bool read_all(void)
{
    bool there = false;

    for (size_t i = 0; i < all.count; i++) {
        read_again(&all.list[i]);
        there |= !all.list[i].process->ended;
    }
    return there;
}

/* -- a table after the other ------------------------------------------------------------------ */

static void sleep_for(int64_t milliseconds)
{
    struct timespec time = {(time_t)(milliseconds / 1000), (long)(milliseconds % 1000 * 1000000)};

    while (nanosleep(&time, &time) && errno == EINTR)
        ;
}

static int written(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    complain("the answer cannot be written: %m");
    return STATUS_UNWRITTEN;
}

/* What was seen last of one that has ended is told once more, in short. */
static void print_one(struct watched *one, const struct status_view *view, bool *begun)
{
    struct status_view last = *view;

    if (one->told)
        return;
    if (*begun && !view->json)
        (void)putchar('\n');
    *begun = true;
    one->told = one->process->ended;
    last.brief |= one->process->ended;
    status_print(stdout, one->process, &last);
}

static int watch_by_lines(const struct status_watch *watch)
{
    bool begun = false;
    bool there = true;
    int status = 0;

    while (!status) {
        for (size_t i = 0; i < all.count; i++)
            print_one(&all.list[i], &watch->view, &begun);
        status = written();
        if (!there || status)
            break;
        sleep_for(watch->interval_ms);
        there = read_all();
    }
    return status;
}

/* -- on a terminal ---------------------------------------------------------------------------- */

struct page {
    char *text;
    size_t lines;
    size_t first; /* line that is at the top */
};

static size_t lines_that_fit(void)
{
    unsigned rows = screen_size().rows;

    return rows > 1 ? rows - 1 : 1;
}

static void make_page(struct page *page, struct status_view *view)
{
    size_t length = 0;
    FILE *to;

    free(page->text);
    page->text = NULL;
    view->width = screen_size().columns;
    to = open_memstream(&page->text, &length);
    if (!to) {
        complain("out of memory");
        return;
    }
    for (size_t i = 0; i < all.count; i++) {
        if (i)
            (void)fputc('\n', to);
        status_print(to, all.list[i].process, view);
    }
    (void)fclose(to);
    page->lines = 0;
    for (const char *at = page->text; (at = strchr(at, '\n')); at++)
        page->lines++;
}

static bool draw(struct page *page, const struct status_view *view)
{
    size_t fit = lines_that_fit();
    size_t last;
    char bar[128];

    if (page->first + fit > page->lines)
        page->first = page->lines > fit ? page->lines - fit : 0;
    last = page->first + fit < page->lines ? page->first + fit : page->lines;
    (void)snprintf(bar, sizeof(bar), "%zu-%zu of %zu, by %s; q ends, s sorts", page->first + 1,
                   last, page->lines, status_order_names[view->order]);
    return screen_draw(page->text, page->first, bar);
}

static void scroll(struct page *page, enum screen_event event)
{
    size_t fit = lines_that_fit();
    size_t step = event == SCREEN_PAGE_UP || event == SCREEN_PAGE_DOWN ? fit : 1;

    switch (event) {
    case SCREEN_UP:
    case SCREEN_PAGE_UP:
        page->first = page->first > step ? page->first - step : 0;
        break;
    case SCREEN_DOWN:
    case SCREEN_PAGE_DOWN:
        page->first += step;
        break;
    case SCREEN_TOP:
        page->first = 0;
        break;
    case SCREEN_BOTTOM:
        page->first = page->lines;
        break;
    default:
        break;
    }
}

/* What happens until it is to be read again, or ends: then the event that ends it. */
static enum screen_event show(struct page *page, struct status_view *view, int64_t until_ms)
{
    make_page(page, view);
    for (;;) {
        int64_t left = until_ms - now_ms();
        enum screen_event event;

        if (!draw(page, view))
            return SCREEN_ENDED;
        if (left < 0)
            return SCREEN_NOTHING;
        event = screen_wait((int)(left < 3600000 ? left : 3600000));
        switch (event) {
        case SCREEN_QUIT:
        case SCREEN_ENDED:
        case SCREEN_SIGNAL:
            return event;
        case SCREEN_SORT:
            view->order = (view->order + 1) % STATUS_ORDERS;
            make_page(page, view);
            break;
        case SCREEN_CHANGED:
            make_page(page, view);
            break;
        default:
            scroll(page, event);
            break;
        }
    }
}

static int watch_on_screen(struct status_watch *watch)
{
    struct page page = {NULL, 0, 0};
    enum screen_event event = SCREEN_NOTHING;
    bool there = true;

    screen_begin();
    while (there && event == SCREEN_NOTHING) {
        event = show(&page, &watch->view, now_ms() + watch->interval_ms);
        if (event == SCREEN_NOTHING)
            there = read_all();
    }
    free(page.text);
    if (event == SCREEN_SIGNAL)
        screen_end_by_signal();
    screen_end();
    if (there)
        return 0;
    /* The other page of the terminal is gone, and with it what was seen last. */
    return watch_by_lines(watch);
}

int status_watch(struct status_watch *watch)
{
    bool found = find_all(watch->pids);
    int status;

    if (!all.count)
        return STATUS_FAILED;
    if (screen_is_there() && !watch->view.json)
        status = watch_on_screen(watch);
    else
        status = watch_by_lines(watch);
    return status || found ? status : STATUS_FAILED;
}
