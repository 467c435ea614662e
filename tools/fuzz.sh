#!/bin/bash
# fuzz.sh: runs fuzz targets for a while each, on the seeds kept in tests/fuzz/corpus/<name>.
# Usage: tools/fuzz.sh SECONDS TARGET…      findings and new inputs are left in build/fuzz/
# SPDX-License-Identifier: Apache-2.0
set -eu
cd "$(dirname "$0")/.."
seconds=$1
shift
for target in "$@"; do
    name=$(basename "$target")
    name=${name#fuzz_}
    found=build/fuzz/found-$name
    mkdir -p "$found"
    seeds=tests/fuzz/corpus/$name
    [ -d "$seeds" ] || seeds=
    "$target" -max_total_time="$seconds" -rss_limit_mb=4096 -timeout=25 -max_len=65536 -print_final_stats=1 \
        -artifact_prefix="build/fuzz/$name-" "$found" $seeds 2>&1 | tail -15
    [ "${PIPESTATUS[0]}" -eq 0 ] || { echo "$target found something: build/fuzz/$name-*"; exit 1; }
done
