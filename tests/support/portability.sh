#!/bin/sh
# One library file in many systems: builds the programs of the preload tests for each, runs them
# there under the library that was built here, and prints what came of it as a table.
#
#     sh tests/support/portability.sh BUILD-DIRECTORY [SYSTEM…]
#
# SYSTEM: musl, busybox (built for musl), bullseye, bookworm, trixie, i386, aarch64, armhf; all unless
# given. Debian's releases are made by debootstrap, as root, and kept in BUILD-DIRECTORY/portability. A
# system that cannot be had here is a row that says why. The same rows, separated by tabs, are in
# portability/table.tsv, and the tests that were skipped, each with its reason, in
# portability/skipped.tsv.
set -eu

[ $# -ge 1 ] || { sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 64; }
build=$(cd "$1" && pwd)
shift
source=$(cd "$(dirname "$0")/../.." && pwd)
folder=$build/portability
library=$build/lib/libautolock.so
mirror=${MIRROR:-http://deb.debian.org/debian}
machine=$(uname -m)
failed=0

[ -e "$library" ] || { echo "portability: no $library" >&2; exit 1; }
[ $# -gt 0 ] || set -- musl busybox bullseye bookworm trixie i386 aarch64 armhf

# Mounts end with this namespace.
if [ "$(id -u)" = 0 ] && [ "${AUTOLOCK_PORTABILITY_INSIDE:-}" != yes ]; then
    AUTOLOCK_PORTABILITY_INSIDE=yes exec unshare --mount --propagation private \
        sh "$0" "$build" "$@"
fi
unset AUTOLOCK_PORTABILITY_INSIDE

mkdir -p "$folder"
table=$folder/table.tsv
printf 'system\tlibc\tprocessor\tloads\tlocks\treports\tprograms\n' >"$table"
skipped=$folder/skipped.tsv
: >"$skipped"

# Programs that judge themselves, of each family of hooks; those that a Python script looks at run on this
# machine alone, and other allocators than libc's are not those of the system.
tests='^preload\.(flags|late_allocation|whole_pages|forks|own_wishes|helps|reserves|alloc|allocator\.libc'
tests="$tests|forwards_to_next|dlopen_caller|boot_heap)"
others='figures|jemalloc|mimalloc|tcmalloc'

row() { # system, libc, processor, loads, locks, reports, programs
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$@" >>"$table"
}

skip() { row "$1" "$2" "$3" - - - "skipped: $4"; }

not_built() { # system, libc, processor, log
    row "$1" "$2" "$3" - - - "not built: $4"
    failed=1
}

# The report of one program, which it writes to a file of `name`'s folder, tells of three columns.
judge() { # name, command…
    written=$folder/$1/report.json
    shift
    rm -f "$written"
    "$@" >/dev/null 2>&1 || :
    loads=no locks=no reports=no
    case $(cat "$written" 2>/dev/null) in *'"schema":"autolock/1"'*) loads=yes ;; esac
    case $(cat "$written" 2>/dev/null) in *'"ended":"exit"'*) reports=yes ;; esac
    case $(cat "$written" 2>/dev/null) in
    *'"kernel_bytes":0,'*) ;;
    *'"kernel_bytes":'*) locks=yes ;;
    esac
    [ $loads$locks$reports = yesyesyes ] || failed=1
}

configure() { # name, target, cmake arguments…
    directory=$folder/$1
    target=$2
    shift 2
    { cmake -S "$source" -B "$directory" "$@" &&
        nice cmake --build "$directory" --target "$target" --parallel "$(nproc)"; } >"$directory.log" 2>&1
}

# The tests' own words are behind their numbers in the log.
list_skipped() { # system, log
    awk -v where="$1" '
        /^[0-9]+: skipped: / { number = $1; sub(/^[0-9]+: skipped: /, ""); reason[number + 0] = $0 }
        /\*\*\*Skipped/ {
            match($0, /#[0-9]+/)
            number = substr($0, RSTART + 1, RLENGTH - 1) + 0
            match($0, /(preload|truth)\.[^ ]+/)
            print where "\t" substr($0, RSTART, RLENGTH) "\t" (number in reason ? reason[number] : "no reason")
        }' "$2" >>"$skipped"
}

run() { # name, system
    log=$folder/$1.tests.log
    ctest --test-dir "$folder/$1" -R "$tests" -E "$others" --verbose --timeout 200 >"$log" 2>&1 || :
    total=$(sed -n 's/.* tests failed out of \([0-9]*\)$/\1/p' "$log")
    bad=$(sed -n 's/.*tests passed, \([0-9]*\) tests failed.*/\1/p' "$log")
    idle=$(grep -c '\*\*\*Skipped' "$log" || :)
    programs="$((${total:-0} - ${bad:-0} - idle)) passed, ${bad:-0} failed, $idle skipped"
    if [ "${bad:-1}" != 0 ] || [ "${total:-0}" -le "$idle" ]; then failed=1; fi
    list_skipped "$2" "$log"
}

of_musl() {
    if ! command -v musl-gcc >/dev/null; then
        skip 'this machine' musl "$machine" 'no musl-gcc here'
        return
    fi
    if ! configure musl preload_portable -DCMAKE_C_COMPILER=musl-gcc -DAUTOLOCK_LIBRARY="$library"; then
        not_built 'this machine' musl "$machine" "$folder/musl.log"
        return
    fi
    version=$(/lib/ld-musl-"$machine".so.1 2>&1 | sed -n 's/^Version //p')
    judge musl env LD_PRELOAD="$library" AUTOLOCK_STATS=json \
        AUTOLOCK_STATS_FILE="$folder/musl/report.json" "$folder/musl/tests/preload/small_steps" 1
    run musl musl
    row 'this machine' "musl $version" "$machine" $loads $locks $reports "$programs"
}

# What its programs write, and how they end, with each mode as without the library. Each process reports.
of_busybox() {
    if ! command -v musl-gcc >/dev/null; then
        skip busybox musl "$machine" 'no musl-gcc here'
        return
    fi
    there=$folder/busybox
    mkdir -p "$there"
    if ! nice sh "$source/tests/support/busybox.sh" "$there" "$mirror" >"$there.log" 2>&1; then
        skip busybox musl "$machine" "not to be had from $mirror, or not built: $there.log"
        return
    fi
    version=$(/lib/ld-musl-"$machine".so.1 2>&1 | sed -n 's/^Version //p')
    judge busybox env LD_PRELOAD="$library" AUTOLOCK_STATS=json AUTOLOCK_STATS_FILE="$there/report.json" \
        "$there/busybox" sort /dev/null
    cat >"$there/script" <<'END'
busybox=$1
$busybox seq 200000 -1 1 | $busybox sort -n | $busybox gzip | $busybox gunzip | $busybox awk '{ s += $1 } END { print s }'
$busybox seq 1000 | $busybox sed s/1/x/g | $busybox tr x y | $busybox sha256sum
for i in 1 2 3; do $busybox sh -c "echo $i; exit $i" || echo "status $?"; done | $busybox wc
$busybox cat /nowhere
exit 3
END
    (
        cd "$there"
        status=0
        ./busybox sh script ./busybox >wanted 2>&1 || status=$?
        [ $status = 3 ]
        passed=0 bad=0
        for mode in off observe all alloc; do
            for flags in current,future current,future,onfault; do
                rm -f reports.json
                status=0
                LD_PRELOAD=$library AUTOLOCK_MODE=$mode AUTOLOCK_FLAGS=$flags AUTOLOCK_STATS=json \
                    AUTOLOCK_STATS_FILE=$there/reports.json ./busybox sh script ./busybox >found 2>&1 || status=$?
                many=$(grep -c autolock/1 reports.json 2>/dev/null || :)
                if [ $status = 3 ] && cmp -s wanted found &&
                    if [ $mode = off ]; then [ "${many:-0}" = 0 ]; else [ "${many:-0}" -ge 10 ]; fi; then
                    passed=$((passed + 1))
                else
                    bad=$((bad + 1))
                fi
            done
        done
        echo "$passed passed, $bad failed, 0 skipped" >counts
    )
    programs=$(cat "$there/counts")
    case $programs in *' 0 failed'*) ;; *) failed=1 ;; esac
    row 'busybox 1.35' "musl $version" "$machine" $loads $locks $reports "$programs"
}

of_debian() { # suite
    root=$folder/$1.base
    if [ "$(id -u)" != 0 ]; then
        skip "Debian $1" glibc "$machine" 'needs root'
        return
    fi
    if [ ! -e "$root.made" ]; then
        if ! command -v debootstrap >/dev/null; then
            skip "Debian $1" glibc "$machine" 'no debootstrap here'
            return
        fi
        rm -rf --one-file-system "$root"
        if ! debootstrap --variant=minbase --include=libc6-dev,linux-libc-dev "$1" "$root" \
            "$mirror" >"$root.log" 2>&1; then
            skip "Debian $1" glibc "$machine" "not to be had from $mirror"
            return
        fi
        touch "$root.made"
    fi
    # The linker follows links from here, not from inside.
    find "$root/lib64/" "$root/usr/lib/$machine-linux-gnu/" -maxdepth 1 -type l -lname '/*' |
        while read -r link; do
            ln -srfn "$root$(readlink "$link")" "$link"
        done
    if ! configure "$1" preload_portable -DCMAKE_TOOLCHAIN_FILE="$source/cmake/other-root.cmake" \
        -DAUTOLOCK_ROOT="$root" -DAUTOLOCK_LIBRARY="$library"; then
        not_built "Debian $1" glibc "$machine" "$folder/$1.log"
        return
    fi
    for place in "$folder/$1" "$build/lib" /proc /sys /dev; do
        mkdir -p "$root$place"
        mount --rbind "$place" "$root$place"
    done
    version=$(chroot "$root" ldd --version | sed -n '1s/.* //p')
    judge "$1" sh "$source/tests/support/inside.sh" "$root" /usr/bin/env LD_PRELOAD="$library" \
        AUTOLOCK_STATS=json AUTOLOCK_STATS_FILE="$folder/$1/report.json" \
        "$folder/$1/tests/preload/small_steps" 1
    run "$1" "$1"
    row "Debian $1" "glibc $version" "$machine" $loads $locks $reports "$programs"
}

# Without an emulator: all of it is true of 32-bit programs on this machine.
of_i386() {
    if [ "$machine" != x86_64 ] || ! command -v i686-linux-gnu-gcc >/dev/null || [ ! -e /lib/ld-linux.so.2 ]; then
        skip 'this machine' glibc i386 'no i686-linux-gnu-gcc here, or no libc6-i386'
        return
    fi
    if ! configure i386.library all -DCMAKE_TOOLCHAIN_FILE="$source/cmake/i686-linux-gnu.cmake" \
        -DAUTOLOCK_TESTS=OFF -DAUTOLOCK_WERROR=ON; then
        not_built 'this machine' glibc i386 "$folder/i386.library.log"
        return
    fi
    there=$folder/i386.library/lib/libautolock.so
    if ! configure i386 preload_portable -DCMAKE_TOOLCHAIN_FILE="$source/cmake/i686-linux-gnu.cmake" \
        -DAUTOLOCK_LIBRARY="$there"; then
        not_built 'this machine' glibc i386 "$folder/i386.log"
        return
    fi
    version=$(/lib/ld-linux.so.2 --version | sed -n '1s/.* \([0-9.]*[0-9]\)\.$/\1/p')
    judge i386 env LD_PRELOAD="$there" AUTOLOCK_STATS=json \
        AUTOLOCK_STATS_FILE="$folder/i386/report.json" "$folder/i386/tests/preload/small_steps" 1
    run i386 i386
    row 'this machine' "glibc $version" i386 $loads $locks $reports "$programs"
}

# qemu-user keeps nothing locked on fault, and has memory of its own among the program's, so that
# the kernel's word is no proof: programs have to run, and the report has to come.
of_processor() { # processor, triplet, emulator
    for need in "$2-gcc" "$3"; do
        if ! command -v "$need" >/dev/null; then
            skip "emulated" glibc "$1" "no $need here"
            return
        fi
    done
    if ! configure "$1.library" all -DCMAKE_TOOLCHAIN_FILE="$source/cmake/$2.cmake" \
        -DAUTOLOCK_TESTS=OFF -DAUTOLOCK_WERROR=ON; then
        not_built emulated glibc "$1" "$folder/$1.library.log"
        return
    fi
    there=$folder/$1.library/lib/libautolock.so
    if ! configure "$1" preload_portable -DCMAKE_TOOLCHAIN_FILE="$source/cmake/$2.cmake" \
        -DAUTOLOCK_LIBRARY="$there"; then
        not_built emulated glibc "$1" "$folder/$1.log"
        return
    fi
    version=$("$3" "$(find "/usr/$2/lib" -maxdepth 1 -name 'ld-linux*' | head -n 1)" --version |
        sed -n '1s/.* \([0-9.]*[0-9]\)\.$/\1/p')
    judge "$1" "$3" -L "/usr/$2" -E LD_PRELOAD="$there" -E AUTOLOCK_STATS=json \
        -E AUTOLOCK_STATS_FILE="$folder/$1/report.json" "$folder/$1/tests/preload/small_steps" 1
    run "$1" "$1"
    row 'emulated (qemu-user)' "glibc $version" "$1" $loads $locks $reports "$programs"
}

for system; do
    case $system in
    musl) of_musl ;;
    busybox) of_busybox ;;
    bullseye | bookworm | trixie) of_debian "$system" ;;
    i386) of_i386 ;;
    aarch64) of_processor aarch64 aarch64-linux-gnu qemu-aarch64-static ;;
    armhf) of_processor armhf arm-linux-gnueabihf qemu-arm-static ;;
    *) echo "portability: no such system: $system" >&2; exit 64 ;;
    esac
done

awk -F '\t' '{ gsub(/\t/, " | "); print "| " $0 " |" }
    NR == 1 { print "| --- | --- | --- | --- | --- | --- | --- |" }' "$table"

# Whose reasons are the same are one line.
echo
awk -F '\t' '{ key = $1 "\t" $3; if (!(key in names)) order[++count] = key; names[key] = names[key] ", " $2; many[key]++ }
    END {
        for (i = 1; i <= count; i++) {
            split(order[i], part, "\t")
            print "skipped, " part[1] ", " many[order[i]] " (" part[2] "): " substr(names[order[i]], 3)
        }
    }' "$skipped"
exit $failed
