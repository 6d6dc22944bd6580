#!/bin/sh
# Makes packages, each in a build of its own, and says where they are:
#
#     sh cmake/packaging/make.sh [deb] [rpm] [tgz]
#
# Without arguments all that there are tools for. BUILD in the environment is where (build/packages). The
# same sources give the same bytes, whoever builds them and where, with the same compiler: the time
# in the packages is that of the last commit, or SOURCE_DATE_EPOCH.
set -eu

here=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$here/build/packages}
umask 022

if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
    SOURCE_DATE_EPOCH=$(git -C "$here" log -1 --format=%ct 2>/dev/null) ||
        SOURCE_DATE_EPOCH=$(stat -c %Y "$here/CMakeLists.txt")
fi
export SOURCE_DATE_EPOCH
# What is compiled and packed must not depend on who does it.
export LC_ALL=C TZ=UTC

if [ $# = 0 ]; then
    set -- tgz
    ! command -v dpkg-deb >/dev/null || set -- "$@" deb
    ! command -v rpmbuild >/dev/null || set -- "$@" rpm
fi

for sort in "$@"; do
    case $sort in
    deb) set -- -DCMAKE_INSTALL_PREFIX=/usr ;;
    rpm) set -- -DCMAKE_INSTALL_PREFIX=/usr -DCMAKE_INSTALL_LIBDIR=lib64 ;;
    tgz) set -- -DCMAKE_INSTALL_PREFIX=/opt/autolock -DCMAKE_INSTALL_LIBDIR=lib ;;
    *)
        echo "make.sh: $sort: must be deb, rpm or tgz" >&2
        exit 64
        ;;
    esac
    upper=$(echo "$sort" | tr '[:lower:]' '[:upper:]')
    log=$build/$sort.log
    mkdir -p "$build"
    rm -rf "${build:?}/$sort/packages" "${build:?}/$sort/_CPack_Packages"
    if ! {
        cmake -S "$here" -B "$build/$sort" -DCMAKE_BUILD_TYPE=Release -DAUTOLOCK_TESTS=OFF \
            -DAUTOLOCK_PACKAGE="$upper" "$@" &&
            cmake --build "$build/$sort" --parallel "$(nproc)" &&
            (cd "$build/$sort" && cpack)
    } >"$log" 2>&1; then
        cat "$log" >&2
        exit 1
    fi
    find "$build/$sort/packages" -maxdepth 1 -type f ! -name '*.sha256' | LC_ALL=C sort
done
