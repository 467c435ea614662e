#!/bin/sh
# setup.sh: installs the Debian packages that are missing, and says which.
# Usage: tools/setup.sh build [check]     build: to build and run; check: to run every test.
# SPDX-License-Identifier: Apache-2.0
set -eu

build="gcc libc6-dev make pkg-config libjpeg62-turbo-dev libpng-dev libwebp-dev libtiff-dev libgif-dev
liblcms2-dev libavif-dev libheif-dev libjxl-dev libjansson-dev libxxhash-dev libcsv-dev
libavformat-dev libavcodec-dev libavfilter-dev libavutil-dev libswscale-dev
libopenexr-dev libsvm-dev zlib1g-dev"
check="git python3 g++ xxhash libcmocka-dev clang-14 libclang-rt-14-dev clang-format-14 valgrind mandoc zsh fish
bash binutils"

wanted=
for group in "$@"; do
    case $group in
    build) wanted="$wanted $build" ;;
    check) wanted="$wanted $check" ;;
    *) echo "setup.sh: unknown group '$group' (build, check)" >&2; exit 2 ;;
    esac
done

command -v dpkg-query >/dev/null || {
    echo "setup.sh: not a Debian system; please install the equivalents of:" $wanted >&2
    exit 0
}
missing=
for package in $wanted; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "Installing missing packages:$missing"
as_root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
        echo "setup.sh: neither root nor sudo; please run: apt-get install --no-install-recommends$missing" >&2
        exit 1
    }
    as_root=sudo
fi
# Lists may be absent on a fresh system or too old to name files that still exist.
$as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
