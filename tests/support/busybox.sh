#!/bin/sh
# Makes busybox, its shell and some of its programs, for musl: sh tests/support/busybox.sh DIRECTORY MIRROR
# The result is DIRECTORY/busybox.
set -eu

version=1.35.0
name=busybox_$version.orig.tar.bz2
machine=$(uname -m)
cd "$1"
[ ! -e busybox ] || exit 0
if command -v curl >/dev/null; then
    curl -fsSO "$2/pool/main/b/busybox/$name"
else
    wget -q "$2/pool/main/b/busybox/$name"
fi
tar xf "$name"

# The kernel's headers, beside musl's own.
mkdir -p headers
for part in linux asm-generic mtd; do
    ln -sfn "/usr/include/$part" "headers/$part"
done
ln -sfn "/usr/include/$machine-linux-gnu/asm" headers/asm
headers=$PWD/headers

cd "busybox-$version"
make allnoconfig
for program in ASH AWK CAT GUNZIP GZIP SED SEQ SH_IS_ASH SHA256SUM SORT TR WC; do
    sed -i "s/# CONFIG_$program is not set/CONFIG_$program=y/" .config
done
yes '' | make oldconfig
make -j"$(nproc)" CC="musl-gcc -idirafter $headers" busybox
cp busybox ../busybox
