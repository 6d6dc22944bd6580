#!/bin/sh
# Every shell script, as shellcheck sees it: it has nothing to say.
#
#     sh tests/support/shell.sh
set -eu

cd "$(dirname "$0")/../.."
command -v shellcheck >/dev/null || { echo 'skipped: no shellcheck here'; exit 77; }

# By their first line: not all have a name that tells.
scripts=$(find . \( -name .git -o -path ./build \) -prune -o -type f -size -200k \
    -exec awk 'FNR == 1 && /^#!.*[\/ ](ba|da)?sh( |$)/ { print FILENAME } { exit }' {} \;)
[ -n "$scripts" ] || { echo 'no shell scripts found'; exit 1; }
# shellcheck disable=SC2086 # names without blanks
shellcheck $scripts
