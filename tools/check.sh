#!/bin/bash
# check.sh: every test there is, after the set-up: release build, sanitizers, valgrind, fuzz targets for a
# moment, layers and format. The last line adds everything up.
# SPDX-License-Identifier: Apache-2.0
set -u
cd "$(dirname "$0")/.."
MAKE=${MAKE:-make}
JOBS=${JOBS:-$(nproc)}
passed=0 failed=0 skipped=0 broken=()

# A step that is one test.
step() {
    local name=$1 log
    shift
    log=$(mktemp)
    if "$@" >"$log" 2>&1; then
        passed=$((passed + 1))
        echo "ok   $name"
    else
        failed=$((failed + 1)) broken+=("$name")
        echo "FAIL $name"
        tail -40 "$log" | sed 's/^/    | /'
    fi
    rm -f "$log"
}

# A step that is many: run_tests.sh leaves its sums in a file.
suite() {
    local name=$1 build=$2
    shift 2
    echo "---- $name"
    rm -f "$build/test-summary"
    if ! BUILD=$build tools/run_tests.sh "$@" && [ ! -s "$build/test-summary" ]; then
        failed=$((failed + 1)) broken+=("$name")
        return
    fi
    read -r p f s <"$build/test-summary"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    [ "$f" = 0 ] || broken+=("$name")
}

sanitize='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all'
step "build" "$MAKE" -j"$JOBS" all programs
suite "tests" build
step "layers" "$MAKE" layers
step "format" "$MAKE" fmt-check
step "build with clang" "$MAKE" -j"$JOBS" BUILD=build/clang CC=clang-14 all
step "build with sanitizers" "$MAKE" -j"$JOBS" BUILD=build/asan CFLAGS="$sanitize" all programs
suite "tests under the address and undefined-behaviour sanitizers" build/asan
step "build with the thread sanitizer" "$MAKE" -j"$JOBS" BUILD=build/tsan CFLAGS='-O1 -g -fsanitize=thread' \
    all programs
suite "threads under the thread sanitizer" build/tsan test_threads test_session test_scorer test_video_score test_evaluate
step "valgrind on one score" valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite \
    build/qboost score --cpu avx2 --threads 2 tests/golden/compact/dark_65x63.png
step "build the fuzz targets" "$MAKE" -j"$JOBS" fuzzers
# Each for a while, as many at a time as there are CPUs.
seconds=${FUZZ_SECONDS:-30}
logs=$(mktemp -d)
for target in tests/fuzz/fuzz_*.c; do
    name=$(basename "$target" .c)
    while [ "$(jobs -rp | wc -l)" -ge "$JOBS" ]; do wait -n; done
    (tools/fuzz.sh "$seconds" "build/fuzz/$name" >"$logs/$name" 2>&1 && touch "$logs/$name.good") &
done
wait
for target in tests/fuzz/fuzz_*.c; do
    name=$(basename "$target" .c)
    step "$name for $seconds s" sh -c "cat $logs/$name; [ -e $logs/$name.good ]"
done
rm -rf "$logs"

[ ${#broken[@]} -eq 0 ] || printf 'failed: %s\n' "${broken[@]}"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
