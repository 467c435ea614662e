#!/bin/bash
# run.sh: called by `make bench`: the embedded model, the model files named in MODELS, the correlations of a
# large set, the noise of a megapixel, then the kernels one by one. Tables here, numbers also in $BUILD/bench.json
# and $BUILD/bench-*.json. Other work on the machine shows: compare ratios within one run.
# SPDX-License-Identifier: Apache-2.0
set -eu
BUILD=${BUILD:-build}
"$BUILD/bench/bench_score" --json "$BUILD/bench.json" "$@"
for model in ${MODELS:-}; do
    "$BUILD/bench/bench_model" --json "$BUILD/bench-$(basename "$model" .gguf).json" "$model"
done
"$BUILD/bench/bench_stats"
"$BUILD/bench/bench_noise" --json "$BUILD/bench-noise.json"
for check in "$BUILD"/tests/kernels/check_*; do
    case $check in *.d | *.o) continue ;; esac
    echo "---- $(basename "$check")"
    "$check" --bench
done
