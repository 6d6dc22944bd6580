#!/bin/sh
# For maintainers: proves the promise of a fresh machine. Makes a bare Debian, puts a clone of HEAD
# in it, and runs the quickstart and all tests there; then both again with no network at all.
#
#     sudo sh tests/support/chroot-check.sh DIRECTORY [SUITE [COMMAND…]]
#
# DIRECTORY keeps the bare system and the logs for the next time (about 1 GB); SUITE is bookworm
# unless given. A COMMAND (sh -c, in the clone) is run instead of those four steps. In the environment,
# MIRROR is another Debian mirror, and WITH a directory that is put there as /root/with.
set -eu

[ $# -ge 1 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 64; }
[ "$(id -u)" = 0 ] || { echo 'chroot-check: needs root' >&2; exit 1; }
command -v debootstrap >/dev/null || { echo 'chroot-check: please install debootstrap' >&2; exit 1; }

# Every mount and every process that is left over ends with these namespaces, whatever happens here.
if [ "${AUTOLOCK_CHROOT_INSIDE:-}" != yes ]; then
    AUTOLOCK_CHROOT_INSIDE=yes exec unshare --mount --propagation private --pid --fork --kill-child \
        sh "$0" "$@"
fi
unset AUTOLOCK_CHROOT_INSIDE

mkdir -p "$1"
directory=$(cd "$1" && pwd)
suite=${2:-bookworm}
shift $(($# < 2 ? $# : 2))
repository=$(cd "$(dirname "$0")/../.." && pwd)
base=$directory/$suite.base
machine=$directory/$suite.machine
failed=0

say() { echo "== $*"; }

# Nothing may be deleted through a mount, so rm stops at other file systems too.
# shellcheck disable=SC2317 # called by the trap
cleanup() {
    for mounted in dev sys proc; do
        ! mountpoint -q "$machine/$mounted" || umount -R -l "$machine/$mounted"
    done
    rm -rf --one-file-system "$machine"
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' TERM

step() { # name, command…
    log=$directory/$suite.$1.log
    name=$1
    shift
    start=$(date +%s)
    status=0
    "$@" >"$log" 2>&1 </dev/null || status=$?
    took=$(($(date +%s) - start))
    if [ $status = 0 ]; then
        say "$name: fine, $took s; $(tail -n 1 "$log")"
    else
        say "$name: status $status after $took s; the end of $log:"
        tail -n 40 "$log"
        failed=1
    fi
}

# As on a new machine: none of this shell's settings. Offline there is a loopback and nothing else.
inside() { # online|offline, command
    network=$1
    set -- env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
        chroot "$machine" sh -c "cd /root/libautolock && $2"
    if [ "$network" = offline ]; then
        # shellcheck disable=SC2016 # for the inner shell
        set -- unshare --net sh -c 'ip link set lo up; exec "$@"' offline "$@"
    fi
    "$@"
}

if [ ! -e "$base" ]; then
    say "making a bare $suite"
    rm -rf --one-file-system "$base.new"
    debootstrap --variant=minbase "$suite" "$base.new" ${MIRROR:+"$MIRROR"} \
        >"$directory/$suite.debootstrap.log" 2>&1 || {
        tail "$directory/$suite.debootstrap.log"
        exit 1
    }
    mv "$base.new" "$base"
fi

rm -rf --one-file-system "$machine"
cp -a --reflink=auto "$base" "$machine"
mount -t proc proc "$machine/proc"
for mounted in sys dev; do
    mount --rbind "/$mounted" "$machine/$mounted"
done
cp /etc/resolv.conf "$machine/etc/resolv.conf"
git clone -q --no-hardlinks "$repository" "$machine/root/libautolock"
[ -z "${WITH:-}" ] || cp -R "$WITH" "$machine/root/with"

if [ $# -gt 0 ]; then
    for command; do inside online "$command" || failed=1; done
else
    step quickstart inside online 'sh examples/quickstart.sh'
    step tests inside online 'sh tests/run.sh'
    step quickstart-offline inside offline 'sh examples/quickstart.sh'
    step tests-offline inside offline 'sh tests/run.sh'
    if inside online 'test -e /usr/sbin/policy-rc.d' 2>/dev/null; then
        say 'policy-rc.d was left behind'
        failed=1
    fi
fi
exit $failed
