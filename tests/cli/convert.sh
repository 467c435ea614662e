#!/bin/bash
# qboost convert: from a published folder to scores; what it refuses, and what it leaves behind.
# SPDX-License-Identifier: Apache-2.0
. tests/cli/lib.sh
field() { sed -n "s/.*\"$1\":\"\\{0,1\\}\\([^,\"]*\\).*/\\1/p" "$work/out"; }
json() { "$QBOOST" "$@" >"$work/out" 2>"$work/err"; }
make_checkpoint "$work/owl" --arch mplug_owl2
make_checkpoint "$work/llava" --arch llava
mkdir "$work/o"
align=$work/o/align.gguf

check_code "convert" 0 "$QBOOST" convert "$work/owl" -o "$align" --preset q-align --name "My model"
check_same "one line at the end" "$(n_lines "$work/err")" 1
check_has "with the path" "$work/err" "$align: "
check_has "and what to try" "$work/err" "try: qboost score --model $align photo.jpg"
check_has "and how it will be asked" "$work/err" "asked as q-align-scorer"
json info --json --model "$align"
check_same "its variant" "$(field variant)" q-align-scorer
check_same "its fit" "$(field fit)" pad
check_same "its name" "$(field model)" "My model"
check_has "its levels" "$work/out" '"method":"levels"'
check_has "its prompt" "$work/out" '"prompt":"How would you rate the quality of this image?"'
json score --json --scale 1-5 --model "$align" examples/cat.jpg
five=$(field score)
json score --json --model "$align" examples/cat.jpg
unit=$(field score)
check "scores unasked: five levels" [ "$(field p_excellent)" != "" -a "$(field fit)" = pad ]
check "--scale 1-5" awk -v a="$five" -v b="$unit" 'BEGIN { d = a - (1 + 4 * b); exit !(d < 1e-6 && d > -1e-6) }'
json score --json --model "$align" --variant q-instruct-scorer examples/cat.jpg
check "as Q-Instruct" [ "$(field method)" = tti -a "$(field fit)" = crop -a "$(field score)" != "$unit" ]
for variant in $("$QBOOST" info --json --model "$align" | sed 's/.*"variants":\[\([^]]*\)\].*/\1/' | tr -d '"' | tr , ' '); do
    check_code "as $variant" 0 "$QBOOST" score --model "$align" --variant "$variant" examples/cat.jpg
done
check_code "a variant of LLaVA's" 2 "$QBOOST" score --model "$align" --variant llava-eval examples/cat.jpg

# every preset and type
for preset in q-instruct q-align deqa co-instruct; do
    check_code "--preset $preset" 0 "$QBOOST" convert -q --force "$work/owl" -o "$work/o/p.gguf" --preset $preset
    check_same "-q says nothing" "$(n_lines "$work/err")" 0
    check_code "which scores" 0 "$QBOOST" score --model "$work/o/p.gguf" examples/cat.jpg
done
"$QBOOST" convert --type '' x 2>"$work/err"
types=$(sed -n 's/.* is none of //p' "$work/err" | tr -d ,)
check "there are types" [ "$(echo $types | wc -w)" -ge 6 ]
for type in $types; do
    check_code "--type $type" 0 "$QBOOST" convert -q --force "$work/llava" -o "$work/o/t.gguf" --preset llava --type $type
    json score --json --model "$work/o/t.gguf" examples/cat.jpg
    check "which scores" [ -n "$(field score)" ]
done
for threads in 1 3; do
    "$QBOOST" convert -q --force "$work/owl" -o "$work/o/$threads.gguf" --preset deqa --name x --type q8_0 --threads $threads
done
check "the same file for any number of threads" cmp "$work/o/1.gguf" "$work/o/3.gguf"
rm -f "$work"/o/[0-9pt]*.gguf

# what is refused; nothing is left behind
code() { # code WHAT CODE TEXT ARGUMENT…
    local what=$1 wanted=$2 text=$3
    shift 3
    check_code "$what" "$wanted" "$QBOOST" convert "$@"
    check_has "$what: says so" "$work/err" "$text"
}
out=$work/o/new.gguf
code "no folder" 2 "something is missing" -o "$out"
code "no file" 2 "-o is missing" "$work/owl" --preset deqa
code "no preset where it cannot be told" 2 "q-align" "$work/owl" -o "$out"
code "a preset of another architecture" 2 "llava" "$work/llava" -o "$out" --preset q-align
code "a preset that is none" 2 "is none of" "$work/owl" -o "$out" --preset q-aligned
code "an existing file" 2 "--force replaces it" "$work/owl" -o "$align" --preset deqa
code "a folder as the file" 2 "not a regular file" "$work/owl" -o "$work/o" --preset deqa
code "a device as the file" 2 "not a regular file" "$work/owl" -o /dev/null --force --preset deqa
code "no such checkpoint" 4 "No such file" "$work/nothing" -o "$out" --preset deqa
code "a file as the checkpoint" 4 "not a folder" "$work/owl/config.json" -o "$out" --preset deqa
code "a folder without config.json" 4 "config.json" "$work/o" -o "$out" --preset deqa
code "standard output as the file" 2 "standard output" "$work/owl" -o - --preset deqa
code "an empty name" 2 "is empty" "" -o "$out" --preset deqa
code "no folder for the file" 1 "the folder '$work/no/' cannot be written to: No such file" "$work/owl" -o "$work/no/new.gguf" --preset deqa
cp -r "$work/owl" "$work/cut"
head -c 100000 "$work/owl/model.safetensors" >"$work/cut/model.safetensors"
code "a truncated checkpoint" 4 "model.safetensors" "$work/cut" -o "$out" --preset deqa
check_code "a file over the size limit" 1 bash -c 'ulimit -f 1000; "$@"' - "$QBOOST" convert "$work/owl" -o "$out" --preset deqa
check_has "is a write that fails" "$work/err" "$out: File too large"
echo '{"model_type": "bert"}' >"$work/cut/config.json"
code "another architecture" 4 "bert" "$work/cut" -o "$out" --preset deqa
check_same "nothing but what was there" "$(ls -A "$work/o")" align.gguf
before=$(cksum <"$align")
code "a failure with --force" 4 "bert" "$work/cut" -o "$align" --force --preset deqa
check_same "keeps what was there" "$(cksum <"$align")" "$before"

# Ctrl-C while it writes: the temporary file is there, somewhere in the output's folder.
if command -v python3 >/dev/null; then
    code=$(python3 - "$work/o" "$work/err" "$QBOOST" convert -q --type q4_k --threads 1 "$work/owl" -o "$out" --preset deqa <<'PY'
import os, signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # not inherited as ignored
process = subprocess.Popen(sys.argv[3:], stderr=open(sys.argv[2], "w"))
while process.poll() is None and len(os.listdir(sys.argv[1])) < 2:
    time.sleep(0.001)
process.send_signal(signal.SIGINT)
print(process.wait(20))
PY
)
    check_same "Ctrl-C ends it with 130" "$code" 130
    check_has "says that nothing was written" "$work/err" "nothing was written"
    check_same "and leaves nothing behind" "$(ls -A "$work/o")" align.gguf
else
    skip "Ctrl-C" "needs python3"
fi
finish
