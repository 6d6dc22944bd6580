#!/bin/sh
# Installs what a build or a test run needs (or the servers of the target `load`), and only what is missing:
#
#     sh cmake/packages.sh build test
#
# This is the one place that knows package managers and package names. When nothing is missing it
# needs neither root nor the network. A `must` that can't be had is an error; a `may` that the
# distribution lacks is said in one line, and the tests that want it skip.
set -eu

# group  need  how to see that it is there (command, file, or - for: ask the package manager)
#        names for apt-get, dnf, apk, pacman (`a|b`: whichever the release has; - : none there)
packages() {
    cat <<'TABLE'
build must gcc                          gcc                    gcc                  gcc                  gcc
build must /usr/include/stdio.h         libc6-dev              glibc-devel          musl-dev             glibc
build must /usr/include/linux/mman.h    linux-libc-dev         kernel-headers       linux-headers        linux-api-headers
build must make                         make                   make                 make                 make
build must cmake                        cmake                  cmake                cmake                cmake
build must pkg-config                   pkg-config|pkgconf     pkgconf-pkg-config   pkgconf              pkgconf
build may  /usr/include/libelf.h        libelf-dev             elfutils-libelf-devel elfutils-dev        libelf
build may  /usr/include/elfutils/libdwfl.h libdw-dev          elfutils-devel       elfutils-dev         libelf
build may  /usr/include/jansson.h       libjansson-dev         jansson-devel        jansson-dev          jansson
build must cmp                          diffutils              diffutils            diffutils            diffutils
test  must /usr/include/check.h         check                  check-devel          check-dev            check
test  may  chromium                     chromium               chromium             chromium             chromium
test  must python3                      python3                python3              python3              python
test  may  -                            python3-yaml           python3-pyyaml       py3-yaml             python-yaml
test  must git                          git                    git                  git                  git
test  may  musl-gcc                     musl-tools             musl-gcc             -                    musl
test  may  setcap                       libcap2-bin            libcap               libcap               libcap
test  may  g++                          g++                    gcc-c++              g++                  gcc
test  may  clang                        clang                  clang                clang                clang
test  may  clang-format                 clang-format           clang-tools-extra    clang-extra-tools    clang
test  may  clang-tidy                   clang-tidy             clang-tools-extra    clang-extra-tools    clang
test  may  -                            libclang-rt-dev|libclang-rt-14-dev|libclang-common-14-dev|libclang-common-11-dev compiler-rt compiler-rt compiler-rt
test  may  shellcheck                   shellcheck             ShellCheck           shellcheck           shellcheck
test  may  valgrind                     valgrind               valgrind             valgrind             valgrind
test  may  strace                       strace                 strace               strace               strace
test  may  xmllint                      libxml2-utils          libxml2              libxml2-utils        libxml2
test  may  bash                         bash                   bash                 bash                 bash
test  may  zsh                          zsh                    zsh                  zsh                  zsh
test  may  fish                         fish                   fish                 fish                 fish
test  may  /usr/share/bash-completion/bash_completion bash-completion bash-completion bash-completion    bash-completion
test  may  mandoc                       mandoc                 mandoc|groff-base    mandoc               mandoc
test  may  groff                        groff-base|groff       groff-base           groff                groff
test  may  jq                           jq                     jq                   jq                   jq
test  may  redis-server                 redis-server           redis|valkey         redis|valkey         redis|valkey
test  may  redis-cli                    redis-tools            redis|valkey         redis|valkey         redis|valkey
test  may  lintian                      lintian                -                    -                    -
test  may  rpmbuild                     rpm                    rpm-build            rpm                  rpm-tools
test  may  rpmlint                      rpmlint                rpmlint              -                    -
test  may  promtool                     prometheus             golang-github-prometheus|prometheus prometheus prometheus
test  may  prometheus-node-exporter     prometheus-node-exporter node-exporter|golang-github-prometheus-node-exporter prometheus-node-exporter prometheus-node-exporter
test  may  sqlite3                      sqlite3                sqlite               sqlite               sqlite
test  may  perl                         perl                   perl-interpreter     perl                 perl
test  may  xz                           xz-utils               xz                   xz                   xz
test  may  openssl                      openssl                openssl              openssl              openssl
test  may  ps                           procps                 procps-ng            procps               procps-ng
test  may  setpriv                      util-linux             util-linux           setpriv              util-linux
test  may  stress-ng                    stress-ng              stress-ng            stress-ng            stress-ng
test  may  runc                         runc                   runc                 runc                 runc
test  may  swapon                       mount                  util-linux           util-linux           util-linux
test  may  -                            libjemalloc2           jemalloc             jemalloc             jemalloc
test  may  -                            libmimalloc2.0|libmimalloc3|libmimalloc2 mimalloc mimalloc2      mimalloc
test  may  -                            libtcmalloc-minimal4|libtcmalloc-minimal4t64 gperftools-libs gperftools gperftools
load  may  redis-server                 redis-server           redis|valkey         redis|valkey         redis|valkey
load  may  nginx                        nginx-light|nginx      nginx                nginx                nginx
load  may  postgres                     postgresql             postgresql-server    postgresql           postgresql
load  may  setpriv                      util-linux             util-linux           setpriv              util-linux
TABLE
}

say() { echo "packages.sh: $*" >&2; }

manager=none
for candidate in apt-get dnf apk pacman; do
    if command -v "$candidate" >/dev/null 2>&1; then
        manager=$candidate
        break
    fi
done

installed() {
    case $manager in
    # A removed package is still known to dpkg, so its state has to be asked for.
    apt-get) [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ] ;;
    dnf) rpm -q "$1" >/dev/null 2>&1 ;;
    apk) apk info -e "$1" >/dev/null 2>&1 ;;
    pacman) pacman -Q "$1" >/dev/null 2>&1 ;;
    *) return 1 ;;
    esac
}

# Whether the lists kept on this machine name the package; never asks the network.
listed() {
    case $manager in
    apt-get) apt-cache show "$1" >/dev/null 2>&1 ;;
    dnf) dnf -q -C info "$1" >/dev/null 2>&1 ;;
    apk) [ -n "$(apk --no-network search -e -q "$1" 2>/dev/null)" ] ;;
    pacman) pacman -Si "$1" >/dev/null 2>&1 ;;
    esac
}

# The first of `a|b|c` that is listed.
pick() {
    for name in $(echo "$1" | tr '|' ' '); do
        if listed "$name"; then
            echo "$name"
            return
        fi
    done
    return 1
}

there() { # probe, names
    case $1 in
    -) ;;
    /*) [ ! -e "$1" ] || return 0 ;;
    *) ! command -v "$1" >/dev/null 2>&1 || return 0 ;;
    esac
    # A tool in /sbin need not be on an ordinary user's PATH.
    for name in $(echo "$2" | tr '|' ' '); do
        if installed "$name"; then
            return 0
        fi
    done
    return 1
}

refresh() {
    case $manager in
    apt-get) $root apt-get -qq update ;;
    dnf) $root dnf -q makecache ;;
    apk) $root apk -q update ;;
    pacman) $root pacman -Sy --noconfirm ;;
    esac
}

install() {
    case $manager in
    apt-get) $root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
        --no-install-recommends -o Acquire::Retries=3 install "$@" ;;
    dnf) $root dnf -q -y --setopt=install_weak_deps=False install "$@" ;;
    apk) $root apk -q add "$@" ;;
    pacman) $root pacman -S --noconfirm --needed "$@" ;;
    esac </dev/null >"$log" 2>&1
}

# Installing a server must not start it. Debian asks this file first; a machine that has one has
# already decided. Should a SIGKILL leave ours behind, it means nothing once this process is gone.
policy=/usr/sbin/policy-rc.d
forbid_services() {
    if [ "$manager" = apt-get ] && [ ! -e "$policy" ]; then
        policy_is_ours=yes
        printf '#!/bin/sh\nkill -0 %s 2>/dev/null && exit 101\nexit 0\n' "$$" |
            $root tee "$policy" >/dev/null
        $root chmod 755 "$policy"
    fi
}

# shellcheck disable=SC2317 # called by the trap
cleanup() {
    rm -f "$log"
    if [ "$policy_is_ours" = yes ]; then
        $root rm -f "$policy"
    fi
}

# --- what is missing -------------------------------------------------------------------------

[ $# -gt 0 ] || { say "usage: sh cmake/packages.sh build|test|load…"; exit 64; }
for group; do
    case $group in
    build | test | load) ;;
    *) say "no such group: $group"; exit 64 ;;
    esac
done

must='' may='' table=$(packages)
while read -r group need probe apt dnf apk pacman; do
    case " $* " in *" $group "*) ;; *) continue ;; esac
    case $manager in
    apt-get) names=$apt ;;
    dnf) names=$dnf ;;
    apk) names=$apk ;;
    pacman) names=$pacman ;;
    *) names=$probe ;;
    esac
    if [ "$names" = - ] || there "$probe" "$names"; then
        continue
    fi
    case " $must $may " in *" $names "*) continue ;; esac
    if [ "$need" = must ]; then must="$must $names"; else may="$may $names"; fi
done <<EOT
$table
EOT

# What these lists already say the distribution lacks is not worth a network round on every run.
if [ -n "$may" ] && [ -z "$must" ] && [ $manager != none ] && listed make; then
    lacking='' rest=''
    for names in $may; do
        if pick "$names" >/dev/null; then rest="$rest $names"; else lacking="$lacking $names"; fi
    done
    [ -z "$lacking" ] || say "not in this distribution, done without:$lacking"
    may=$rest
fi

[ -n "$must$may" ] || exit 0

root=''
if [ "$(id -u)" != 0 ]; then root=sudo; fi
if [ $manager = none ]; then
    trouble="no package manager that this script knows (apt-get, dnf, apk, pacman)"
elif [ -n "$root" ] && ! command -v sudo >/dev/null 2>&1; then
    trouble="not root, and there is no sudo"
else
    trouble=''
fi
if [ -n "$trouble" ]; then
    [ -z "$may" ] || say "done without:$may ($trouble)"
    [ -n "$must" ] || exit 0
    say "$trouble; please install:$must"
    exit 1
fi

# --- install it ------------------------------------------------------------------------------

policy_is_ours=no
log=$(mktemp)
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' TERM
forbid_services

# The first names, all at once: right on most systems, and one run of the manager.
firsts=''
for names in $must $may; do firsts="$firsts ${names%%|*}"; done
say "installing with $manager:$firsts"
refresh >"$log" 2>&1 || say "the package lists could not be refreshed; trying with the old ones"
# shellcheck disable=SC2086 # a list of words
if install $firsts; then
    exit 0
fi

# Something in it isn't to be had: one by one, so that the rest is.
status=0 lacking=''
for names in $must; do
    if ! { name=$(pick "$names") && install "$name"; }; then
        [ ! -s "$log" ] || cat "$log" >&2
        say "$names could not be installed; please install it"
        status=1
    fi
done
for names in $may; do
    if ! { name=$(pick "$names") && install "$name"; }; then
        lacking="$lacking $names"
    fi
done
[ -z "$lacking" ] || say "could not be installed, done without:$lacking"
exit $status
