#!/bin/sh
# Installs what the tests need, builds, and runs every test:
#
#     sh tests/run.sh
#
# The last line is `N passed, N failed, N skipped`; a build that fails is a failed test. Before it
# stands a table of all parts: what was counted, each test that failed, and what was left out and
# why. Exit status: 0 only when something passed and nothing failed. Run again it installs nothing
# and builds only what changed.
set -eu

cd "$(dirname "$0")/.."
passed=0 failed=0 skipped=0

say() { echo "== $*"; }

# What tests/support/closing.py makes the table of.
notes=build/run.notes
mkdir -p build
: >$notes
tab=$(printf '\t')
note() { (IFS=$tab && echo "$*") >>$notes; }

left_out() { # what, why
    note 'left out' "$1" "$2"
    say "left out: $1 ($2)"
}

# shellcheck disable=SC2317 # called by the trap
finish() {
    if ! command -v python3 >/dev/null; then
        say 'no python3 here: the table of all parts is left out'
    elif [ -s $notes ]; then
        say 'all parts'
        python3 -B tests/support/closing.py $notes || say 'there is no table of all parts'
    fi
    echo "$passed passed, $failed failed, $skipped skipped"
}

trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Says nothing but what the compiler warns of, unless it fails.
build() { # directory, configure arguments…
    directory=$1
    shift
    say "building $directory"
    mkdir -p "$directory"
    log=$directory/run.log
    if { cmake "$@" && cmake --build "$directory" --parallel "$(nproc)"; } >"$log" 2>&1; then
        grep -A 3 'warning:' "$log" || :
    else
        cat "$log"
        say "building $directory failed"
        note unbuilt "$directory"
        failed=$((failed + 1))
        return 1
    fi
}

matching() { grep -c "$1" "$result" || :; }

run() { # directory, ctest arguments…
    directory=$1
    shift
    say "testing $directory"
    result=$PWD/$directory/junit.xml
    rm -f "$result"
    # Three at a time, as many wait rather than work; more would compete for memory, which is what they measure.
    status=0
    # What a test has counted, and why it is skipped, may stand behind much else.
    ctest --test-dir "$directory" --output-on-failure --no-tests=error --parallel 3 \
        --test-output-size-passed 1000000 --test-output-size-failed 1000000 \
        --output-junit "$result" "$@" || status=$?
    touch "$result"
    note tested "$directory" "$result" $status
    all=$(matching '<testcase ')
    good=$(matching '<testcase .*status="run"')
    # `skipped` is also what a test without its program is called there; that one failed.
    idle=$(($(matching '<skipped message="SKIP_') + $(matching '<testcase .*status="disabled"')))
    bad=$((all - good - idle))
    # Nothing to run, or ctest itself in trouble.
    if [ $status != 0 ] && [ $bad = 0 ]; then bad=1; fi
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + idle))
}

sh cmake/packages.sh build test

if build build/release --preset release -DAUTOLOCK_TESTS=ON; then
    run build/release
fi

# The same file under another libc: what is quick there. All of it takes longer (ctest --test-dir build/musl).
if [ ! -e build/release/lib/libautolock.so ]; then
    :
elif command -v musl-gcc >/dev/null; then
    if build build/musl -S . -B build/musl -DCMAKE_C_COMPILER=musl-gcc \
        -DAUTOLOCK_LIBRARY="$PWD/build/release/lib/libautolock.so"; then
        run build/musl --tests-regex '^(truth\.programs|preload\.)' --exclude-regex \
            '^preload\.(oversize|processes|sparse|ends|rescue|report|report_file|large|live_|bad_places|budget|sandbox|memcheck|alloc\.(stress|interrupted|other_threads|figures))'
    fi
else
    left_out 'programs of musl' 'no musl-gcc here'
fi

# A sanitized library can't be preloaded: these are the parts below the hooks, linked into tests.
for sanitizer in asan tsan; do
    if build build/$sanitizer --preset $sanitizer; then
        run build/$sanitizer --label-regex '^unit$'
    fi
done

# What is read from outside, and who owns which page, with inputs that grow from what they reach.
if printf 'int LLVMFuzzerTestOneInput(void) { return 0; }' |
    clang -fsanitize=fuzzer,address -x c -o /dev/null - 2>/dev/null; then
    if build build/fuzz --preset fuzz; then
        run build/fuzz --label-regex '^fuzz$'
    fi
else
    left_out 'the fuzzers' 'no clang with libFuzzer here'
fi

# The other compiler must have nothing to say either; that needs no optimization.
if command -v clang >/dev/null; then
    build build/clang -S . -B build/clang -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=Debug \
        -DAUTOLOCK_WERROR=ON || :
else
    left_out 'the build by clang' 'no clang here'
fi

[ $failed = 0 ] && [ $passed -gt 0 ]
