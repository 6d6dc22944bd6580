#!/bin/sh
# Every C file, and C++ example, is as clang-format leaves it:
#
#     sh tests/support/format.sh
set -eu

cd "$(dirname "$0")/../.."
command -v clang-format >/dev/null || { echo 'skipped: no clang-format here'; exit 77; }
# Each version breaks some lines in its own way.
case $(clang-format --version) in
*' version 14.'*) ;;
*) echo 'skipped: the sources are formatted by clang-format 14'; exit 77 ;;
esac
find lib include tests examples \( -name '*.[ch]' -o -name '*.cpp' \) -print0 | xargs -0 clang-format --dry-run -Werror
