/*
 * A file that is said to hold reports: JSON Lines, or a page, from anybody. Whatever is in it is
 * read or complained of; what was read can be sorted, printed, added up and made into a page, in
 * which no text of it becomes markup, and which reads back as the same reports.
 */
#include "command.h"
#include "fuzz.h"
#include "page.h"
#include "report_read.h"
#include "report_runs.h"
#include "report_table.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static char path_in[64];
static char path_out[64];

/* In place of the one in main.c; libFuzzer's own lines are not to be buried. */
void complain(const char *format, ...)
{
    (void)format;
}

static void remove_files(void)
{
    (void)unlink(path_in);
    (void)unlink(path_out);
}

static void name_files(void)
{
    if (*path_in)
        return;
    (void)snprintf(path_in, sizeof(path_in), "/dev/shm/autolock.fuzz.%d.in", (int)getpid());
    (void)snprintf(path_out, sizeof(path_out), "/dev/shm/autolock.fuzz.%d.html", (int)getpid());
    (void)atexit(remove_files);
}

static void write_file(const uint8_t *bytes, size_t size)
{
    int fd = open(path_in, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    fuzz_expect(fd >= 0);
    fuzz_expect(write(fd, bytes, size) == (ssize_t)size);
    fuzz_expect(close(fd) == 0);
}

static char *read_file(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "re");
    char *bytes;
    long size;

    fuzz_expect(file && fseek(file, 0, SEEK_END) == 0);
    size = ftell(file);
    fuzz_expect(size > 0 && fseek(file, 0, SEEK_SET) == 0);
    bytes = malloc((size_t)size + 1);
    fuzz_expect(bytes && fread(bytes, 1, (size_t)size, file) == (size_t)size);
    bytes[size] = '\0';
    (void)fclose(file);
    *ret_size = (size_t)size;
    return bytes;
}

/* -- what was read ---------------------------------------------------------------------------- */

static void sort_and_print(struct report_list *list)
{
    char keys[1024];
    char *rest = NULL;
    char *bytes = NULL;
    size_t size = 0;
    json_t *totals = report_table_totals(list);

    fuzz_expect(totals);
    json_decref(totals);
    (void)snprintf(keys, sizeof(keys), "%s", report_table_keys());
    for (char *key = strtok_r(keys, ", ", &rest); key; key = strtok_r(NULL, ", ", &rest))
        fuzz_expect(report_table_sort(list, key));
    for (size_t width = 0; width <= 120; width += 40) {
        FILE *to = open_memstream(&bytes, &size);

        fuzz_expect(to);
        report_table_print(to, list, width);
        fuzz_expect(fclose(to) == 0 && size);
        /* It is for a terminal, which would obey. */
        for (size_t i = 0; i < size; i++)
            fuzz_expect(bytes[i] == '\n' || !iscntrl((unsigned char)bytes[i]));
        free(bytes);
    }
}

/* -- the page --------------------------------------------------------------------------------- */

/* After "<" of a tag or a declaration, to behind its ">". Attributes have their values in quotes.
 */
static const char *skip_tag(const char *at)
{
    at += *at == '/' || *at == '!';
    fuzz_expect(isalpha((unsigned char)*at));
    while (isalnum((unsigned char)*at))
        at++;
    while (*at != '>') {
        fuzz_expect(*at && *at != '<');
        if (*at++ == '"') {
            at = strchr(at, '"');
            fuzz_expect(at);
            at++;
        }
    }
    return at + 1;
}

/* Every "<" begins a tag of ours: there is one script, the data, and nothing that asks for more. */
static void check_markup(const char *page)
{
    const char *data = strstr(page, PAGE_DATA_BEGIN);
    const char *end = data ? strstr(data, PAGE_DATA_END) : NULL;

    fuzz_expect(end);
    fuzz_expect(!memchr(data + strlen(PAGE_DATA_BEGIN), '<',
                        (size_t)(end - data) - strlen(PAGE_DATA_BEGIN)));
    for (const char *at = page; (at = strchr(at, '<')) && at < data;) {
        static const char *const never[] = {"script", "iframe", "object", "embed", "img", "form"};

        for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
            fuzz_expect(strncasecmp(at + 1, never[i], strlen(never[i])) != 0);
        at = skip_tag(at + 1);
    }
    fuzz_expect(strcmp(end, PAGE_DATA_END "\n</body>\n</html>\n") == 0);
}

static void forget(struct report_list *list, struct report_file *file)
{
    /* Those of a page belong to its document. */
    for (size_t i = 0; !file->is_page && i < list->count; i++) {
        json_decref(list->list[i].report);
        json_decref(list->list[i].histograms);
    }
    free(list->list);
}

static void make_page(struct report_list *list, struct report_file *file)
{
    struct report_file again;
    struct report_list found = {0};
    json_t *document = report_runs(list, file, 1);
    size_t size;
    char *page;

    fuzz_expect(page_write(document, "--html", path_out));
    page = read_file(path_out, &size);
    fuzz_expect(strlen(page) == size);
    check_markup(page);
    free(page);
    fuzz_expect(report_read(path_out, 0, &found, &again) && again.is_page);
    fuzz_expect(found.count == list->count || file->is_page);
    for (size_t i = 0; !file->is_page && i < found.count; i++)
        fuzz_expect(json_equal(found.list[i].report, list->list[i].report));
    forget(&found, &again);
    json_decref(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct report_list list = {0};
    struct report_file file;

    name_files();
    write_file(bytes, size);
    (void)report_read(path_in, 0, &list, &file);
    if (!file.is_page)
        report_list_merge(&list);
    if (list.count) {
        sort_and_print(&list);
        (void)report_table_sort(&list, "start");
        make_page(&list, &file);
    }
    forget(&list, &file);
    return 0;
}
