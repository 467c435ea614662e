#!/bin/bash
# The exit codes, one by one.
# SPDX-License-Identifier: Apache-2.0
. tests/cli/lib.sh
make_ppm "$work/a.ppm" 1
make_ppm "$work/b.ppm" 2
printf 'not a picture' >"$work/broken.jpg"
mkdir "$work/empty" "$work/mixed"
cp "$work/a.ppm" "$work/b.ppm" "$work/broken.jpg" "$work/mixed"

check_code "0: all scored" 0 "$QBOOST" score "$work/a.ppm" "$work/b.ppm"
check_code "1: one input failed" 1 "$QBOOST" score --json "$work/mixed"
check_same "1: the others are scored" "$(grep -c '"score":' "$work/out")" 2
check_same "1: one object with an error" "$(grep -c '"error":' "$work/out")" 1
check_same "1: one line on stderr" "$(n_lines "$work/err")" 1
check_has "1: which names the file" "$work/err" broken.jpg
check_code "1: a file that does not exist" 1 "$QBOOST" score "$work/nothing.png"
check_code "1: results cannot be written" 1 bash -c '"$1" score "$2" >/dev/full' - "$QBOOST" "$work/a.ppm"

for arguments in "" "--nonsense x" "-Q x" "--format xml x" "--scale 0-10 x" "--sort size x" "--method none x" \
    "--threads -1 x" "--threads two x" "--max-pixels 0 x" "--max-pixels 5Z x" "--shard 1 x" "--shard 2/2 x" \
    "--shard -1/2 x" "--shard 1/2/3 x" "--fail-under low x" "--fail-under 1.5 x" "--fail-under -0.1 x" "--fail-under 0.5 --scale 1-5 x" "--scale 0-100 --fail-under 101 x" "--fail-under nan x" "--temperature 0 x" \
    "--background red x" "--format" "--quiet=1 x" "--null x" "--retry-failed x" "- -" "- --files-from -" \
    "--resume r.jsonl --format csv x" "--resume r.jsonl --sort score x" "--cpu mmx x" \
    "--tones good x" "--tones good/good x" "--weights 1 x" "--shard 0/99999999999 x" "--shard 4294967296/4294967297 x" "--shard /2 x" "--shard 0/ x" "--shard +0/2 x" "--prompt-file $work/nothing.txt x"; do
    check_code "2: score $arguments" 2 "$QBOOST" score $arguments </dev/null
done
check_code "2: ask without a question" 2 "$QBOOST" ask "$work/a.ppm"
check_code "2: ask without a question, twice a picture" 2 "$QBOOST" ask "$work/a.ppm" "$work/a.ppm"
check_has "2: which is said" "$work/err" "question is missing"
for blank in "" " " "$(printf ' \t ')"; do
    check_code "2: ask with the question '$blank'" 2 "$QBOOST" ask "$work/a.ppm" "$blank"
    check_has "2: which is said" "$work/err" "question is empty"
    check_code "2: score with the prompt '$blank'" 2 "$QBOOST" score --prompt "$blank" "$work/a.ppm"
    check_code "2: info with the prompt '$blank'" 2 "$QBOOST" info --prompt "$blank"
done
check_code "2: a model without a name" 2 "$QBOOST" score -m "" "$work/a.ppm"
check_code "2: ask a model without a name" 2 "$QBOOST" ask -m "" "$work/a.ppm" what
check_code "2: info on a model without a name" 2 "$QBOOST" info ""
check_code "2: completion for another shell" 2 "$QBOOST" completion tcsh
check_has_not "2: no shell is guessed" "$work/err" "did you mean"
check_has "2: the shells are named" "$work/err" "bash zsh fish"
check_code "2: completion without a shell" 2 "$QBOOST" completion
check_code "2: a bad variable" 2 env QBOOST_THREADS=many "$QBOOST" score "$work/a.ppm"
check_has "2: which is named" "$work/err" QBOOST_THREADS
printf 'nonsense\n' >"$work/bad-prompt.txt"
check_code "2: a bad prompt file" 2 "$QBOOST" score --prompt-file "$work/bad-prompt.txt" "$work/a.ppm"

check_code "3: an empty folder" 3 "$QBOOST" score "$work/empty"
check_same "3: nothing on standard output" "$(wc -c <"$work/out" | tr -d ' ')" 0
check_same "3: one line" "$(cat "$work/err")" "qboost: no picture found"
check_code "3: an empty list" 3 "$QBOOST" score --files-from /dev/null
check_code "3: a list that is not there" 3 "$QBOOST" score --files-from "$work/nothing"

head -c 5000 /dev/zero >"$work/zero.gguf"
check_code "4: no such model file" 4 "$QBOOST" score --model "$work/nothing.gguf" "$work/a.ppm"
check_code "4: not a model" 4 "$QBOOST" info "$work/zero.gguf"
check_code "4: no model of that name" 4 "$QBOOST" score --model no-such-model "$work/a.ppm"
check_has "4: the places searched are named" "$work/err" qboost/models

check_code "2: more than 8 tones" 2 "$QBOOST" score --tones "a / b / c / d / e / f / g / h / i" "$work/a.ppm"
check_has "2: the option is named" "$work/err" "--tones: "
check_code "2: more than 32 words" 2 "$QBOOST" score --tones "$(echo {a..z} aa bb cc dd ee ff) / gg" "$work/a.ppm"
check_has "2: the option is named" "$work/err" "--tones: "
check_code "2: weights that are too many" 2 "$QBOOST" score --weights "1 0.5 0.2 0" "$work/a.ppm"
check_has "2: the option is named" "$work/err" "--weights: "
check_code "2: a weight above 1" 2 "$QBOOST" score --weights "2 0.5 0" "$work/a.ppm"
check_has "2: the option is named" "$work/err" "--weights: "

check_code "6: below the threshold" 6 "$QBOOST" score --fail-under 1 "$work/a.ppm"
check_has "6: says how many" "$work/err" "1 of 1 picture is below 1"
"$QBOOST" score --fail-under 1 "$work/a.ppm" "$work/b.ppm" 2>"$work/err" >"$work/out"
check_has "6: of several" "$work/err" "2 of 2 pictures are below 1"
check_code "6: on the printed scale" 6 "$QBOOST" score --scale 1-5 --fail-under 5 "$work/a.ppm"
check_code "0: above the threshold" 0 "$QBOOST" score --scale 1-5 --fail-under 1 "$work/a.ppm"
check_code "1 before 6" 1 "$QBOOST" score --fail-under 1 "$work/mixed"

check_code "-q leaves only errors" 1 "$QBOOST" score -q "$work/mixed"
check_same "-q: one line" "$(n_lines "$work/err")" 1
finish
