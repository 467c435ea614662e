#!/bin/bash
# qboost eval: the numbers, where scores come from, journals, what is refused.
# SPDX-License-Identifier: Apache-2.0
. tests/cli/lib.sh
command -v python3 >/dev/null || { skip "eval" "needs python3"; exit 0; }
shared=${QB_SHARED:-../shared}/data
case $shared in /*) ;; *) shared=$PWD/$shared ;; esac
cat >"$work/agreement.py" <<'PY'
# The statistics as their definitions have them, pair by pair.
import csv, json, math

def ranks(x):
    return [sum(b < a for b in x) + (sum(b == a for b in x) + 1) / 2 for a in x]

def plcc(x, y):
    mx, my = math.fsum(x) / len(x), math.fsum(y) / len(y)
    dot = lambda a, ma, b, mb: math.fsum((p - ma) * (q - mb) for p, q in zip(a, b))
    return dot(x, mx, y, my) / math.sqrt(dot(x, mx, x, mx) * dot(y, my, y, my))

def srcc(x, y):
    return plcc(ranks(x), ranks(y))

def krcc(x, y):
    sign = lambda d: (d > 0) - (d < 0)
    pairs = [(sign(x[i] - x[j]), sign(y[i] - y[j])) for i in range(len(x)) for j in range(i)]
    return sum(a * b for a, b in pairs) / math.sqrt(sum(a * a for a, b in pairs) * sum(b * b for a, b in pairs))

def rmse(x, y):
    return math.sqrt(math.fsum((a - b) ** 2 for a, b in zip(x, y)) / len(x))

def mapped(b, x):
    if len(b) == 4:
        return (b[0] - b[1]) / (1 + math.exp(-(x - b[2]) / abs(b[3]))) + b[1]
    return b[0] * (0.5 - 1 / (1 + math.exp(b[1] * (x - b[2])))) + b[3] * x + b[4]

def near(a, b, tolerance=1e-9):
    assert abs(a - b) <= tolerance, (a, b)

def check(result, x, y):
    """result, an entry of "results", is what these pairs give."""
    assert result["n"] == len(x) and result["parts"] == 1
    near(result["srcc"], srcc(x, y))
    near(result["plcc"], plcc(x, y))
    near(result["krcc"], krcc(x, y))
    for n, error in ((4, "rmse"), (5, "rmse_logistic5")):
        b = result["logistic%d" % n]["b"]
        m = [mapped(b, v) for v in x]
        near(result["plcc_logistic%d" % n], plcc(m, y), 1e-8)
        near(result[error], rmse(m, y), 1e-8)
        for i in range(n):  # nothing near it fits better
            for step in (-1e-3, 1e-3):
                c = b[:i] + [b[i] * (1 + step)] + b[i + 1:]
                assert rmse([mapped(c, v) for v in x], y) > result[error] * (1 - 1e-7), (n, i, step)

def rows(path):
    return list(csv.DictReader(open(path, newline="")))

def pairs(labels, scores):
    score = {r["path"].split("/")[-1]: float(r["score"]) for r in map(json.loads, open(scores)) if "score" in r}
    both = [(score[r["name"]], float(r["mos"])) for r in rows(labels) if r["name"] in score]
    return [a for a, _ in both], [b for _, b in both]
PY
py() { PYTHONPATH=$work python3 "$@"; }
results() { python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); r = d["results"]; print(('"$2"'))' "$1"; }
evaluate() { "$QBOOST" eval "$@"; }

# ---- numbers, from tables
py - "$work" <<'PY'
import csv, json, math, random, sys
random.seed(5)
names = ['a, b "c" %d.png' % i if i % 9 == 0 else "deep/%d.png" % i for i in range(80)]
score = [round(random.random(), 2) for _ in names]  # ties
mos = [round(1 + 4 / (1 + math.exp(-8 * (s - 0.4))) + random.gauss(0, 0.5), 1) for s in score]
with open(sys.argv[1] + "/labels.csv", "w", newline="") as f:
    csv.writer(f).writerows([("name", "mos")] + list(zip(names, mos)))
with open(sys.argv[1] + "/scores.csv", "w", newline="") as f:
    order = random.sample(range(80), 80)
    csv.writer(f).writerows([("file", "score")] + [(names[i].split("/")[-1], score[i]) for i in order])
json.dump([{"image": n, "gt_score": "%s " % m, "score": str(s)} for n, m, s in zip(names, mos, score)],
          open(sys.argv[1] + "/both.json", "w"))
json.dump((score, mos), open(sys.argv[1] + "/pairs.json", "w"))
PY
check_code "scores against labels" 0 evaluate --json --labels "$work/labels.csv" --scores "$work/scores.csv"
cp "$work/out" "$work/a.json"
check "are what the definitions give" py -c 'import json, sys
from agreement import check
d = json.load(open(sys.argv[1] + "/a.json"))
r = d["results"][0]
check(r, *json.load(open(sys.argv[1] + "/pairs.json")))
assert d["schema"] == "qboost.eval/1" and len(d["results"]) == 1 and d["means"] == []
assert (r["dataset"], r["method"], r["n_failed"], r["n_unrated"]) == ("labels", "score", 0, 0)
for key in ("srcc", "plcc", "plcc_logistic4", "plcc_logistic5", "krcc", "rmse", "rmse_logistic5"):
    assert r[key + "_low"] < r[key] < r[key + "_high"], key
    assert r[key + "_high"] - r[key + "_low"] < 0.5' "$work"
check_code "opinions and scores in one file, as JSON" 0 evaluate --json --scores "$work/both.json" --name scores
check_same "the same numbers" "$(sed 's/"both"/"labels"/' "$work/out")" "$(cat "$work/a.json")"
for threads in 1 2; do
    check_code "--threads $threads" 0 evaluate --json --threads $threads --labels "$work/labels.csv" --scores "$work/scores.csv"
    check_same "changes nothing" "$(cat "$work/out")" "$(cat "$work/a.json")"
done
check_code "--seed 2" 0 evaluate --json --seed 2 --labels "$work/labels.csv" --scores "$work/scores.csv"
check "moves the intervals alone" python3 -c 'import json, sys
a, b = (json.load(open(p))["results"][0] for p in sys.argv[1:])
differ = [k for k in a if a[k] != b[k]]
assert "srcc_low" in differ and all(k.endswith(("_low", "_high")) for k in differ), differ' "$work/a.json" "$work/out"
check_code "--bootstrap 0" 0 evaluate --json --bootstrap 0 --labels "$work/labels.csv" --scores "$work/scores.csv"
check_same "has no intervals" "$(results "$work/out" '[r[0][k] for k in sorted(r[0]) if k.endswith("_low") or k.endswith("_high")]')" "[$(yes None, | head -14 | tr '\n' ' ' | sed 's/, $//')]"

# ---- formats
for format in csv tsv table markdown latex; do
    evaluate --format $format --labels "$work/labels.csv" --scores "$work/scores.csv" --name 'a_b & 5%|x' \
        --scores "$work/both.json" --name 'c' >"$work/f.$format"
done
check "all formats say the same" python3 - "$work" <<'PY'
import csv, json, re, sys
r = json.load(open(sys.argv[1] + "/a.json"))["results"][0]
for format, dialect in (("csv", "excel"), ("tsv", "excel-tab")):
    rows = list(csv.DictReader(open(sys.argv[1] + "/f." + format, newline=""), dialect=dialect))
    assert len(rows) == 2 and [w["source"] for w in rows] == ["a_b & 5%|x", "c"]
    for w in rows:
        assert (w["dataset"], w["method"], w["n"], w["failed"], w["unrated"]) == ("labels", "score", "80", "0", "0")
        for key in r:
            if re.match("srcc|plcc|krcc|rmse", key):
                assert abs(float(w[key]) - r[key]) < 1e-11 * max(1, r[key]), key
plain = [r["srcc"], r["srcc_low"], r["srcc_high"], r["plcc"], r["plcc_low"], r["plcc_high"], r["plcc_logistic4"],
         r["plcc_logistic5"], r["krcc"], r["rmse"]]
for format, name in (("table", "a_b & 5%|x"), ("markdown", r"a\_b & 5%\|x"), ("latex", r"a\_b \& 5\%|x")):
    text = open(sys.argv[1] + "/f." + format).read()
    assert re.findall(r"\d\.\d{3}", text) == 2 * ["%.3f" % v for v in plain], format
    assert name in text, (format, text)
assert [l.count(" | ") for l in open(sys.argv[1] + "/f.markdown")] == 4 * [9]
PY

# ---- parts, means, several sets
head -n 41 "$work/labels.csv" >"$work/one.csv"
{ head -n 1 "$work/labels.csv"; tail -n 40 "$work/labels.csv"; } >"$work/two.csv"
check_code "two sets" 0 evaluate --json --bootstrap 0 --labels "$work/one.csv" --labels "$work/two.csv" \
    --scores "$work/both.json" --scores "$work/scores.csv" --name m --name m
cp "$work/out" "$work/sets.json"
check_code "--part-size" 0 evaluate --json --bootstrap 0 --part-size 40 --labels "$work/labels.csv" --scores "$work/scores.csv"
check "parts and means of sets" py - "$work/sets.json" "$work/out" "$work/pairs.json" <<'PY'
import json, sys
from agreement import *
sets, part = (json.load(open(p)) for p in sys.argv[1:3])
x, y = json.load(open(sys.argv[3]))
check(sets["results"][0], x[:40], y[:40])
check(sets["results"][1], x[40:], y[40:])
mean, p = sets["means"][0], part["results"][0]
assert (mean["dataset"], mean["mean_of"], mean["n"], p["parts"], part["part_size"]) == ("mean", 2, 80, 2, 40)
for key in ("srcc", "plcc", "krcc", "plcc_logistic4", "plcc_logistic5"):
    half = (sets["results"][0][key] + sets["results"][1][key]) / 2
    near(mean[key], half)
    near(p[key], half)
near(p["srcc"], (srcc(x[:40], y[:40]) + srcc(x[40:], y[40:])) / 2)
assert mean["rmse"] is None
PY
sed 's/\r//; 1s/$/,set/; 2,30s/$/,night/; 31,81s/$/,day/' "$work/labels.csv" >"$work/column.csv"
check_code "a column of data sets" 0 evaluate --json --bootstrap 0 --labels "$work/column.csv" --scores "$work/scores.csv"
check_same "makes rows" "$(results "$work/out" '[(e["dataset"], e["n"]) for e in r], d["means"][0]["n"]')" "([('night', 29), ('day', 51)], 80)"
{ printf 'name,mos,set\n1.png,3,lonely\n'; tail -n +2 "$work/column.csv"; } >"$work/three.csv"
check_code "a set of one" 0 evaluate --json --bootstrap 0 --labels "$work/three.csv" --scores "$work/scores.csv"
check_same "is no part of the mean" "$(results "$work/out" '[e["srcc"] is None for e in r], d["means"][0]["mean_of"]')" "([True, False, False], 2)"

# ---- which file is called what
mkdir -p "$work/n/old" "$work/n/new"
for name in old/x old/y new/x new/y; do cp "$work/both.json" "$work/n/$name.json"; done
names() { evaluate --json --bootstrap 0 "$@" >"$work/out" && results "$work/out" '" ".join(e["source"] + ":" + e["dataset"] for e in r), len(d["means"])'; }
(cd "$work/n/old" && evaluate --json --bootstrap 0 --scores x.json --scores y.json >"$work/here")
check_same "scores in folders" "$(names --scores "$work/n/old/x.json" --scores "$work/n/new/x.json" --scores "$work/n/old/y.json" --scores "$work/n/new/y.json")" \
    "('old:x new:x old:y new:y', 2)"
check_same "scores in this folder" "$(results "$work/here" '" ".join(e["source"] + ":" + e["dataset"] for e in r), len(d["means"])')" "('scores:x scores:y', 1)"
check_same "scores of one name" "$(names --labels "$work/labels.csv" --scores "$work/n/old/x.json" --scores "$work/n/new/x.json")" "('old/x:labels new/x:labels', 0)"
cp "$work/both.json" "$work/n/old/x.jsonl"
check_same "names that differ in the ending" "$(names --labels "$work/labels.csv" --scores "$work/n/old/x.json" --scores "$work/n/old/x.jsonl" | sed "s:$work/::g")" "('n/old/x.json:labels n/old/x.jsonl:labels', 0)"
cp "$work/labels.csv" "$work/n/old/"
check_same "labels of one name" "$(names --labels "$work/labels.csv" --labels "$work/n/old/labels.csv" --scores "$work/scores.csv" --scores "$work/both.json" --name m --name m | sed "s:${work##*/}:work:")" \
    "('m:work/labels m:old/labels', 1)"

# ---- what does not match
head -n 61 "$work/scores.csv" >"$work/some.csv"
printf 'other.png,0.5\r\n' >>"$work/some.csv"
check_code "labels without a score" 1 evaluate --json --bootstrap 0 --labels "$work/labels.csv" --scores "$work/some.csv"
check_same "are counted" "$(results "$work/out" 'r[0]["n"], r[0]["n_failed"]')" "(60, 20)"
check_has "and told" "$work/err" "20 of the 80 files"
check_has "so is a score without a label" "$work/err" "1 of its rows"
printf 'file,score\nzzz.png,1\n' >"$work/none.csv"
check_code "no name in common" 3 evaluate --labels "$work/labels.csv" --scores "$work/none.csv"
check_has "is told" "$work/err" "names none of the files"
sed '2,5s/,[0-9.]*\r/,\r/' "$work/labels.csv" >"$work/unrated.csv"
check_code "opinions that are missing" 0 evaluate --json --bootstrap 0 --labels "$work/unrated.csv" --scores "$work/scores.csv"
check_same "are counted" "$(results "$work/out" 'r[0]["n"], r[0]["n_failed"], r[0]["n_unrated"]')" "(76, 0, 4)"
check_code "another column of opinions" 0 evaluate --json --bootstrap 0 --scores "$work/both.json" --opinion-column score --score-column gt_score
check_same "by name" "$(results "$work/out" 'r[0]["srcc"]')" "$(results "$work/a.json" 'r[0]["srcc"]')"

# ---- logits
py - "$work/bench.json" <<'PY'
import json, random, sys
random.seed(2)
with open(sys.argv[1], "w") as f:  # as Q-Bench has them: objects one behind the other, few different differences
    for i in range(300):
        poor = random.randrange(40, 400) * 0.0625
        good = poor + random.randrange(-6, 7) * 0.125
        f.write(json.dumps({"img_path": "%d.png" % i, "gt_score": "%s " % round(good - poor + random.gauss(3, 0.5), 2),
                            "logit_good": good, "logit_poor": poor}))
PY
check_code "logits" 0 evaluate --json --bootstrap 0 --logits "$work/bench.json"
cp "$work/out" "$work/exact.json"
check_code "--qbench-compat" 0 evaluate --json --bootstrap 0 --qbench-compat --logits "$work/bench.json"
check_code "own words" 0 bash -c '"$1" eval --json --bootstrap 0 --logits "$2" --tones "poor/good" --temperature 2 >"$3"' - "$QBOOST" "$work/bench.json" "$work/own.json"
evaluate --json --bootstrap 0 --qbench-compat --logits "$work/bench.json" >"$work/out"
check "ties kept, ties broken by rounding, own words" py - "$work" <<'PY'
import json, math, sys
from agreement import *
text = open(sys.argv[1] + "/bench.json").read().replace("}{", "}\n{").splitlines()
rows = [json.loads(t) for t in text]
y = [float(r["gt_score"]) for r in rows]
g, p = ([r["logit_" + w] for r in rows] for w in ("good", "poor"))
exact, compat, own = (json.load(open(sys.argv[1] + "/" + n))["results"] for n in ("exact.json", "out", "own.json"))
assert [e["method"] for e in exact + compat + own] == ["binary", "binary", "custom"]
naive = [math.exp(a / 100) / (math.exp(a / 100) + math.exp(b / 100)) for a, b in zip(g, p)]
kept = [a - b for a, b in zip(g, p)]
near(exact[0]["srcc"], srcc(kept, y))
near(compat[0]["srcc"], srcc(naive, y))
assert abs(exact[0]["srcc"] - compat[0]["srcc"]) > 1e-5
near(exact[0]["plcc"], plcc([1 / (1 + math.exp(-d / 100)) for d in kept], y))
near(own[0]["plcc"], plcc([1 / (1 + math.exp(d / 2)) for d in kept], y))
PY
check_code "words that it has not" 2 evaluate --logits "$work/bench.json" --method mpe
check_has "are named" "$work/err" 'bench.json: the table has no logits of the word "high"'
check_code "logits that are none" 2 evaluate --labels "$work/labels.csv" --logits "$work/scores.csv"
check_code "scores and a temperature" 2 evaluate --labels "$work/labels.csv" --scores "$work/scores.csv" --temperature 2

# ---- the model
mkdir -p "$work/p/sub"
{
    printf 'name,mos\n'
    for i in $(seq 12); do make_ppm "$work/p/$i.ppm" $i; echo "$i.ppm,$((i * 7 % 10)).5"; done
} >"$work/p.csv"
check_code "pictures" 0 evaluate --json --labels "$work/p.csv" --images "$work/p/"
cp "$work/out" "$work/run.json"
for method in tti mpe binary levels; do
    "$QBOOST" score --json --method $method "$work/p"/*.ppm >"$work/$method.jsonl"
done
check "each method as it scores by itself" py - "$work" <<'PY'
import json, sys
from agreement import *
d = json.load(open(sys.argv[1] + "/run.json"))
assert [r["method"] for r in d["results"]] == ["tti", "mpe", "binary", "levels"] and len(d["model_hash"]) == 32
for r in d["results"]:
    x, y = pairs(sys.argv[1] + "/p.csv", sys.argv[1] + "/%s.jsonl" % r["method"])
    near(r["srcc"], srcc(x, y))
    near(r["plcc"], plcc(x, y), 1e-5)  # the lines have nine digits
PY
check_code "--name" 0 evaluate --json --bootstrap 0 --method tti --labels "$work/p.csv" --images "$work/p" --name "my set"
check_same "names the set" "$(results "$work/out" 'r[0]["dataset"]')" "my set"
check_code "the lines of qboost score" 0 evaluate --json --labels "$work/p.csv" --scores "$work/tti.jsonl"
check_same "give the same order" "$(results "$work/out" '[(e["srcc"], e["krcc"], e["n"]) for e in r]')" "$(results "$work/run.json" '[(e["srcc"], e["krcc"], e["n"]) for e in r[:1]]')"
check_code "so do their logits" 0 evaluate --json --labels "$work/p.csv" --logits "$work/levels.jsonl" --method levels
check_same "by method" "$(results "$work/out" 'r[0]["srcc"]')" "$(results "$work/run.json" 'r[3]["srcc"]')"

# names: absolute ones, and those of a folder in a folder, get their own picture
cp "$work/p/1.ppm" "$work/p/sub/2.ppm" && cp "$work/p/3.ppm" "$work/p/sub/1.ppm"
mkdir -p "$work/A/B" "$work/B"
for i in 1 2 3 4 5 6; do cp "$work/p/$i.ppm" "$work/A/B/$i.ppm"; cp "$work/p/$((13 - i)).ppm" "$work/B/$i.ppm"; done
printf 'name,mos\n' | tee "$work/in.csv" >"$work/out.csv"
for i in 1 2 3 4 5 6; do echo "B/$i.ppm,$i" >>"$work/in.csv"; echo "$i.ppm,$i" >>"$work/out.csv"; done
sed "2,4s:^:$work/A/:" "$work/in.csv" >"$work/abs.csv"
alone() { (cd "$work" && "$QBOOST" eval --json --bootstrap 0 --method tti "$@" 2>/dev/null >o.json && results o.json '[e["plcc"] for e in r]'); }
first=$(alone --labels in.csv --images A) second=$(alone --labels out.csv --images B)
check "two sets differ" [ "$first" != "$second" ]
check_same "a folder in a folder" "$(alone --labels in.csv --labels out.csv --images A --images B)" "$(echo "$first, $second" | sed 's/\], \[/, /')"
check_same "absolute names" "$(alone --labels abs.csv --images A)" "$first"
check_same "under an absolute folder" "$(alone --labels abs.csv --labels out.csv --images "$work/A" --images "$work/B")" "$(echo "$first, $second" | sed 's/\], \[/, /')"

# failures
cp "$work/p.csv" "$work/bad.csv"
printf 'gone.ppm,3\nbroken.ppm,2\n' >>"$work/bad.csv"
head -c 50 "$work/p/1.ppm" >"$work/p/broken.ppm"
check_code "pictures that are missing or damaged" 1 evaluate --json --method tti --labels "$work/bad.csv" --images "$work/p" --journal "$work/j"
check_same "are counted" "$(results "$work/out" 'r[0]["n"], r[0]["n_failed"], r[0]["srcc"]')" "(12, 2, $(results "$work/run.json" 'r[0]["srcc"]'))"
check_has "and named" "$work/err" "gone.ppm: No such file"
check_code "the journal keeps failures" 1 evaluate --method tti --labels "$work/bad.csv" --images "$work/p" --journal "$work/j"
check_has "as done" "$work/err" "0 scored, 0 failed, 14 done before"
check_has "and the table counts them" "$work/out" "failed"
cp "$work/p/3.ppm" "$work/p/gone.ppm" && cp "$work/p/4.ppm" "$work/p/broken.ppm"
check_code "--retry-failed" 0 evaluate --json --method tti --labels "$work/bad.csv" --images "$work/p" --journal "$work/j" --retry-failed
check_has "scores those only" "$work/err" "2 scored, 0 failed, 12 done before"
check_same "no failure is left" "$(results "$work/out" 'r[0]["n"], r[0]["n_failed"]')" "(14, 0)"
check_code "none of the pictures" 1 evaluate --labels "$work/labels.csv" --images "$work/p"
check_has "is told once" "$work/err" "none of its files could be scored"
check_code "one set without pictures" 1 evaluate --json --method tti --labels "$work/labels.csv" --labels "$work/p.csv" --images "$work/p"
check_same "does not cost the other one" "$(results "$work/out" '[(e["dataset"], e["n"]) for e in r]')" "[('p', 12)]"
check_code "no folder" 3 evaluate --labels "$work/p.csv" --images "$work/nowhere"
check_same "costs one line" "$(n_lines "$work/err")" 1

# ---- journals: killed in the middle, then to the end
mkdir "$work/many"
{
    printf 'name,mos\n'
    for i in $(seq 250); do make_ppm "$work/many/$i.ppm" $i; echo "$i.ppm,$((i * 7919 % 101))"; done
} >"$work/many.csv"
journal=$work/many.jsonl
touch "$journal"
"$QBOOST" eval -q --labels "$work/many.csv" --images "$work/many" --journal "$journal" >"$work/out" 2>"$work/err" &
pid=$!
while kill -0 $pid 2>/dev/null && [ "$(n_lines "$journal")" -lt 20 ]; do sleep 0.01; done
kill -9 $pid 2>/dev/null
wait $pid 2>/dev/null
done_before=$(grep -c . "$journal")
check "killed with $done_before of 250 done" [ "$done_before" -ge 20 -a "$done_before" -lt 250 ]
whole_lines=$(n_lines "$journal")
check_code "going on" 0 evaluate --json --labels "$work/many.csv" --images "$work/many" --journal "$journal"
check_has "scores the others" "$work/err" "$((250 - whole_lines)) scored, 0 failed, $whole_lines done before"
cp "$work/out" "$work/went_on"
evaluate --json --labels "$work/many.csv" --images "$work/many" >"$work/at_once" 2>/dev/null
check "as if never killed" cmp "$work/went_on" "$work/at_once"
sed 's/"model_hash":"[0-9a-f]*"/"model_hash":"00000000000000000000000000000000"/; s/:[0-9]*\.[0-9]*/:0.5/g' "$journal" >"$work/foreign"
cat "$work/foreign" >>"$journal"
check_code "lines of another model" 0 evaluate --json --labels "$work/many.csv" --images "$work/many" --journal "$journal"
check "do not count" cmp "$work/out" "$work/at_once"
check_code "another prompt" 0 evaluate --json --labels "$work/many.csv" --images "$work/many" --journal "$journal" --prompt "Is it sharp?"
check_has "is another run" "$work/err" "250 scored"
check_code "the first one again" 0 evaluate --json --labels "$work/many.csv" --images "$work/many" --journal "$journal"
check "has its own lines still" cmp "$work/out" "$work/at_once"
check_code "a journal that is none" 2 evaluate --labels "$work/p.csv" --images "$work/p" --journal "$work/p.csv"

# ---- plots
check_code "a plot" 0 evaluate --labels "$work/labels.csv" --scores "$work/scores.csv" --scatter "$work/plot.svg"
check "a dot a pair, and the curve" python3 -c 'import sys, xml.etree.ElementTree as tree
parts = [(e.tag.split("}")[1], len(e.get("points", "").split())) for e in tree.parse(sys.argv[1]).getroot().iter()]
assert parts.count(("circle", 0)) == 80 and sum(n > 100 for _, n in parts) == 1, parts' "$work/plot.svg"
check_has "the numbers are on it" "$work/plot.svg" "SRCC $(printf %.3f "$(results "$work/a.json" 'r[0]["srcc"]')")"
check_code "plots of several rows" 0 evaluate --bootstrap 0 --labels "$work/p.csv" --images "$work/p" --scatter "$work/m.png"
for method in tti mpe binary levels; do check_same "$method" "$(head -c 8 "$work/m-p-$method.png" | od -An -tx1 | tr -d ' ')" 89504e470d0a1a0a; done
printf 'name,mos,set,score\na,1,x y,0.5\nb,2,x y,0.6\nc,2,x y,0.7\na,1,x/y,0.5\nb,2,x/y,0.6\nc,4,x/y,0.6\nc,3,z,0.2\n' >"$work/sets.csv"
check_code "sets whose names look alike" 0 evaluate --bootstrap 0 --scores "$work/sets.csv" --scatter "$work/k.svg"
check_same "have a plot each" "$(cd "$work" && echo k-*)" "k-x_y-score-2.svg k-x_y-score.svg"
check_has_not "a single dot has no numbers" "$work/k-z-score.svg" "nan"

# ---- refused
l="--labels $work/p.csv" i="--images $work/p" s="--scores $work/scores.csv"
for wrong in "" "$l" "$i" "$i $s" "$l $i $i" "$l $l $l $s $s" "$l $s --name a --name b" "$l $s --journal $work/x" "$l $i --retry-failed" \
    "$l $i --method best" "$l $i --method tti --tones good/poor" "$l $i --method tti --qbench-compat" "$l $i --bootstrap 5" \
    "$l $i --scatter $work/p.gif" "$l $i --part-size 1" "$l $i --format xml" "$l $i extra" "$l $i --save-calibration $work/c --mapping 6"; do
    check_code "eval${wrong:+ ${wrong//"$work/"/}}" 2 evaluate $wrong
done
: >"$work/empty"
printf 'name,mos\n' >"$work/head.csv"
printf 'a,b\n1,2\n' >"$work/odd.csv"
for wrong in empty head.csv odd.csv p/1.ppm nowhere.csv p; do
    check_code "--labels $wrong" 3 evaluate --labels "$work/$wrong" --images "$work/p"
    check_has "is named" "$work/err" "$work/$wrong: "
done

# ---- Q-Bench's logits and its published table
[ -d "$shared/qbench" ] || { skip "Q-Bench" "no $shared/qbench"; finish; }
py - "$QBOOST" "$shared/qbench" >"$work/cells" 2>&1 <<'PY'
import csv, json, subprocess, sys
program, folder = sys.argv[1:]
cells = list(csv.DictReader(open(folder + "/published.csv")))
for c in cells:
    values = []
    for compat in ([], ["--qbench-compat"]):
        command = [program, "eval", "--json", "--bootstrap", "0", "--logits", "%s/logits/%s/%s.json" % (folder, c["model"], c["dataset"])]
        command += compat + (["--part-size", "3000"] if c["dataset"] == "cgi" else [])
        r, = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["results"]
        assert r["method"] == "binary" and abs(r["n"] - int(c["n"])) <= (c["dataset"] == "cgi"), (c, r["n"])
        values.append((r["srcc"], r["plcc"]))
    published = float(c["srcc_published"]), float(c["plcc_published"])
    exact = abs(values[0][0] - published[0]) <= 0.003 and abs(values[0][1] - published[1]) <= 0.001
    compat = all(round(v, 3) == p for v, p in zip(values[1], published))
    print("near" if exact else "FAR", "equal" if compat else "OTHER", c["model"], c["dataset"], values, published)
print(len(cells), "cells")
PY
check_same "near the published table" "$(grep -c '^near' "$work/cells")" 15
check_same "equal to it with --qbench-compat" "$(grep -c '^[a-zA-Z]* equal' "$work/cells")" 15
# ---- what a review found
mkdir -p "$work/im/sub" && cp "$work"/p/*.ppm "$work/im/sub/" 2>/dev/null || cp "$(ls -d "$work"/p/* | head -1)" "$work/im/sub/"
first=$(ls "$work/im/sub" | head -1) && cp "$work/im/sub/$first" "$work/im/"
printf 'file,mos\n%s,1\nsub,2\n%s,\n' "$first" "gone.png" >"$work/folder.csv"
check_code "a label that names a folder" 1 evaluate --json --bootstrap 0 --method tti --labels "$work/folder.csv" --images "$work/im" --journal "$work/folder.jsonl"
check_has "is told" "$work/err" "is a folder"
check_same "its pictures are not scored, nor is what has no opinion" "$(n_lines "$work/folder.jsonl")" 2
printf 'fn,mos,set\na,1,s\nb,2,s\nc,3,s\nd,,t\n' >"$work/odd.csv"
printf 'path,score\na,0.1\nb,0.2\nc,0.4\nd,0.4\n' >"$work/plain.csv"
check_code "columns of one's own in the labels alone" 0 evaluate --json --bootstrap 0 --labels "$work/odd.csv" --scores "$work/plain.csv" --name-column fn --dataset-column set
check_same "sets without an opinion are left out" "$(results "$work/out" '[(x["dataset"], x["n"]) for x in r]')" "[('s', 3)]"
check_has "and told" "$work/err" "t: none of its 1 files has an opinion"
awk 'BEGIN { print "name,mos,score,set"; for (i = 0; i < 3000; i++) print i "," i % 7 "," i % 11 / 11 "," i }' >"$work/sets.csv"
check_code "a column that names no sets" 2 evaluate --scores "$work/sets.csv"
check_has "is told" "$work/err" "more than 1000 data sets"
awk 'BEGIN { print "name,mos,score"; for (i = 0; i < 25; i++) print i "," i % 7 "," i % 11 / 11 }' >"$work/rest.csv"
check_code "a rest that is no part" 0 evaluate --json --bootstrap 0 --part-size 10 --scores "$work/rest.csv"
check_same "half a part is one" "$(results "$work/out" 'r[0]["n"], r[0]["parts"], r[0]["n_left_out"]')" "(25, 3, 0)"
check_code "a shorter one" 0 evaluate --json --bootstrap 0 --part-size 11 --scores "$work/rest.csv"
check_same "is counted" "$(results "$work/out" 'r[0]["n"], r[0]["parts"], r[0]["n_left_out"]')" "(22, 2, 3)"
check_has "and told" "$work/err" "the last 3 files"
printf 'name,mos,score\na,1,0.1\nb,2,0.2\nc,3,0.4\nd,4,0.3\ne,5,0.6\n' >"$work/few.csv"
check_code "few pairs" 0 evaluate --json --scores "$work/few.csv"
check_same "have no interval" "$(results "$work/out" 'r[0]["srcc_low"]')" "None"

finish
