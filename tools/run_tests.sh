#!/bin/bash
# run_tests.sh: runs every test program of a build folder and every shell test, and adds up what they say.
# Usage: BUILD=build tools/run_tests.sh [WORD…]      only tests whose path contains one of the words
# SPDX-License-Identifier: Apache-2.0
set -u
cd "$(dirname "$0")/.."
BUILD=${BUILD:-build}
export BUILD QBOOST=${QBOOST:-$BUILD/qboost} QB_SHARED=${QB_SHARED:-../shared}
passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

count() { grep -cE "$1" "$log" || true; }
sum() { sed -nE "s/$1/\\1/p" "$log" | awk '{ n += $1 } END { print n + 0 }'; }

for test in "$BUILD"/tests/unit/*/test_* "$BUILD"/tests/kernels/check_* tests/cli/*.sh tests/package/*.sh; do
    case $test in *.o | *.d | *'*'* | */lib.sh) continue ;; esac
    if [ $# -gt 0 ]; then
        match=
        for word in "$@"; do case $test in *"$word"*) match=1 ;; esac; done
        [ -n "$match" ] || continue
    fi
    case $test in *.sh) runner=bash ;; *) runner= ;; esac
    start=$(date +%s.%N)
    $runner "$test" >"$log" 2>&1
    code=$?
    p=$(( $(count '^\[       OK \]') + $(count '^ok ') + $(sum '^([0-9]+) passed, [0-9]+ failed.*') ))
    f=$(( $(grep -E '^\[  FAILED  \] [a-z_0-9]+$' "$log" | sort -u | wc -l) + $(count '^not ok ') + $(sum '^[0-9]+ passed, ([0-9]+) failed.*') ))
    # cmocka names a skipped test twice: where it stands and in its summary
    s=$(( $(grep -E '^\[  SKIPPED \] [a-z_0-9]+$' "$log" | sort -u | wc -l) + $(count '^ok .*# SKIP') ))
    [ $code -ne 0 ] && [ $f -eq 0 ] && f=1
    printf '%-52s %4d passed %3d failed %3d skipped %6.1f s\n' "$test" $p $f $s \
        "$(echo "$(date +%s.%N) $start" | awk '{ print $1 - $2 }')"
    grep -hE 'SKIP|skipp' "$log" | grep -vE '^\[' | sed 's/^/    /' | sort -u | head -5
    if [ $code -ne 0 ] || [ $f -ne 0 ]; then sed 's/^/    | /' "$log" | tail -60; fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
echo "$passed $failed $skipped" >"$BUILD/test-summary"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
