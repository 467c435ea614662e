#!/bin/bash
# run.sh: called by `make bench`: the embedded model, then the kernels one by one. Tables here, numbers of
# the model also in $BUILD/bench.json. Other work on the machine shows: compare ratios within one run.
# SPDX-License-Identifier: Apache-2.0
set -eu
BUILD=${BUILD:-build}
"$BUILD/bench/bench_score" --json "$BUILD/bench.json" "$@"
for check in "$BUILD"/tests/kernels/check_*; do
    case $check in *.d | *.o) continue ;; esac
    echo "---- $(basename "$check")"
    "$check" --bench
done
