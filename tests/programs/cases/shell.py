"""sh: a pipeline of several coreutils, a subshell, a here-document, and the exit status of what failed."""

from support import need

SCRIPT = r"""
set -e
seq 1 60000 | tr 0-9 a-j | sort | uniq | wc -l
seq 1 60000 | sed 's/\(.\)$/:\1/' | cut -d: -f2 | sort | uniq -c | sort -rn
(cd tmp && seq 1 1000 >numbers && cat numbers numbers | tail -n 3)
cat <<END | tr a-z A-Z
a here-document of $(seq -s, 1 5)
END
seq 1 20000 | tee copy | md5sum
! ls no-such-file 2>/dev/null
exit 7
"""
TOOLS = ("seq", "tr", "sort", "uniq", "wc", "cut", "sed", "tail", "cat", "tee", "md5sum", "ls")


def run(stage):
    shell = need("sh")
    for tool in TOOLS:
        need(tool)
    stage.command(shell, "-c", SCRIPT, status=7, programs=[shell, *TOOLS])
    stage.produced("copy", "tmp/numbers")
