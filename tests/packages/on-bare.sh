#!/bin/sh
# On a bare Debian, as root: the packages in DIRECTORY are installed, used and purged, and nothing is
# left of them. What `tests/support/chroot-check.sh` can run in a new system:
#
#     sh tests/packages/on-bare.sh DIRECTORY
set -eu

fail() {
    echo "on-bare: $*" >&2
    exit 1
}

# All files but those of the package managers' own books.
files() {
    find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /root -o -path /tmp -o -path /var/cache \
        -o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /var/log \) -prune -o -print | LC_ALL=C sort
}

cd "$1"
export DEBIAN_FRONTEND=noninteractive
apt-get update -q >/dev/null
files >/tmp/before
dpkg --get-selections >/tmp/before.packages

apt-get install -q -y --no-install-recommends ./autolock_*.deb >/tmp/install.log 2>&1 || {
    cat /tmp/install.log
    fail 'not installed'
}
autolock --version
seq 300000 -1 1 >/tmp/numbers
sort -n /tmp/numbers >/tmp/wanted
autolock run --require -- sort -n /tmp/numbers >/tmp/sorted 2>/tmp/report || fail 'autolock run failed'
cmp /tmp/wanted /tmp/sorted || fail 'sorted otherwise'
cat /tmp/report
grep -q ': sort\[' /tmp/report || fail 'no report'
! grep -q '  locked   0 B' /tmp/report || fail 'nothing was locked'
autolock check sort >/tmp/check || [ $? = 1 ] || fail 'check'
[ -e /usr/lib/"$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || gcc -print-multiarch 2>/dev/null ||
    echo "$(uname -m)-linux-gnu")"/libautolock.so ] || fail 'the library is elsewhere'

apt-get purge -q -y --auto-remove autolock libautolock libautolock-dev >/tmp/purge.log 2>&1 || {
    cat /tmp/purge.log
    fail 'not purged'
}
files >/tmp/after
dpkg --get-selections >/tmp/after.packages
cmp /tmp/before.packages /tmp/after.packages || fail 'packages are left'
# The loader's cache is made anew.
diff /tmp/before /tmp/after || fail 'files are left'
# shellcheck disable=SC1091 # of the bare system
echo "on-bare: $(. /etc/os-release && echo "$PRETTY_NAME"): installed, run and purged, nothing is left"
