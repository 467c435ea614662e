#!/bin/bash
# qboost compare: by scores and by the pair prompt, the same from both sides, what is refused.
# SPDX-License-Identifier: Apache-2.0
. tests/cli/lib.sh
command -v python3 >/dev/null || { skip "compare" "needs python3"; exit 0; }
compare() { "$QBOOST" compare "$@"; }
cat=examples/cat.jpg blur=examples/cat-blur.jpg
for i in 1 2 3; do make_ppm "$work/$i.ppm" $i; done

# ---- by scores
cat >"$work/formula.py" <<'PY'
# formula.py COMPARISON SCORES WEIGHTS: the odds follow from the tones of the two scores
import json, math, sys
c = json.load(open(sys.argv[1]))
scores = [json.loads(l) for l in open(sys.argv[2])]
weights = dict(w.split("=") for w in sys.argv[3].split())
mean, variance = [], []
for s in scores:
    p = {k: s["p_" + k] for k in weights}
    assert abs(sum(p.values()) - 1) < 1e-7
    mean.append(sum(p[k] * float(weights[k]) for k in p))
    variance.append(sum(p[k] * (float(weights[k]) - mean[-1]) ** 2 for k in p))
    assert abs(mean[-1] - s["score"]) < 1e-7
p = 0.5 * (1 + math.erf((mean[0] - mean[1]) / math.sqrt(2 * sum(variance))))
assert abs(c["p_first"] - p) < 1e-6, (c["p_first"], p)
for i in 0, 1:
    e = c["pictures"][i]
    assert e["path"] == scores[i]["path"] and e["score"] == scores[i]["score"]
    assert abs(e["deviation"] - math.sqrt(variance[i])) < 1e-6
assert (c["schema"], c["by"], c["better"]) == ("qboost.comparison/1", "scores", int(p < 0.5))
assert c["p_first_in_front"] is c["p_first_behind"] is None
PY
for method in tti binary; do
    weights="good=1 average=0.5 poor=0"
    [ $method = binary ] && weights="good=1 poor=0"
    for pair in "$cat $blur" "$blur $cat" "$work/1.ppm $work/2.ppm"; do
        check_code "$method: $(basename ${pair% *}) and $(basename ${pair#* })" 0 compare --json --method $method $pair
        "$QBOOST" score --json --method $method $pair >"$work/scores"
        check "the formula" python3 "$work/formula.py" "$work/out" "$work/scores" "$weights"
    done
done
read_odds() { python3 -c 'import json, sys; c = json.load(sys.stdin); print(c["better"], repr(c["p_first"]))'; }
p_first() { compare --json "$@" | read_odds; }
check "swapped: the other one, the rest of the odds" python3 -c 'import sys
b, p, c, q = sys.argv[1:]
assert {b, c} == {"0", "1"} and abs(float(p) + float(q) - 1) < 1e-8' $(p_first $cat $blur) $(p_first $blur $cat)
check_same "a picture and itself: neither" "$(p_first $cat $cat)" "None 0.5"
check_code "in words" 0 compare $cat $cat
check_same "about even" "$(head -n 1 "$work/out")" "Even: neither is better"
check_code "a clear case" 0 compare $blur $cat
cp "$work/out" "$work/swapped"
check_same "says which, and how sure" "$(sed -n '1s/[0-9]* %/N %/p' "$work/out")" "$cat looks better than $blur (N % sure)"
check_same "as JSON does" "$(grep -o '[0-9]* %' "$work/out")" "$(p_first $cat $blur | awk '{ printf "%.0f %%", 100 * $2 }')"
check_code "swapped" 0 compare $cat $blur
check_same "the same sentence" "$(head -n 1 "$work/out")" "$(head -n 1 "$work/swapped")"
check_same "the same lines" "$(tail -n 2 "$work/out" | sort)" "$(tail -n 2 "$work/swapped" | sort)"
for threads in 1 2; do compare --json --threads $threads $cat $blur | sed 's/"ms":[0-9.]*//' >"$work/t$threads"; done
check "--threads changes nothing" cmp "$work/t1" "$work/t2"
check_code "standard input" 0 bash -c '"$1" compare --json "$2" - <"$3"' - "$QBOOST" $cat $blur
check_same "is as the file" "$(read_odds <"$work/out")" "$(p_first $cat $blur)"
check_code "not twice" 2 compare - - <$cat
check_code "not asked: --by scores" 0 compare --json --by scores $cat $blur
check_same "is what auto is here" "$(sed 's/"ms":[0-9.]*//' "$work/out")" "$(cat "$work/t1")"
check_code "a model that was not taught to compare" 2 compare --by pair $cat $blur
check_has "is told" "$work/err" "was not taught to compare"

# ---- by the pair prompt
make_checkpoint "$work/owl" --arch mplug_owl2
check_code "one that was" 0 "$QBOOST" convert -q "$work/owl" -o "$work/co.gguf" --preset co-instruct
pair() { compare --model "$work/co.gguf" "$@"; }
check_code "by the pair prompt" 0 pair --json "$work/1.ppm" "$work/2.ppm"
cp "$work/out" "$work/ab"
check_code "swapped" 0 pair --json "$work/2.ppm" "$work/1.ppm"
check "asked in both orders, averaged" python3 -c 'import json, sys
ab, ba = (json.load(open(p)) for p in sys.argv[1:])
assert ab["by"] == ba["by"] == "pair" and ab["pictures"][0]["score"] is ab["pictures"][0]["deviation"] is None
for c in ab, ba:
    assert 0 < c["p_first_in_front"] < 1 and 0 < c["p_first_behind"] < 1
    assert abs(c["p_first"] - (c["p_first_in_front"] + c["p_first_behind"]) / 2) < 1e-8
assert abs(ab["p_first_in_front"] - (1 - ba["p_first_behind"])) < 1e-8
assert abs(ab["p_first"] + ba["p_first"] - 1) < 1e-8 and ab["p_first_in_front"] != ab["p_first_behind"]' "$work/ab" "$work/out"
check_code "in words" 0 pair "$work/1.ppm" "$work/2.ppm"
check_has "both orders are told" "$work/out" "when shown second"
check_code "--by scores" 0 pair --json --by scores "$work/1.ppm" "$work/2.ppm"
check_has "scores them" "$work/out" '"by":"scores"'
check_code "own words" 0 pair --json --tones good/poor "$work/1.ppm" "$work/2.ppm"
check_has "are words for scores" "$work/out" '"by":"scores"'

# ---- refused
check_code "one picture" 2 compare $cat
check_code "three" 2 compare $cat $blur $cat
check_has "the command for many is named" "$work/err" "qboost score"
check_code "none" 2 compare
check_code "--by what" 2 compare --by luck $cat $blur
head -c 300 $cat >"$work/cut.jpg"
for wrong in cut.jpg nowhere.jpg .; do
    check_code "$wrong" 1 compare --json $cat "$work/$wrong"
    check_has "is named" "$work/err" "$work/$wrong"
    check_same "nothing is said of the other" "$(n_lines "$work/out")" 0
done
finish
