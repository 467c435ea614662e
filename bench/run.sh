#!/bin/bash
# run.sh: called by `make bench`: the embedded model, the model files named in MODELS, the correlations of a
# large set, then the kernels one by one. Tables here, numbers of the models also in $BUILD/bench.json and
# $BUILD/bench-<model>.json. Other work on the machine shows: compare ratios within one run.
# SPDX-License-Identifier: Apache-2.0
set -eu
BUILD=${BUILD:-build}
"$BUILD/bench/bench_score" --json "$BUILD/bench.json" "$@"
for model in ${MODELS:-}; do
    "$BUILD/bench/bench_model" --json "$BUILD/bench-$(basename "$model" .gguf).json" "$model"
done
"$BUILD/bench/bench_stats"
for check in "$BUILD"/tests/kernels/check_*; do
    case $check in *.d | *.o) continue ;; esac
    echo "---- $(basename "$check")"
    "$check" --bench
done
