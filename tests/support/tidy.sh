#!/bin/sh
# clang-tidy has nothing to say about the library. BUILD has its compile_commands.json:
#
#     sh tests/support/tidy.sh BUILD [thorough]
#
# Nearly all that it takes goes into following the ways through a few long functions. As a test it ends
# that after 40,000 steps in each; thorough, after as many as clang takes by itself.
set -eu

build=$(cd "$1" && pwd)
steps=max-nodes=40000
[ "${2-}" != thorough ] || steps=
cd "$(dirname "$0")/../.."
command -v clang-tidy >/dev/null || { echo 'skipped: no clang-tidy here'; exit 77; }
# Later versions check for more.
case $(clang-tidy --version) in
*' version 14.'*) ;;
*) echo 'skipped: the sources are checked by clang-tidy 14'; exit 77 ;;
esac
# One process: as a test it has one of the two processors.
find lib -name '*.c' -print0 | xargs -0 -n 4 clang-tidy --quiet -p "$build" \
    ${steps:+--extra-arg=-Xclang --extra-arg=-analyzer-config --extra-arg=-Xclang "--extra-arg=$steps"}
