#!/bin/sh
# Runs a program in another root: what ctest puts before the programs of portability.sh.
#
#     sh tests/support/inside.sh ROOT PROGRAM ARGUMENT…
set -eu
root=$1
shift
# Only the program has the library.
preload=${LD_PRELOAD-}
unset LD_PRELOAD
exec chroot "$root" /usr/bin/env ${preload:+LD_PRELOAD="$preload"} "$@"
