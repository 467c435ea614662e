#!/bin/bash
# qboost ask and qboost info.
# SPDX-License-Identifier: Apache-2.0
. tests/cli/lib.sh
command -v python3 >/dev/null || { skip "ask and info" "needs python3"; exit 0; }
check_code "ask" 0 "$QBOOST" ask examples/cat.jpg "How sharp is it?"
check "ask prints an answer" grep -q . "$work/out"
cp "$work/out" "$work/first"
"$QBOOST" ask --threads 1 examples/cat.jpg "How sharp is it?" >"$work/out"
check "the same every time, with any number of threads" cmp "$work/first" "$work/out"
check_code "ask --json" 0 "$QBOOST" ask --json -n 1 examples/cat.jpg 'Is it "sharp"?'
check "ask --json is an object" python3 -c 'import json, sys
o = json.load(open(sys.argv[1]))
sys.exit(not (o["schema"] == "qboost.answer/1" and o["question"] == "Is it \"sharp\"?" and o["path"] == "examples/cat.jpg" and "answer" in o))' "$work/out"
check_code "ask reads standard input" 0 bash -c '"$1" ask - "How sharp is it?" <examples/cat.jpg' - "$QBOOST"
check "and says the same" cmp "$work/first" "$work/out"
check_code "ask about nothing" 1 "$QBOOST" ask "$work/nothing.jpg" "What?"
check_same "one line" "$(n_lines "$work/err")" 1
check_code "ask: no question" 2 "$QBOOST" ask examples/cat.jpg examples/rocket.jpg
check_has "says which operand stands there" "$work/err" "the last operand, 'examples/rocket.jpg', is a file"
check_code "ask: a picture that is not there as the question" 2 "$QBOOST" ask examples/cat.jpg nothing.jpg
check_has "is not asked" "$work/err" "'nothing.jpg', is named like a picture"
check_code "ask: a missing picture is told before the model is opened" 1 "$QBOOST" ask --model "$work/none.gguf" examples/cat.jpg "$work/nothing.jpg" "What?"
check_has "by its name" "$work/err" "nothing.jpg: No such file"
check_code "a folder as the model" 4 "$QBOOST" ask --model "$work" examples/cat.jpg "What?"
check_has "says what makes a model of it" "$work/err" "qboost convert"
check_code "a folder by its name" 4 bash -c 'cd "$2/.." && "$1" info --model "${2##*/}"' - "$QBOOST" "$work"
check_has "as well" "$work/err" "is a folder"
check_code "--mmproj and the model inside" 2 "$QBOOST" ask --model default --mmproj x.gguf examples/cat.jpg "What?"
check_code "ask: --max-tokens" 2 "$QBOOST" ask -n 0 examples/cat.jpg "What?"

# several pictures, odds of words
check_code "ask about two pictures" 0 "$QBOOST" ask --json examples/cat.jpg examples/rocket.jpg "Which is sharper?"
check "both are named" python3 -c 'import json, sys
o = json.load(open(sys.argv[1]))
assert [p["path"] for p in o["pictures"]] == ["examples/cat.jpg", "examples/rocket.jpg"] and "path" not in o' "$work/out"
check_code "standard input twice" 2 "$QBOOST" ask - - "Which?" </dev/null
check_code "ask --candidates" 0 "$QBOOST" ask --json --candidates "Yes, goodness,good,No" examples/cat.jpg "Is it sharp?"
check "odds of words" python3 -c 'import json, math, sys
o = json.load(open(sys.argv[1]))
c = o["candidates"]
assert o["schema"] == "qboost.candidates/1" and o["question"] == "Is it sharp?"
assert [e["word"] for e in c] == ["Yes", "goodness", "good", "No"]
assert all(e["log_probability"] < 0 and abs(e["probability"] - math.exp(e["log_probability"])) < 1e-8 for e in c)
assert sum(e["probability"] for e in (c[0], c[2], c[3])) <= 1 + 1e-9
assert c[1]["token"] == c[2]["token"] and c[1]["pieces"] > 1 == c[2]["pieces"]' "$work/out"
check_code "and as a table" 0 "$QBOOST" ask --candidates "Yes,goodness,good" examples/cat.jpg "Is it sharp?"
check_has "which tells of words cut short" "$work/out" "first of 2"
check_has "and of those that are one token" "$work/out" "the same as of goodness"
check_code "words that are hardly ever said" 0 "$QBOOST" ask --candidates "yes,no" examples/cat.jpg "Is it sharp?"
check "have odds that are not 0" grep -q '^ *[1-9][0-9.]*e-[0-9]* .* yes (token' "$work/out"
check_code "without a question: where a score is read" 0 "$QBOOST" ask --json --candidates good,average,poor examples/cat.jpg
cp "$work/out" "$work/odds"
"$QBOOST" score --json examples/cat.jpg >"$work/out"
check "the odds of the score's words are its probabilities" python3 -c 'import json, math, sys
c, s = (json.load(open(f)) for f in sys.argv[1:])
p = [math.exp(e["log_probability"]) for e in c["candidates"]]
assert c["question"] == "Rate the quality of the image."
assert all(abs(x / sum(p) - s["p_" + e["word"]]) < 1e-6 for x, e in zip(p, c["candidates"]))' "$work/odds" "$work/out"
check_code "but not of two pictures" 2 "$QBOOST" ask --candidates good,poor examples/cat.jpg examples/rocket.jpg
check_code "a word that is no token" 2 "$QBOOST" ask --candidates "good,§§" examples/cat.jpg "Is it sharp?"
check_code "an empty word" 2 "$QBOOST" ask --candidates "good,,poor" examples/cat.jpg "Is it sharp?"

check_code "info" 0 "$QBOOST" info
for part in "hash (xxh128)" variant template questions fit score method prompt temperature tones good jpeg png webp; do
    check_has "info tells: $part" "$work/out" "$part"
done
check_code "info --json" 0 "$QBOOST" info --json --method mpe
check "info --json is an object" python3 -c 'import json, sys
o = json.load(open(sys.argv[1]))
assert o["schema"] == "qboost.info/1" and len(o["model_hash"]) == 32 and o["method"] == "mpe"
assert [t["weight"] for t in o["tones"]] == [1, 0.5, 0]
assert [[w["word"] for w in t["words"]] for t in o["tones"]] == [["good", "high", "fine"], ["average", "medium", "acceptable"], ["poor", "low", "bad"]]
assert all(w["token"] >= 0 and w["pieces"] >= 1 for t in o["tones"] for w in t["words"])
assert "jpg" in o["formats"]["jpeg"]' "$work/out"
finish
