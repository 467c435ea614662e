#!/bin/bash
# Published ways of asking, fits, llama.cpp's pairs of files.
# SPDX-License-Identifier: Apache-2.0
. tests/cli/lib.sh
pair=tests/golden/llava_pair
llava="--model $pair/f16.gguf --mmproj $pair/mmproj-small.gguf"
field() { sed -n "s/.*\"$1\":\"\\{0,1\\}\\([^,\"]*\\).*/\\1/p" "$work/out"; }
json() { "$QBOOST" "$@" >"$work/out" 2>"$work/err"; }

# a pair says nothing: it is asked as LLaVA-1.5
json info --json $llava
check_same "a pair: the variant" "$(field variant)" llava-eval
check_same "a pair: the fit" "$(field fit)" crop
check_has "a pair: the template" "$work/out" 'A chat between a curious human'
check_has "a pair: what it can take" "$work/out" '"variants":["llava-eval","llava"]'
check_code "a pair scores" 0 "$QBOOST" score $llava examples/cat.jpg
check_code "--mmproj alone" 2 "$QBOOST" score --mmproj $pair/mmproj-small.gguf examples/cat.jpg
check_has "and says what is missing" "$work/err" "--model must name"
check_code "half a pair" 4 "$QBOOST" score --model $pair/f16.gguf examples/cat.jpg

json score --json $llava examples/cat.jpg
plain=$(field score) settings=$(field settings)
json score --json $llava --variant llava-eval examples/cat.jpg
check_same "its own variant by name: the same score" "$(field score)" "$plain"
check_same "and the same settings" "$(field settings)" "$settings"
json score --json $llava --variant llava examples/cat.jpg
check "another variant: another score" [ "$(field score)" != "$plain" ]
check "and other settings" [ "$(field settings)" != "$settings" ]
check_same "its fit" "$(field fit)" pad
padded=$(field score)
json score --json $llava --variant llava --fit crop examples/cat.jpg
check "--fit overrides the variant's" [ "$(field score)" != "$padded" -a "$(field fit)" = crop ]
json score --json $llava --fit pad examples/cat.jpg
check "--fit alone" [ "$(field score)" != "$plain" -a "$(field variant)" = llava-eval ]
check "gives other settings" [ "$(field settings)" != "$settings" ]
json info --json $llava --variant llava --prompt "Sharp?" --method binary
check_same "--prompt and --method beside a variant" "$(field prompt)" "Sharp?"
check_has "which keeps its template" "$work/out" 'A chat between a curious user'
check_has "and takes the method" "$work/out" '"method":"binary"'

printf 'variant = llava\nprompt = Sharp?\n' >"$work/p.txt"
json info --json $llava --prompt-file "$work/p.txt"
check "a variant in a prompt file" [ "$(field variant)" = llava -a "$(field prompt)" = "Sharp?" -a "$(field fit)" = pad ]
json info --json $llava --prompt-file "$work/p.txt" --variant llava-eval
check "the command line's variant leaves nothing of the file's" [ "$(field prompt)" = "Rate the quality of the image." ]
QBOOST_VARIANT=llava json info --json $llava
check_same "QBOOST_VARIANT" "$(field variant)" llava

check_code "a variant of another architecture" 2 "$QBOOST" score $llava --variant q-align-eval examples/cat.jpg
check_has "lists those that suit" "$work/err" "there are: llava-eval, llava"
check_code "a variant that is none" 2 "$QBOOST" score $llava --variant lava examples/cat.jpg
check_has "suggests one" "$work/err" "did you mean llava?"
check_code "a variant with the model inside" 2 "$QBOOST" score --variant llava examples/cat.jpg
check_code "a fit with the model inside" 2 "$QBOOST" score --fit pad examples/cat.jpg
check_has "says why" "$work/err" "one way only"

# --resume: what another variant gave is not taken for this one's
check_code "resume: one variant" 0 "$QBOOST" score $llava --resume "$work/r.jsonl" examples/cat.jpg
check_code "resume: another" 0 "$QBOOST" score $llava --variant llava --resume "$work/r.jsonl" examples/cat.jpg
check_same "both are kept" "$(n_lines "$work/r.jsonl")" 2
check_code "resume: the first again" 0 "$QBOOST" score $llava --resume "$work/r.jsonl" examples/cat.jpg
check_same "nothing to do" "$(n_lines "$work/r.jsonl")" 2
finish
