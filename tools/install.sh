#!/bin/sh
# install.sh: called by `make install`; puts program, library, modules, headers, man pages and completions
# in place. Man pages and completions come from the program's own command table.
# SPDX-License-Identifier: Apache-2.0
set -eu
destdir=$1 bindir=$3 libdir=$4 includedir=$5 datadir=$6 moduledir=$7 build=$8 version=$9
abi=${version%%.*}

install -d "$destdir$bindir" "$destdir$libdir/pkgconfig" "$destdir$includedir/qboost" "$destdir$moduledir" \
    "$destdir$datadir/man/man1" "$destdir$datadir/bash-completion/completions" \
    "$destdir$datadir/zsh/site-functions" "$destdir$datadir/fish/vendor_completions.d" \
    "$destdir$datadir/doc/qboost"
install -m 755 "$build/qboost" "$destdir$bindir/"
install -m 755 "$build/libqboost.so.$version" "$destdir$libdir/"
ln -sf "libqboost.so.$version" "$destdir$libdir/libqboost.so.$abi"
ln -sf "libqboost.so.$abi" "$destdir$libdir/libqboost.so"
install -m 644 "$build/libqboost.a" "$destdir$libdir/"
install -m 644 "$build/qboost.pc" "$destdir$libdir/pkgconfig/"
install -m 644 include/qboost/*.h "$destdir$includedir/qboost/"
install -m 755 "$build"/qboost-modules/*.so "$destdir$moduledir/"
install -m 644 README.md LICENSE "$destdir$datadir/doc/qboost/"
"$build/qboost" completion bash >"$destdir$datadir/bash-completion/completions/qboost"
"$build/qboost" completion zsh >"$destdir$datadir/zsh/site-functions/_qboost"
"$build/qboost" completion fish >"$destdir$datadir/fish/vendor_completions.d/qboost.fish"
for command in "" $("$build/qboost" help --list); do
    "$build/qboost" help --man $command >"$destdir$datadir/man/man1/qboost${command:+-$command}.1"
done
