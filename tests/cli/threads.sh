#!/bin/bash
# The number of threads changes nothing but the timings.
# SPDX-License-Identifier: Apache-2.0
. tests/cli/lib.sh
mkdir "$work/p"
for i in $(seq -w 30); do make_ppm "$work/p/$i.ppm" $i; done
printf 'broken' >"$work/p/17b.jpg"
"$QBOOST" score --json --threads 1 "$work/p" examples/c*.jpg >"$work/one" 2>"$work/one.err"
for threads in 2 3 8 0; do
    "$QBOOST" score --json --threads $threads "$work/p" examples/c*.jpg >"$work/more" 2>"$work/more.err"
    check_same "--threads $threads: the same lines in the same order" "$(without_ms "$work/more")" "$(without_ms "$work/one")"
    check "--threads $threads: the same messages" cmp "$work/one.err" "$work/more.err"
done
"$QBOOST" score --json --threads 7 examples/cat.jpg >"$work/single"
check_same "many threads for one picture" "$(without_ms "$work/single")" "$(without_ms "$work/one" | grep cat.jpg)"
ls "$work/p"/*.ppm | "$QBOOST" score --json --threads 4 --files-from - >"$work/list"
check_same "a list on a pipe" "$(without_ms "$work/list")" "$(without_ms "$work/one" | grep -F '"score"' | grep -v examples/)"
for level in ref avx2 avx512; do
    if ! "$QBOOST" score -q --cpu $level "$work/p/01.ppm" >/dev/null 2>&1; then
        skip "--cpu $level" "not on this CPU"
        continue
    fi
    "$QBOOST" score --json --cpu $level examples/cat.jpg >"$work/level"
    check_has "--cpu $level is in the record" "$work/level" "\"cpu\":\"$level\""
    check "--cpu $level: the same score within 1e-4" awk -v a="$(sed 's/.*"score":\([^,]*\),.*/\1/' "$work/level")" \
        -v b="$(sed 's/.*"score":\([^,]*\),.*/\1/' "$work/single")" 'BEGIN { d = a - b; exit !(d < 1e-4 && d > -1e-4) }'
done
finish
