#include "run.h"

#include "command.h"
#include "run_names.h"

#include <stdio.h>
#include <string.h>

/* A line of a usual terminal. */
enum { INDENT = 6, WIDTH = 78 };

static const char head[] =
    "usage: autolock run [OPTION…] [--] PROGRAM [ARG…]\n"
    "\n"
    "Runs PROGRAM with the library preloaded, and as if this command were not there: signals,\n"
    "terminal, standard input and output, environment and exit status are the program's own.\n"
    "\n"
    "What is locked, and how (each is the variable AUTOLOCK_…, and goes before it):\n"
    "\n";

static const char own[] =
    "\n"
    "How the program is run:\n"
    "\n"
    "  --library PATH\n"
    "      the library; else it is looked for beside this command, and where it is installed\n"
    "  --memlock SIZE|unlimited|keep\n"
    "      the limit of locked memory, soft and hard; else the soft limit is raised to the hard\n"
    "      one, and that one too where the kernel lets it\n"
    "  --ambient\n"
    "      passes CAP_IPC_LOCK on to the program, if this command has it, also to an ordinary\n"
    "      user's: no limit of locked memory holds then\n"
    "  --require\n"
    "      ends with 125 if the library does not take hold in the program, before it runs where\n"
    "      that can be told\n"
    "  --init\n"
    "      takes care of processes that lose their parent, as process 1 does by itself\n"
    "  --pdeathsig SIGNAL\n"
    "      what the program gets if this command dies, by SIGKILL say; else nothing\n"
    "\n"
    "What is expected of it:\n"
    "\n"
    "  --expect 'majflt=0,failures=0,coverage>=99%'\n"
    "      86 if something of it does not hold; there are majflt, minflt, failures, unlocked,\n"
    "      locked, swap, coverage and downgrades, and = != < <= > >=\n"
    "  --warmup TIME|mark\n"
    "      faults, failures and downgrades count from then on: 2s, 500ms, or the program's own\n"
    "      autolock_mark\n"
    "  --duration TIME\n"
    "      ends the program by SIGTERM then\n"
    "  --json FILE\n"
    "      the reports of all its processes, one a line\n"
    "  --help, --version\n"
    "\n"
    "Exits with what the program exits with; 128 and the number of the signal that ended it; 78\n"
    "if an option is wrong, and nothing was run; 86 see --expect; 125 see --require; 126 if\n"
    "PROGRAM is there and cannot be run; 127 if there is none.\n";

static void print_wrapped(const char *text)
{
    int column = INDENT;

    (void)printf("%*s", INDENT, "");
    while (*text) {
        int length = (int)strcspn(text, " ");

        if (column > INDENT && column + 1 + length > WIDTH) {
            (void)printf("\n%*s", INDENT, "");
            column = INDENT;
        } else if (column > INDENT) {
            (void)putchar(' ');
            column++;
        }
        (void)printf("%.*s", length, text);
        column += length;
        text += length;
        text += strspn(text, " ");
    }
    (void)putchar('\n');
}

static void print_option(const struct al_option *option)
{
    char name[RUN_OPTION_NAME_SIZE];
    char bytes[512];
    struct al_text about = al_text_over(bytes, sizeof(bytes));

    run_option_name(name, sizeof(name), option);
    (void)printf("  --%s VALUE\n", name);
    print_wrapped(option->help);
    al_option_print_allowed(&about, option);
    al_text_string(&about, "; default ");
    al_text_string(&about, *option->default_text ? option->default_text : "none");
    print_wrapped(bytes);
}

int run_help_print(void)
{
    (void)fputs(head, stdout);
    for (size_t i = 0; i < al_option_count; i++)
        print_option(&al_options[i]);
    (void)fputs(own, stdout);
    return fflush(stdout) || ferror(stdout) ? STATUS_FAILED : 0;
}
