#!/bin/sh
# What the loader sees of the built library: its symbols, what it needs, how it is protected, how
# large it is.
#
#     sh tests/support/library.sh LIBRARY
set -eu

library=$1
map=$(dirname "$0")/../../lib/preload/exports.map
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
wrong=0

# The oldest glibc that the library loads on, the largest it may be on disk, and its share of the
# static thread-local storage, of which glibc keeps little for libraries.
newest_glibc=2.17
most_bytes=178176
most_tls=4096

complain() {
    echo "$*"
    wrong=1
}

command -v readelf >/dev/null || { echo 'skipped: no readelf here'; exit 77; }

# --- exactly the symbols of exports.map -------------------------------------------------------

sed -e 's,/\*[^*]*\*/,,g' "$map" | tr ';' '\n' | sed -n '/global:/,/local:/p' |
    sed -e 's/.*://' -e 's/[[:space:]]//g' -e '/^$/d' | sort >"$directory/wanted"
readelf --dyn-syms --wide "$library" |
    awk '$5 != "LOCAL" && $7 != "UND" && $8 != "" && $1 ~ /^[0-9]+:$/ { sub(/@.*/, "", $8); print $8 }' |
    sort >"$directory/exported"
[ -s "$directory/wanted" ] || complain "no symbols in $map"
diff "$directory/wanted" "$directory/exported" ||
    complain 'exported symbols (>) differ from lib/preload/exports.map (<)'

# --- loads on old systems ---------------------------------------------------------------------

newest=$(readelf --version-info --wide "$library" | grep -o 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' |
    sort -u -V | tail -n 1)
if [ "$(printf '%s\n' "$newest" $newest_glibc | sort -V | tail -n 1)" != $newest_glibc ]; then
    complain "needs glibc $newest, newer than $newest_glibc:"
    readelf --dyn-syms --wide "$library" | grep "@GLIBC_$newest"
fi

readelf --dynamic --wide "$library" >"$directory/dynamic"
needed=$(sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' "$directory/dynamic")
for name in $needed; do
    case $name in
    libc.so.* | libdl.so.* | libc.musl-*) ;;
    *) complain "needs $name" ;;
    esac
done

# musl's loader starts no program under a library that needs a function which musl does not have.
musl=$(find /usr/lib/*-linux-musl /usr/lib/musl/lib -name libc.so 2>/dev/null | head -n 1)
if [ -n "$musl" ]; then
    readelf --dyn-syms --wide "$library" |
        awk '$7 == "UND" && $5 == "GLOBAL" { sub(/@.*/, "", $8); print $8 }' |
        sort -u >"$directory/needed"
    readelf --dyn-syms --wide "$musl" | awk '$7 != "UND" { sub(/@.*/, "", $8); print $8 }' |
        sort -u >"$directory/of_musl"
    lacking=$(comm -23 "$directory/needed" "$directory/of_musl" | tr '\n' ' ')
    [ -s "$directory/needed" ] || complain 'no undefined symbols are found in it'
    [ -z "$lacking" ] || complain "needs what musl does not have: $lacking"
else
    echo 'no musl here: not compared with what it has'
fi

# --- nothing in it can be written that need not be --------------------------------------------

grep -q 'BIND_NOW\|FLAGS_1.*NOW' "$directory/dynamic" || complain 'not bound at start (BIND_NOW)'
! grep -q TEXTREL "$directory/dynamic" || complain 'its code is relocated (TEXTREL)'
readelf --program-headers --wide "$library" >"$directory/segments"
grep -q GNU_RELRO "$directory/segments" || complain 'no GNU_RELRO'
grep -q 'GNU_STACK.* RW ' "$directory/segments" || complain 'asks for an executable stack'
! grep -q 'LOAD.* RWE ' "$directory/segments" || complain 'has a segment to write and to execute'

# --- small ------------------------------------------------------------------------------------

tls=$(($(awk '$1 == "TLS" { print $6 }' "$directory/segments" | grep . || echo 0)))
[ $tls -lt $most_tls ] || complain "takes $tls bytes of static thread-local storage"

strip -o "$directory/stripped" "$library"
bytes=$(($(wc -c <"$directory/stripped")))
[ $bytes -lt $most_bytes ] || complain "has $bytes bytes, stripped"

echo "$(wc -l <"$directory/exported") symbols, glibc $newest, $bytes bytes, TLS $tls bytes"
exit $wrong
