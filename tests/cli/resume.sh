#!/bin/bash
# --resume: nothing scored twice, nothing lost, whatever stopped the run.
# SPDX-License-Identifier: Apache-2.0
. tests/cli/lib.sh
mkdir "$work/p"
for i in $(seq -w 500); do make_ppm "$work/p/$i.ppm" $i; done
n=500
"$QBOOST" score --json "$work/p" >"$work/whole"
r=$work/r.jsonl
touch "$r" # an empty file is as good as none
paths_of() { sed 's/.*"path":"\([^"]*\)".*/\1/' "$1" | sort; }
scored() { sed -n 's/^qboost: \([0-9]*\) scored.*/\1/p' "$work/err"; }

# killed in the middle, several times
kills=0
for attempt in $(seq 50); do
    "$QBOOST" score -q --resume "$r" "$work/p" 2>/dev/null &
    pid=$!
    before=$(n_lines "$r")
    while kill -0 $pid 2>/dev/null && [ "$(n_lines "$r")" -lt $((before + 40)) ]; do sleep 0.01; done
    if kill -9 $pid 2>/dev/null; then kills=$((kills + 1)); fi
    wait $pid 2>/dev/null
    [ "$(n_lines "$r")" -ge 120 ] && break
done
check "it was killed ($kills times)" [ $kills -ge 1 ]
lines=$(n_lines "$r")
check "and was not done ($lines of $n)" [ "$lines" -lt $n ]
check_code "the last run ends it" 0 "$QBOOST" score --resume "$r" "$work/p"
check_same "it scored just what was missing" "$(scored)" $((n - lines))
check_same "nothing on standard output" "$(wc -c <"$work/out" | tr -d ' ')" 0
check_same "every picture once" "$(paths_of "$r")" "$(paths_of "$work/whole")"
check_same "the same lines as an uninterrupted run" "$(without_ms "$r" | sort)" "$(without_ms "$work/whole" | sort)"
check_code "once more" 0 "$QBOOST" score --resume "$r" "$work/p"
check_same "nothing is left to do" "$(scored)" 0

# a closed stderr must not hand its number to the file
cp "$r" "$work/before"
check_code "stderr is closed" 1 bash -c '"$1" score --resume "$2" "$3/no.ppm" "$3/001.ppm" 2>&-' - "$QBOOST" "$r" "$work/p"
check_same "one line more, of JSON" "$(tail -n +501 "$r" | cut -c 1-9)" '{"schema"'
check_code "stdout and stdin are closed too" 1 bash -c '"$1" score --resume "$2" "$3/no2.ppm" <&- >&- 2>&-' - "$QBOOST" "$r" "$work/p"
check_same "two lines more" "$(tail -n +501 "$r" | cut -c 1-9 | uniq -c | tr -s ' ')" ' 2 {"schema"'
check_code "a closed stdout is no place for results" 1 bash -c '"$1" score "$2/001.ppm" >&-' - "$QBOOST" "$work/p"

# a line cut short
head -n 10 "$work/whole" >"$r"
cp "$r" "$work/ten"
for cut in 1 10 40 200; do
    { cat "$work/ten"; sed -n 11p "$work/whole" | head -c $cut; } >"$r"
    check_code "a last line of $cut bytes is cut off" 0 "$QBOOST" score --resume "$r" "$work/p"/0[01]?.ppm
    check_same "after $cut bytes: whole lines" "$(without_ms "$r")" "$(head -n 19 "$work/whole" | without_ms /dev/stdin)"
done

# what is not ours stays as it is
printf 'my novel' >"$work/novel"
check_code "a file that is something else" 2 "$QBOOST" score --resume "$work/novel" "$work/p"
check_same "is left alone" "$(cat "$work/novel")" "my novel"
{ head -n 3 "$work/whole"; echo '{"a":1}'; } >"$r"
check_code "so is one with a foreign line" 2 "$QBOOST" score --resume "$r" "$work/p"
check_same "which is named" "$(grep -c 'line 4' "$work/err")" 1
check_code "a file that is no file" 2 "$QBOOST" score --resume /dev/null "$work/p"

# other settings are other results
r=$work/s.jsonl
two="$work/p/001.ppm $work/p/002.ppm"
"$QBOOST" score -q --resume "$r" $two
check_code "another method is scored again" 0 "$QBOOST" score --resume "$r" --method mpe $two
check_same "both" "$(scored)" 2
check_code "another scale, too" 0 "$QBOOST" score --resume "$r" --scale 1-5 $two
check_same "both again" "$(scored)" 2
check_code "another number of threads is not" 0 "$QBOOST" score --resume "$r" --threads 3 $two
check_same "none" "$(scored)" 0
check_code "a path given twice is scored once" 0 "$QBOOST" score --resume "$work/t.jsonl" $two $two
check_same "two" "$(scored)" 2
check_code "the threshold sees results of before" 6 "$QBOOST" score --resume "$r" --fail-under 1 $two

# failures
printf 'not a picture' >"$work/x.jpg"
r=$work/f.jsonl
check_code "a failure is written" 1 "$QBOOST" score --resume "$r" "$work/x.jpg"
check_code "and remembered" 1 "$QBOOST" score --resume "$r" "$work/x.jpg"
check_same "not tried again" "$(n_lines "$r")" 1
cp "$work/p/001.ppm" "$work/x.jpg"
check_code "--retry-failed tries again" 0 "$QBOOST" score --retry-failed --resume "$r" "$work/x.jpg"
check_same "a line more" "$(n_lines "$r")" 2
check_code "the newer line counts" 0 "$QBOOST" score --resume "$r" "$work/x.jpg"
check_code "also for --retry-failed" 0 "$QBOOST" score --retry-failed --resume "$r" "$work/x.jpg"
check_same "no line more" "$(n_lines "$r")" 2

# names that JSON cannot hold
cp "$work/p/001.ppm" "$work/$(printf 'l\374')"
"$QBOOST" score -q --resume "$work/b.jsonl" "$work/$(printf 'l\374')"
check_code "a name that is not UTF-8" 0 "$QBOOST" score --resume "$work/b.jsonl" "$work/$(printf 'l\374')"
check_same "is recognised" "$(scored)" 0

# two at once
if command -v flock >/dev/null; then
    check_code "a file in use by another run" 2 flock "$r" "$QBOOST" score --resume "$r" "$work/x.jpg"
else
    skip "a file in use by another run" "needs flock(1)"
fi
finish
