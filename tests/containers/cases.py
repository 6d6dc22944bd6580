"""The programs of the matrix, and what is to be held against what the kernel says of them."""

from __future__ import annotations

from dataclasses import dataclass

_SORT = "seq 1 60000 | md5sum; seq 60000 -1 1 >/tmp/numbers; exec sort -n /tmp/numbers"
_SHELL = "i=0; while [ $i -lt 20 ]; do i=$((i + 1)); seq $i | sort -r | head -n 1; done | uniq | tr '\\n' ' '; (exit 5)"
_PERL = "my %h; $h{$_ % 1000} .= $_ for 1 .. 50000; my $s = 0; $s += length for values %h; print \"$s\\n\"; exit 6"
_PYTHON = """
import threading
sums = []
def work(n):
    sums.append(sum(len(str(i) * 10) for i in range(n * 5000)))
threads = [threading.Thread(target=work, args=(n,)) for n in range(1, 5)]
[t.start() for t in threads]; [t.join() for t in threads]
print(sorted(sums)); raise SystemExit(7)
"""
_REDIS = """
redis-server --port 0 --unixsocket /tmp/redis --save '' --appendonly no --dir /tmp >/dev/null 2>&1 &
until redis-cli -s /tmp/redis ping >/dev/null 2>&1; do sleep 0.01; done
ask() { redis-cli -s /tmp/redis "$@"; }
seq 1 3000 | while read -r n; do echo "SET key:$n $n$n$n"; done | ask --pipe | tr -d '\\n'
ask EVAL "local n = 0; for i = 1, 3000 do n = n + #redis.call('GET', 'key:' .. i) end; return n" 0
ask SHUTDOWN NOSAVE
wait $!
"""


@dataclass(frozen=True)
class Case:
    command: tuple
    reports: str  # the program whose report is looked at
    needs: tuple = ()


CASES = {
    "threads": Case(("threads", "/reports/VmLck"), "threads", ("threads",)),
    "sort": Case(("sh", "-c", _SORT), "sort", ("sh", "sort", "seq", "md5sum")),
    "shell": Case(("sh", "-c", _SHELL), "sh", ("sh", "seq", "sort", "head", "uniq", "tr")),
    "perl": Case(("perl", "-e", _PERL), "perl", ("perl",)),
    "python": Case(("python3", "-c", _PYTHON), "python3", ("python3",)),
    "redis": Case(("sh", "-c", _REDIS), "redis-server", ("redis-server", "redis-cli", "seq", "sleep", "tr")),
}
