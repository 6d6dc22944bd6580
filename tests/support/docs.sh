#!/bin/sh
# The tables in the documentation come from the library's own. Between a line `<!-- table NAME -->`
# and `<!-- end of table -->` stands what `tables NAME` prints, or for `zero` the list of fields that
# nothing counts:
#
#     sh tests/support/docs.sh TABLES check    every table is as it would be printed now
#     sh tests/support/docs.sh TABLES write    writes them anew
#
# TABLES is the program built from tables.c. `cmake --build … --target docs` calls the second.
set -eu
export LC_ALL=C

tables=$1
action=$2
top=$(cd "$(dirname "$0")/../.." && pwd)
documents=$top/docs
wrong=0

complain() {
    echo "$*"
    wrong=1
}

# What of AL_FIELD_… and AL_COUNT_… the library's sources name, as extended regular expressions: a
# part that a macro fills in matches any word.
named() {
    find "$top/lib" -name '*.c' -exec cat {} + |
        grep -oE 'AL_(FIELD|COUNT)_[A-Za-z0-9_]+(##[a-z]+##[A-Za-z0-9_]+)?' |
        sed -e 's/^AL_[A-Z]*_//' -e 's/##[a-z]*##/[a-z0-9]+/' | sort -u
}

# The fields that no source names: nothing counts them.
zero() {
    named >"$work/named"
    "$tables" --ids | awk '{ print $2, $1 }' | sort >"$work/ids"
    # shellcheck disable=SC2016 # Markdown's backquotes
    cut -d ' ' -f 1 "$work/ids" | grep -vxE -f "$work/named" | sort | join - "$work/ids" |
        sed 's/.* \(.*\)/- `\1`/'
}

# The document with its tables as they are now.
renew() {
    awk -v work="$work" '
        /^<!-- table .* -->$/ {
            print
            table = work "/" $3
            lines = 0
            while ((getline line <table) > 0) { print line; lines++ }
            if (!lines) { print "no table " $3 >"/dev/stderr"; exit 1 }
            inside = 1
        }
        /^<!-- end of table -->$/ { inside = 0 }
        !inside { print }
        END { if (inside) exit 1 }
    ' "$1"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
new=$work/document
objects=$("$tables" --objects)
live=$("$tables" --live)
for table in options problems metrics $objects $live; do "$tables" "$table" >"$work/$table"; done
zero >"$work/zero"
[ -s "$work/zero" ] || echo 'None.' >"$work/zero"

for name in configuration report live; do
    document=$documents/$name.md
    renew "$document" >"$new" || { complain "docs/$name.md cannot be written anew"; continue; }
    if cmp -s "$document" "$new"; then
        continue
    fi
    if [ "$action" = write ]; then
        cat "$new" >"$document"
        echo "docs/$name.md: tables written anew"
    else
        diff -u "$document" "$new" || :
        complain "docs/$name.md is not up to date: cmake --build --preset release --target docs"
    fi
done

grep -q '^<!-- table options -->$' "$documents/configuration.md" ||
    complain 'docs/configuration.md has no table of options'
for object in metrics $objects; do
    grep -q "^<!-- table $object -->\$" "$documents/report.md" ||
        complain "docs/report.md has no table of $object"
done
for table in $live; do
    grep -q "^<!-- table $table -->\$" "$documents/live.md" || complain "docs/live.md has no table $table"
done
exit $wrong
