#!/bin/sh
# Includes go one way: each folder of the library sees the headers of the folders it may use, each of
# them complete in itself, and no others.
#
#     sh tests/support/includes.sh COMPILER FOLDER=INCLUDE-PATH…
#
# FOLDER is one of those in `may_use`, INCLUDE-PATH its include directories, joined by colons.
set -eu

cd "$(dirname "$0")/../../lib"
compiler=$1
shift
wrong=0

complain() {
    echo "$*"
    wrong=1
}

may_use() {
    case $1 in
    base) echo base ;;
    config) echo config base ;;
    report/counters) echo report/counters base ;;
    lock) echo lock config report/counters base ;;
    report) echo report config report/counters base ;;
    reader) echo reader report config report/counters base ;;
    preload) echo preload lock report config report/counters base ;;
    *) return 1 ;;
    esac
}

headers() { find "$1" -maxdepth 1 -name '*.h' -exec basename {} \; | sort; }

# The first of what the compiler says, if anything, of a file that is only this include.
try() { # include path, header
    flags=$(echo ":$1" | sed 's/:/ -I/g')
    # shellcheck disable=SC2086 # a list of words
    echo "#include \"$2\"" | LC_ALL=C "$compiler" -D_GNU_SOURCE -std=gnu11 -Wall -Wextra -Werror \
        $flags -fsyntax-only -x c - 2>&1 | head -n 3
}

folders='base config report/counters lock report reader preload'
tried=0
for pair; do
    folder=${pair%%=*}
    allowed=" $(may_use "$folder") "
    for other in $folders; do
        for header in $(headers "$other"); do
            tried=$((tried + 1))
            said=$(try "${pair#*=}" "$header")
            case $allowed in
            *" $other "*)
                [ -z "$said" ] || complain "lib/$folder cannot include $other/$header: $said"
                ;;
            *)
                case $said in
                *"$header: No such file"* | *"'$header' file not found"*) ;;
                *) complain "lib/$folder can include $other/$header, against the direction" ;;
                esac
                ;;
            esac
        done
    done
done
[ $tried -gt 50 ] || complain "only $tried includes tried"

# The only way around it.
if grep -rn --include='*.[ch]' '#.*include.*\.\./' .; then
    complain 'includes by a path out of the folder'
fi
exit $wrong
