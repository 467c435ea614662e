#!/bin/bash
# Published scores with published weights, for people who have them: QBOOST_CHECKPOINTS names a folder with
# one-align* or q-instruct*, checkpoints as they are published (folders) or converted (.gguf).
# SPDX-License-Identifier: Apache-2.0
checkpoints=${QBOOST_CHECKPOINTS:-}
. tests/cli/lib.sh
pictures=${QB_SHARED:-../shared}/data/fixtures/published
[ -n "$checkpoints" ] || { skip "published scores" "QBOOST_CHECKPOINTS names no folder with checkpoints"; finish; }
[ -d "$checkpoints" ] || { fail "QBOOST_CHECKPOINTS: '$checkpoints' is no folder"; finish; }
[ -d "$pictures" ] || { skip "published scores" "$pictures is absent"; finish; }

# find_model NAME PRESET: sets model to a .gguf, converting a folder if need be; 1 when there is neither.
find_model() {
    local found
    for found in "$checkpoints/$1"*.gguf; do
        [ -f "$found" ] && model=$found && return 0
    done
    for found in "$checkpoints/$1"*/; do
        [ -f "$found/config.json" ] || continue
        model=$checkpoints/$1-f16.gguf
        check_code "$1 is converted" 0 "$QBOOST" convert -q "$found" -o "$model" --preset "$2"
        return 0
    done
    skip "$1" "there is no $1* in $checkpoints"
    return 1
}

# near GOT WANTED TOLERANCE
near() { awk -v a="$1" -v b="$2" -v t="$3" 'BEGIN { d = a - b; exit !(d <= t && d >= -t) }'; }
score() { "$QBOOST" score --json --model "$model" "$@" | sed -n 's/.*"score":\([-0-9.e]*\).*/\1/p'; }

# The published numbers come from 16-bit floats on a GPU, whose own error is about 0.005 on 0..1.
if find_model one-align q-align; then
    got=$(score --scale 1-5 "$pictures/singapore_flyer.jpg")
    check "OneAlign, singapore_flyer.jpg: $got, published 1.911" near "$got" 1.911 0.02
fi
if find_model q-instruct q-instruct; then
    a=$(score --variant q-instruct-scorer "$pictures/sausage.jpg")
    b=$(score --variant q-instruct-scorer "$pictures/examples_211.jpg")
    near "$a" 0.42993 0.005 || { swap=$a a=$b b=$swap; } # either assignment, see docs/prompts.md
    check "Q-Instruct: $a, published 0.42993" near "$a" 0.42993 0.005
    check "Q-Instruct: $b, published 0.20483" near "$b" 0.20483 0.005
fi
finish
