#!/bin/sh
# Builds the library and shows, side by side, what it changes for an unmodified program:
#
#     sh examples/quickstart.sh                   the machine's own sort
#     sh examples/quickstart.sh PROGRAM ARG…      a program of yours (its standard input is empty)
#
# A shell and a package manager are enough. AUTOLOCK_… variables that are set apply to the locked
# run. Exit status: PROGRAM's own; 125 when the library did not take hold in it.
set -eu

source=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
cgroup='' swap=''

say() { echo "quickstart: $*" >&2; }

# Whatever happens, nothing stays behind. Only processes started here are in our cgroup.
# shellcheck disable=SC2317 # called by the trap
cleanup() {
    trap '' HUP INT PIPE TERM
    if [ -n "$cgroup" ]; then
        for tries in 1 2 3 4 5; do
            while read -r process; do
                kill -KILL "$process" 2>/dev/null || :
            done <"$cgroup/cgroup.procs"
            ! rmdir "$cgroup" 2>/dev/null || break
            sleep "0.$tries"
        done
    fi
    if [ -n "$swap" ]; then
        swapoff "$swap" 2>/dev/null || :
        rm -f "$swap"
    fi
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' TERM

# --- the library -----------------------------------------------------------------------------

build() (
    cd "$source"
    if [ -e build/release/lib/libautolock.so ] && [ ! -w build/release ]; then
        say "build/release belongs to somebody else and is used as it is"
        exit 0
    fi
    sh cmake/packages.sh build
    # Who has configured with the tests keeps them; here they would only cost packages and time.
    set -- --preset release
    [ -e build/release/CMakeCache.txt ] || set -- "$@" -DAUTOLOCK_TESTS=OFF
    say "building build/release/lib/libautolock.so"
    if ! { cmake "$@" && cmake --build --preset release --parallel "$(nproc)"; } >"$work/log" 2>&1; then
        cat "$work/log" >&2
        say "the build failed"
        exit 1
    fi
)

# The loader splits LD_PRELOAD at blanks, which the path of a checkout may contain.
library=$work/libautolock.so
ln -s "$source/build/release/lib/libautolock.so" "$library"

# Leaves the program's process id in REPORT.pid. The shell that writes it becomes env and then the
# program, and only that is preloaded.
with_library() { # report, program…
    report=$1
    shift
    # shellcheck disable=SC2016 # for the inner shell
    sh -c 'echo $$ >"$0.pid" && exec "$@"' "$report" \
        env LD_PRELOAD="$library${LD_PRELOAD:+:$LD_PRELOAD}" \
        AUTOLOCK_STATS=json AUTOLOCK_STATS_FILE="$report" "$@"
}

# The unlocked side is measured with the same instrument: the library, told to lock nothing.
observed() (
    AUTOLOCK_MODE=observe
    export AUTOLOCK_MODE
    with_library "$@"
)

# A missing or refused preload is only a warning of the loader: without a report of this very
# process, not of some child, nothing is proved.
prove_loaded() { # report, program
    if ! grep -q "\"schema\":\"autolock/1\".*\"pid\":$(cat "$1.pid")," "$1" 2>/dev/null; then
        say "libautolock did not report from $2: was it killed? Static and setuid programs, and" \
            "programs of another libc or word size, cannot be preloaded"
        exit 125
    fi
}

# --- measuring -------------------------------------------------------------------------------

now_ms() {
    now=$(date +%s%N)
    case $now in
    *[!0-9]*) # a date without nanoseconds
        now=$(cut -d ' ' -f 1 /proc/uptime | tr -d .)
        echo "${now}0"
        ;;
    *) echo $((now / 1000000)) ;;
    esac
}

timed() { # file for the milliseconds, command…
    milliseconds=$1
    shift
    start=$(now_ms)
    status=0
    "$@" || status=$?
    echo $(($(now_ms) - start)) >>"$milliseconds"
    return $status
}

median() { sort -n "$1" | sed -n 2p; }

# What the kernel says of the process now, kept beside the report for seen().
look() { # report
    sed -n 's/^\(Vm[A-Za-z]*\):[^0-9]*\([0-9]*\) kB$/\1 \2/p' "/proc/$(cat "$1.pid")/status" >"$1.seen"
}

seen() { # report, name in /proc/PID/status
    kib=$(sed -n "s/^$2 //p" "$1.seen" 2>/dev/null) || :
    echo $((${kib:-0} * 1024))
}

# A report has one line per process: faults of all of them, or the largest of a size.
figure() { # sum|max, report, object, key
    result=0
    numbers=$(sed -n "s/.*\"$3\":{[^{}]*\"$4\":\([0-9]*\).*/\1/p" "$2")
    for number in $numbers; do
        case $1 in
        sum) result=$((result + number)) ;;
        max) result=$(larger "$number" "$result") ;;
        esac
    done
    echo "$result"
}

larger() { if [ "$1" -gt "$2" ]; then echo "$1"; else echo "$2"; fi; }

# Memory is often given back before the end, which is when the report is made.
locked() { larger "$(figure max "$1" locked peak_kernel_bytes)" "$(seen "$1" VmLck)"; }
swapped() { larger "$(figure sum "$1" memory swap_bytes)" "$(seen "$1" VmSwap)"; }
resident() { figure max "$1" memory peak_rss_bytes; }

mib() { printf '%d.%d MiB' $(($1 / 1048576)) $(($1 % 1048576 * 10 / 1048576)); }
seconds() { printf '%d.%03d s' $(($1 / 1000)) $(($1 % 1000)); }
row() { printf '  %-28s %14s %14s\n' "$@"; }

table() { # unlocked report, locked report, then of both the milliseconds, and what that time is
    row '' unlocked locked
    row 'locked memory' "$(mib "$(locked "$1")")" "$(mib "$(locked "$2")")"
    row 'resident memory, at its peak' "$(mib "$(resident "$1")")" "$(mib "$(resident "$2")")"
    row 'pushed out to swap' "$(mib "$(swapped "$1")")" "$(mib "$(swapped "$2")")"
    row 'minor page faults' "$(figure sum "$1" faults minor)" "$(figure sum "$2" faults minor)"
    row 'major page faults' "$(figure sum "$1" faults major)" "$(figure sum "$2" faults major)"
    row "$5" "$(seconds "$3")" "$(seconds "$4")"
}

# Said where the limit holds and is too low, as it is for most ordinary users.
explain_limit() { # unlocked report
    capabilities=$(sed -n 's/^CapEff:[[:space:]]*/0x/p' /proc/self/status)
    if [ $((capabilities >> 14 & 1)) = 1 ]; then return; fi # CAP_IPC_LOCK
    limit=$(sed -n 's/^Max locked memory *\([^ ]*\).*/\1/p' /proc/self/limits)
    need=$(figure max "$1" need memlock_bytes)
    if [ "$limit" = unlimited ] || [ "$need" -le "$limit" ]; then return; fi
    echo "  Not all of it could be locked: the limit here (ulimit -l) is $(mib "$limit"), and $(mib "$need") are needed."
}

# --- a program of the user's -----------------------------------------------------------------

compare_program() {
    if ! command -v "$1" >/dev/null; then
        say "$1: not found"
        exit 127
    fi
    unlocked_status=0
    timed "$work/unlocked.ms" observed "$work/unlocked.json" "$@" \
        </dev/null >"$work/unlocked.out" || unlocked_status=$?
    prove_loaded "$work/unlocked.json" "$1"
    locked_status=0
    timed "$work/locked.ms" with_library "$work/locked.json" "$@" \
        </dev/null >"$work/locked.out" || locked_status=$?
    prove_loaded "$work/locked.json" "$1"

    cat "$work/locked.out"
    echo
    echo "$*"
    table "$work/unlocked.json" "$work/locked.json" \
        "$(cat "$work/unlocked.ms")" "$(cat "$work/locked.ms")" time
    explain_limit "$work/unlocked.json"
    processes=$(wc -l <"$work/locked.json")
    [ "$processes" -eq 1 ] || echo "  faults and swap are those of all $processes processes, sizes those of the largest"
    if cmp -s "$work/unlocked.out" "$work/locked.out"; then
        echo '  standard output: the same, byte for byte'
    else
        echo '  standard output: not the same (does it differ from run to run anyway?)'
    fi
    if [ $unlocked_status != $locked_status ]; then
        echo "  exit status: $unlocked_status unlocked, $locked_status locked"
    fi
    exit $locked_status
}

# --- sort, without and with the library ------------------------------------------------------

# Left to itself sort asks for 33 bytes a byte of input, never touches most of it, and a lock would
# bring in all of it. One thread, so that every run does the same.
buffer_mib=128
sort_input() { "$@" sort --parallel=1 -S ${buffer_mib}M; }

# The input comes from a pipe, which stops after the last line with all of it in sort's memory: the
# moment to look, and for a neighbour to come.
paused_sort() ( # observed|with_library, report, what runs meanwhile
    {
        cat "$work/input"
        "$3"
        look "$2"
        now_ms >"$2.start"
    } | sort_input "$1" "$2" 2>"$2.stderr" | cmp -s - "$work/expected" || {
        cat "$2.stderr" >&2
        say 'sort has another result under the library, or did not finish'
        exit 1
    }
    echo $(($(now_ms) - $(cat "$2.start"))) >"$2.ms"
    prove_loaded "$2" sort
)

compare_sort() {
    for turn in 1 2 3; do
        timed "$work/unlocked.ms" sort_input env <"$work/input" >"$work/expected"
        status=0
        timed "$work/locked.ms" sort_input with_library "$work/locked.$turn" \
            <"$work/input" >"$work/output" 2>"$work/stderr" || status=$?
        if [ $status != 0 ] || ! cmp "$work/expected" "$work/output"; then
            cat "$work/stderr" >&2
            say "sort has another result under the library (status $status)"
            exit 1
        fi
        prove_loaded "$work/locked.$turn" sort
    done
    paused_sort observed "$work/unlocked.json" :
    paused_sort with_library "$work/locked.json" :

    cat "$work/stderr" >&2
    echo "sort, $(mib "$(wc -c <"$work/input")") of random lines"
    table "$work/unlocked.json" "$work/locked.json" \
        "$(median "$work/unlocked.ms")" "$(median "$work/locked.ms")" 'time, median of 3'
    explain_limit "$work/unlocked.json"
    echo '  output: the same, byte for byte. The unlocked time is without the library; the other unlocked'
    echo '  figures are counted by it in observe mode, which locks nothing.'
}

# --- the same sort, pushed out of memory by a neighbour --------------------------------------

# sort's buffer is what gets locked; the rest of the cgroup is all that the hog can use without
# pushing, so it pushes out whatever isn't locked.
cgroup_mib=176 hog_mib=256 swap_mib=512

make_cgroup() {
    for parent in /sys/fs/cgroup/memory /sys/fs/cgroup; do
        mkdir "$parent/autolock-quickstart.$$" 2>/dev/null || continue
        cgroup=$parent/autolock-quickstart.$$
        for limit_file in memory.limit_in_bytes memory.max; do
            if [ -w "$cgroup/$limit_file" ]; then
                echo $((cgroup_mib * 1048576)) >"$cgroup/$limit_file"
                return
            fi
        done
        rmdir "$cgroup"
        cgroup=''
    done
    return 1
}

make_swap() {
    free_kib=$(sed -n 's/^SwapFree: *\([0-9]*\).*/\1/p' /proc/meminfo)
    if [ "${free_kib:-0}" -ge $((swap_mib * 1024)) ]; then return; fi
    # Not in $work, which may be a tmpfs, and that can't be swapped to.
    swap=$(mktemp /var/tmp/autolock-quickstart.XXXXXX)
    { dd if=/dev/zero of="$swap" bs=1048576 count=$swap_mib && mkswap "$swap" && swapon "$swap"; } \
        >/dev/null 2>&1
}

# In the cgroup, which the sort and the dd then share; twice over, so that all of it is in use.
hog() { dd if=/dev/zero of=/dev/null bs=${hog_mib}M count=2 2>/dev/null; }
pressed_sort() (
    echo 0 >"$cgroup/cgroup.procs"
    paused_sort "$1" "$2" hog
)

compare_pressed() {
    echo
    if [ "$(id -u)" != 0 ]; then
        why='it needs root'
    elif ! make_cgroup; then
        why='this machine allows no memory cgroup'
    elif ! make_swap; then
        why='this machine allows no swap file'
    elif ! { pressed_sort observed "$work/pushed.json" && pressed_sort with_library "$work/held.json"; }; then
        why="sort did not finish in a cgroup of $cgroup_mib MiB"
    else
        echo "the same sort, idle while a program takes $hog_mib MiB, both in a cgroup of $cgroup_mib MiB with swap"
        table "$work/pushed.json" "$work/held.json" \
            "$(cat "$work/pushed.json.ms")" "$(cat "$work/held.json.ms")" 'time to finish afterwards'
        return
    fi
    echo "Left out, the same under memory pressure: $why."
}

build
[ -e "$library" ] || { say "there is no build/release/lib/libautolock.so"; exit 1; }
[ $# -eq 0 ] || compare_program "$@"

# Bytes, not words of some language: the sort is the same everywhere.
LC_ALL=C
export LC_ALL
head -c 50331648 /dev/urandom | base64 >"$work/input"
compare_sort
compare_pressed
