#!/bin/bash
# install.sh: installs into a folder of its own, then builds examples/score_file.c against what was
# installed, by pkg-config alone, and runs it, the program and the modules from there.
# SPDX-License-Identifier: Apache-2.0
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
status=0
check() { # name, command…
    local name=$1
    shift
    if "$@" >"$log" 2>&1; then echo "ok $name"; else echo "not ok $name"; cat "$log"; status=1; fi
}
# The sanitizers' runtime has to come first in a program; the release build is what people install.
[ "$BUILD" = build ] || { echo "ok install # SKIP only for the release build"; exit 0; }
root=$(mktemp -d) log=$(mktemp)
trap 'rm -rf "$root" "$log"' EXIT
prefix=/usr/local
check "make install" make install DESTDIR="$root" prefix=$prefix
at=$root$prefix
export PKG_CONFIG_PATH=$at/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root LD_LIBRARY_PATH=$at/lib
picture=tests/golden/compact/cat.png
[ "$(wc -l <examples/score_file.c)" -lt 40 ] && echo "ok the example is under 40 lines" || { echo "not ok example length"; status=1; }
check "example builds with pkg-config" ${CC:-cc} -Wall -Wextra -Werror examples/score_file.c \
    $(pkg-config --cflags --libs qboost) -o "$root/score_file"
check "example scores a picture" "$root/score_file" $picture
expected=$("$at/bin/qboost" score --json $picture | sed -E 's/.*"score": ?([0-9.]{5}).*/\1/')
[ "$(cut -c1-5 "$log")" = "$expected" ] && echo "ok example and program agree ($expected)" || { echo "not ok example says $(cat "$log"), program $expected"; status=1; }
check "static linking" ${CC:-cc} examples/score_file.c -I"$at/include" "$at/lib/libqboost.a" \
    $(pkg-config --static --libs qboost | sed 's/-lqboost//') -o "$root/score_static"
"$root/score_file" "$root/missing.jpg" >"$log" 2>&1
[ $? -eq 1 ] && grep -q 'missing.jpg' "$log" && echo "ok example names a missing file" || { echo "not ok missing file"; cat "$log"; status=1; }
for file in bin/qboost lib/libqboost.so include/qboost/qboost.h share/man/man1/qboost.1 share/man/man1/qboost-score.1 \
    share/bash-completion/completions/qboost share/zsh/site-functions/_qboost share/fish/vendor_completions.d/qboost.fish; do
    check "installed $file" test -s "$at/$file"
done
# Another prefix after a build for the usual one: the folders that are built in must follow.
other=$root/other
check "make install with another prefix" make install prefix="$other"
check "the pkg-config file follows" grep -qx "prefix=$other" "$other/lib/pkgconfig/qboost.pc"
check "modules are found there" "$other/bin/qboost" score -q tests/golden/images/$(cd tests/golden/images && ls *.avif | head -1)
check "and the usual prefix again" make all
exit $status
