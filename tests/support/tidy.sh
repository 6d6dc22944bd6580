#!/bin/sh
# clang-tidy has nothing to say about the library. BUILD has its compile_commands.json:
#
#     sh tests/support/tidy.sh BUILD
set -eu

build=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."
command -v clang-tidy >/dev/null || { echo 'skipped: no clang-tidy here'; exit 77; }
# Later versions check for more.
case $(clang-tidy --version) in
*' version 14.'*) ;;
*) echo 'skipped: the sources are checked by clang-tidy 14'; exit 77 ;;
esac
# One process: as a test it has one of the two processors.
find lib -name '*.c' -print0 | xargs -0 -n 4 clang-tidy --quiet -p "$build"
