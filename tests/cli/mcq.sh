#!/bin/bash
# qboost mcq: one question, lists of them, what is refused.
# SPDX-License-Identifier: Apache-2.0
. tests/cli/lib.sh
command -v python3 >/dev/null || { skip "mcq" "needs python3"; exit 0; }
make_checkpoint "$work/owl" --arch mplug_owl2
model=$work/co.gguf
check_code "a model to ask" 0 "$QBOOST" convert -q "$work/owl" -o "$model" --preset co-instruct
mcq() { "$QBOOST" mcq --model "$model" "$@"; }
three="--option Sharp --option Soft --option Blurry"

check_code "a question" 0 mcq examples/cat.jpg --question "How sharp is it?" $three
check_same "a line an option, under a title" "$(n_lines "$work/out")" 4
check_same "one is chosen" "$(grep -c '^->' "$work/out")" 1
check_code "as JSON" 0 mcq --json examples/cat.jpg --question "How sharp is it?" $three
cp "$work/out" "$work/first"
check "is an object" python3 -c 'import json, math, sys
o = json.load(open(sys.argv[1]))
p = [e["probability"] for e in o["options"]]
l = [e["log_probability"] for e in o["options"]]
assert o["schema"] == "qboost.mcq/1" and o["layout"] == "q-instruct-owl2" and o["variant"] == "co-instruct"
assert [(e["letter"], e["text"]) for e in o["options"]] == [("A", "Sharp"), ("B", "Soft"), ("C", "Blurry")]
assert abs(sum(p) - 1) < 1e-8 and max(l) < 0
assert all(abs(p[i] - math.exp(l[i]) / sum(map(math.exp, l))) < 1e-7 for i in range(3))
best = max(range(3), key=lambda i: p[i])
assert o["answer"] == "ABC"[best] and o["answer_text"] == o["options"][best]["text"]
assert "index" not in o and "correct" not in o and o["path"] == "examples/cat.jpg"' "$work/first"
check_code "with one thread" 0 mcq --json --threads 1 examples/cat.jpg --question "How sharp is it?" $three
check_same "to the bit" "$(without_ms "$work/out" | sed 's/"ms":[0-9.]*//')" "$(without_ms "$work/first" | sed 's/"ms":[0-9.]*//')"

# the layout in full: the same letters by ask --candidates
ask_odds() { "$QBOOST" ask --model "$model" --json --candidates A,B,C examples/cat.jpg "$1" >"$work/odds"; }
same_odds() {
    python3 -c 'import json, sys
a = [e["log_probability"] for e in json.load(open(sys.argv[1]))["options"]]
b = [e["log_probability"] for e in json.load(open(sys.argv[2]))["candidates"]]
assert a == b, (a, b)' "$work/out" "$work/odds"
}
options=$'A. Sharp\nB. Soft\nC. Blurry\n' letter=$'Answer with the option\'s letter from the given choices directly.\n'
for layout in q-instruct-owl2 q-instruct-llava q-bench; do
    case $layout in
    q-instruct-owl2) ask_odds $'How sharp?\n'"$options$letter" ;;
    q-instruct-llava) ask_odds $'How sharp?\n'"$letter$options" ;;
    *) ask_odds $'How sharp?\nChoose between one of the options as follows:\n'"$options" ;;
    esac
    check_code "--layout $layout" 0 mcq --json --layout $layout examples/cat.jpg --question "How sharp?" $three
    check "is what it says" same_odds
done
check_code "two pictures" 0 mcq --json examples/cat.jpg examples/rocket.jpg --question "Which is sharper?" --option First --option Second
check_has "both are named" "$work/out" '"pictures":[{"path":"examples/cat.jpg"},{"path":"examples/rocket.jpg"}]'

# a list
cat >"$work/list.json" <<'JSON'
[{"img_path": "cat.jpg", "question": "How sharp is it?", "candidates": ["Sharp", "Soft", "Blurry"], "correct_ans": "Soft", "type": 1},
 {"img_path": "cat.jpg", "question": "Is it dark?", "candidates": ["Yes", "No"], "correct_ans": "No"},
 {"img_path": "cat.jpg", "question": "Is it dark?", "candidates": ["Yes", "No"], "correct_ans": "Yes"},
 {"img_path": ["cat.jpg", "rocket.jpg"], "question": "Which?", "candidates": ["First", "Second"]}]
JSON
check_code "a list" 0 mcq --questions "$work/list.json" --images examples
check_same "a line a question, and the share" "$(n_lines "$work/out")" 5
check "of right answers" grep -q '^accuracy 0.[36]..*: [12] of 3 right' "$work/out"
check_code "a list as JSON" 0 mcq --json --questions "$work/list.json" --images examples/
check "is lines" python3 -c 'import json, sys
o = [json.loads(l) for l in open(sys.argv[1])]
assert [x["schema"] for x in o] == ["qboost.mcq/1"] * 4 + ["qboost.mcq-summary/1"]
assert [x["index"] for x in o[:4]] == [0, 1, 2, 3]
assert [x.get("correct") for x in o[:4]] == ["B", "B", "A", None]
assert all(x["is_correct"] == (x["answer"] == x["correct"]) for x in o[:3]) and "is_correct" not in o[3]
assert o[1]["is_correct"] != o[2]["is_correct"]
assert o[4]["questions"] == 4 and o[4]["judged"] == 3 and o[4]["failed"] == 0
assert o[4]["right"] == sum(x["is_correct"] for x in o[:3]) and abs(o[4]["accuracy"] - o[4]["right"] / 3) < 1e-8' "$work/out"
sed -n 1p "$work/out" >"$work/item"
check_same "a list's answer is the single question's" \
    "$(sed 's/.*"options"/"options"/; s/"ms":[0-9.]*//' "$work/item")" "$(sed 's/.*"options"/"options"/; s/"ms":[0-9.]*//' "$work/first")"
sed 's/rocket.jpg/nothing.jpg/' "$work/list.json" >"$work/bad.json"
check_code "a picture that is missing" 1 mcq --json --questions "$work/bad.json" --images examples
check_has "is named" "$work/err" "question 4: examples/nothing.jpg"
check_same "and has a line, as the others" "$(n_lines "$work/out")" 5
check_has "with the reason" "$work/out" '"error":"examples/nothing.jpg'
check_has "they are counted" "$work/err" "1 of 4 questions could not be answered"
check_code "a list from standard input" 0 bash -c '"$1" mcq --model "$2" --questions - --images examples <"$3"' - "$QBOOST" "$model" "$work/list.json"
cp "$work/out" "$work/answers"
python3 -c 'import json, sys
for o in json.load(sys.stdin): print(json.dumps(o))' <"$work/list.json" >"$work/list.jsonl"
check_code "a list as JSON lines" 0 mcq --questions "$work/list.jsonl" --images examples
check "is the same" cmp "$work/out" "$work/answers"
check_has "both pictures are named" "$work/out" "(examples/cat.jpg, examples/rocket.jpg)"

wrong_list() { # wrong_list WHAT TEXT JSON
    printf '%s' "$3" >"$work/wrong.json"
    check_code "a list: $1" 3 mcq --questions "$work/wrong.json" --images examples
    check_has "a list: $1: says so" "$work/err" "$2"
}
wrong_list "no JSON" "wrong.json:1" "[{"
wrong_list "no list" "question 1: question" '{"img_path": "cat.jpg"}'
wrong_list "something behind it" "something follows" '[] 1'
wrong_list "a broken line" "behind question 1: " '{"img_path": "cat.jpg", "question": "q", "candidates": ["a", "b"]}
{"img_path'
wrong_list "empty" "no question" '[]'
wrong_list "no object" "question 1: img_path" '[7]'
wrong_list "one option" "question 1: candidates" '[{"img_path": "cat.jpg", "question": "q", "candidates": ["a"]}]'
wrong_list "an option that is no text" "question 1: candidates" '[{"img_path": "cat.jpg", "question": "q", "candidates": ["a", 2]}]'
wrong_list "a right answer that is no option" "question 2: correct_ans" \
    '[{"img_path": "c", "question": "q", "candidates": ["a", "b"]}, {"img_path": "c", "question": "q", "candidates": ["a", "b"], "correct_ans": "c"}]'
wrong_list "no question" "question 1: question" '[{"img_path": "cat.jpg", "question": " ", "candidates": ["a", "b"]}]'
check_code "a list that is not there" 3 mcq --questions "$work/none.json"
check_same "says it once" "$(cat "$work/err")" "qboost: $work/none.json: No such file or directory"
check_code "a folder as the list" 3 mcq --questions "$work"
check_has "says so" "$work/err" "$work: Is a directory"

check_code "no picture" 2 mcq --question q --option a --option b
check_code "no question" 2 mcq examples/cat.jpg --option a --option b
check_code "one option" 2 mcq examples/cat.jpg --question q --option a
many=
for i in $(seq 27); do many="$many --option x$i"; done
check_code "27 options" 2 mcq examples/cat.jpg --question q $many
check_has "says how many there may be" "$work/err" "2 to 26"
check_code "an empty option" 2 mcq examples/cat.jpg --question q --option a --option " "
check_code "a list and a question" 2 mcq --questions "$work/list.json" --question q
check_code "a list and a picture" 2 mcq --questions "$work/list.json" examples/cat.jpg
check_code "--images without a list" 2 mcq --images examples examples/cat.jpg --question q --option a --option b
check_code "the model inside has no letters" 1 "$QBOOST" mcq examples/cat.jpg --question q --option a --option b
check_has "and says so" "$work/err" "cannot choose"
check_code "nor of a list" 1 "$QBOOST" mcq --questions "$work/list.json" --images examples
check_same "and says it once" "$(n_lines "$work/err") $(n_lines "$work/out")" "1 0"
check_code "a picture that is not there" 1 mcq "$work/none.jpg" --question q --option a --option b
finish
