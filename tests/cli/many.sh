#!/bin/bash
# A list of 10,000 files in constant memory. Nine in ten are damaged: an error has to be free of
# leaks as well, and costs no time.
# SPDX-License-Identifier: Apache-2.0
. tests/cli/lib.sh
if is_sanitized; then skip "10,000 files" "memory is not comparable under a sanitizer"; exit 0; fi
command -v python3 >/dev/null || { skip "10,000 files" "needs python3"; exit 0; }
make_ppm "$work/tiny.ppm" 1
head -c 100 "$work/tiny.ppm" >"$work/damaged.ppm"
python3 - "$work" <<'PY'
import os, sys
work = sys.argv[1]
for folder in range(10):
    os.mkdir(f"{work}/{folder}")
    for i in range(1000):
        os.symlink("../damaged.ppm" if i % 10 else "../tiny.ppm", f"{work}/{folder}/{i:03}.ppm")
paths = [f"{work}/{folder}/{i:03}.ppm" for folder in range(10) for i in range(1000)]
open(f"{work}/list", "w").write("\n".join(paths) + "\n")
open(f"{work}/short", "w").write("\n".join(paths[:200]) + "\n")
PY
cat >"$work/peak.py" <<'PY'
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:], stdout=open(sys.argv[1], "w"), stderr=open(sys.argv[1] + ".err", "w"))
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code != 1)  # some failed
PY
few=$(python3 "$work/peak.py" "$work/few" "$QBOOST" score -q --threads 2 --format tsv --files-from "$work/short")
many=$(python3 "$work/peak.py" "$work/out" "$QBOOST" score -q --threads 2 --format tsv --files-from "$work/list")
check_same "10,000 rows" "$(($(n_lines "$work/out") - 1))" 10000
check_same "9,000 of them failed" "$(n_lines "$work/out.err")" 9000
check "in the list's order" bash -c 'tail -n +2 "$1" | cut -f 1 | cmp - "$2"' - "$work/out" "$work/list"
check "peak memory does not grow: $few KiB for 200, $many KiB for 10,000" [ "$many" -lt $((few + 768)) ]
finish
