#!/bin/bash
# Prompts, methods, prompt files, environment, models by name.
# SPDX-License-Identifier: Apache-2.0
. tests/cli/lib.sh
make_ppm "$work/a.ppm" 1
field() { sed -n "s/.*\"$1\":\"\\{0,1\\}\\([^,\"]*\\).*/\\1/p" "$work/out"; }
json() { "$QBOOST" "$@" >"$work/out" 2>"$work/err"; }

cat >"$work/p.txt" <<'TEXT'
# how the picture is made
prompt = Rate the sharpness of the image.

  tones   =  good high / poor, low
weights = 0.9 0.1
temperature=2
TEXT
json info --json --prompt-file "$work/p.txt"
check_same "prompt file: prompt" "$(field prompt)" "Rate the sharpness of the image."
check_same "prompt file: temperature" "$(sed 's/.*"temperature":\([0-9.]*\).*/\1/' "$work/out")" 2.0
check_has "prompt file: words and weights" "$work/out" '"name":"good","weight":0.9'
check_has "prompt file: commas" "$work/out" '"word":"low"'
json info --json --prompt-file "$work/p.txt" --prompt "Is it sharp?" --temperature 3
check_same "an option overrides the file" "$(sed 's/.*"prompt":"Is it sharp?","temperature":\([0-9.]*\).*/\1/' "$work/out")" 3.0
json info --json --prompt-file "$work/p.txt" --tones "good / poor"
check_has "own tones do away with the file's weights" "$work/out" '"name":"good","weight":1.0'

check_same "own tones: the method" "$(sed 's/.*"method":"\([a-z]*\)","prompt".*/\1/' "$work/out")" custom
json info --json --prompt-file "$work/p.txt" --method mpe
check_has "a method does away with the file's words" "$work/out" '"word":"acceptable"'
check_has "and with its temperature and weights" "$work/out" '"method":"mpe","prompt":"Rate the sharpness of the image.","temperature":1.0,"tones":[{"name":"good","weight":1.0'
{ printf '\357\273\277'; cat "$work/p.txt"; } >"$work/bom.txt"
json info --json --prompt-file "$work/p.txt"
cp "$work/out" "$work/without"
json info --json --prompt-file "$work/bom.txt"
check "a byte order mark is skipped" cmp "$work/out" "$work/without"
json info --json --weights "1 0.3 0"
check_has "other weights alone: still the method" "$work/out" '"method":"tti","prompt"'

json score --json "$work/a.ppm"
plain=$(field score) settings=$(field settings)
for change in "--method mpe" "--prompt Rate" "--temperature 2" "--weights 1,0.4,0" "--tones good/poor" "--decode upstream" "--background 000000"; do
    json score --json $change "$work/a.ppm"
    check "$change gives other settings" [ "$(field settings)" != "$settings" ]
done
json score --json --threads 2 "$work/a.ppm"
check_same "threads do not" "$(field settings)" "$settings"
json score --json --temperature 1e6 "$work/a.ppm"
check "a high temperature gives 0.5" awk -v s="$(field score)" 'BEGIN { exit !(s > 0.4999 && s < 0.5001) }'
json score --json --weights "0 0 0" "$work/a.ppm"
check_same "weights of 0 give 0" "$(field score)" 0.0
json score --json --weights "1 1 1" "$work/a.ppm"
check "weights of 1 give 1" awk -v s="$(field score)" 'BEGIN { exit !(s > 0.999999 && s < 1.000001) }'

QBOOST_FORMAT=csv json score "$work/a.ppm"
check_has "QBOOST_FORMAT" "$work/out" "path,width,height"
QBOOST_JSON=1 json score "$work/a.ppm"
check_same "QBOOST_JSON" "$(field score)" "$plain"
QBOOST_FORMAT=csv json score --json "$work/a.ppm"
check_same "the command line wins over the environment" "$(field score)" "$plain"
QBOOST_FORMAT= json score --json "$work/a.ppm"
check_same "an empty variable does not count" "$(field score)" "$plain"
QBOOST_SCALE=1-5 json score --json --scale 0-1 "$work/a.ppm"
check_same "the last word is the command line's" "$(field score)" "$plain"

model=$(ls models/*.gguf | head -1)
mkdir -p "$work/models" "$work/data/qboost/models" "$work/home/.local/share/qboost/models"
for folder in models data/qboost/models home/.local/share/qboost/models; do cp "$model" "$work/$folder/m.gguf"; done
model=$PWD/$model
for way in "env QBOOST_MODEL_PATH=/nowhere:$work/models" "env XDG_DATA_HOME=$work/data" \
    "env -u XDG_DATA_HOME HOME=$work/home" "env XDG_DATA_HOME=/nowhere XDG_DATA_DIRS=/nowhere:$work/data"; do
    for name in m m.gguf; do
        check_code "model $name by ${way//$work/}" 0 $way "$QBOOST" info --json $name
    done
done
check_code "relative XDG folders do not count" 4 bash -c 'cd "$2" && XDG_DATA_HOME=data XDG_DATA_DIRS=data HOME= "$1" info m' - "$QBOOST" "$work"
check_code "a file in the current folder" 0 bash -c 'cd "$2/models" && "$1" info m.gguf' - "$QBOOST" "$work"
check_code "QBOOST_MODEL" 0 env QBOOST_MODEL="$work/models/m.gguf" "$QBOOST" info --json
if command -v xxh128sum >/dev/null; then
    check_same "the hash is xxh128sum's" "$(field model_hash)" "$(xxh128sum "$model" | cut -d' ' -f1)"
else
    skip "the hash is xxh128sum's" "xxh128sum is not installed"
fi
json score --json --model "$work/models/m.gguf" "$work/a.ppm"
check "a model from a file scores" [ -n "$(field score)" ]
finish
