#!/bin/bash
# Calibrations: qboost eval saves one, score and video print scores on its scale, or refuse it.
# SPDX-License-Identifier: Apache-2.0
. tests/cli/lib.sh
command -v python3 >/dev/null || { skip "calibration" "needs python3"; exit 0; }
mkdir "$work/p"
for i in $(seq 30); do make_ppm "$work/p/$i.ppm" $i; done
"$QBOOST" score --json "$work/p"/*.ppm >"$work/plain"
python3 - "$work/plain" >"$work/set.csv" <<'PY'
# opinions that are an S of the scores, and some noise
import json, math, random, sys
random.seed(1)
rows = [json.loads(l) for l in open(sys.argv[1])]
scores = [r["score"] for r in rows]
mean = sum(scores) / len(scores)
sd = math.sqrt(sum((s - mean) ** 2 for s in scores) / len(scores))
print("name,mos")
for r in rows:
    mos = 20 + 60 / (1 + math.exp(-2 * (r["score"] - mean) / sd)) + random.gauss(0, 4)
    print("%s,%.2f" % (r["path"].split("/")[-1], mos))
PY
read -r lowest highest <<<"$(tail -n +2 "$work/set.csv" | cut -d, -f2 | sort -g | sed -n '1p;$p' | tr '\n' ' ')"
save() { "$QBOOST" eval -q --labels "$work/set.csv" --images "$work/p" "$@"; }
for mapping in 4 5; do
    check_code "saving a mapping of $mapping" 0 save --method tti --json --mapping $mapping --save-calibration "$work/c$mapping.json"
    cp "$work/out" "$work/eval.json"
    check_code "score --calibration" 0 "$QBOOST" score --json --calibration "$work/c$mapping.json" "$work/p"/*.ppm
    cp "$work/out" "$work/scaled"
    check "mapping $mapping: the file says what was fitted, scores are mapped" python3 - "$work" $mapping <<'PY'
import json, math, sys
folder, n = sys.argv[1], int(sys.argv[2])
c, e = json.load(open("%s/c%d.json" % (folder, n))), json.load(open(folder + "/eval.json"))
r = e["results"][0]
assert (c["schema"], c["dataset"], c["method"], c["n"]) == ("qboost.calibration/1", "set", "tti", 30)
assert (c["model"], c["model_hash"]) == (e["model"], e["model_hash"])
assert abs(c["plcc"] - r["plcc_logistic%d" % n]) < 1e-12 and abs(c["srcc"] - r["srcc"]) < 1e-12
assert abs(c["rmse"] - r["rmse" if n == 4 else "rmse_logistic5"]) < 1e-9
b = c["mapping"]["b"]
assert c["mapping"]["n_params"] == n == len(b)
assert all(abs(p - q) <= 1e-12 * abs(q) for p, q in zip(b, r["logistic%d" % n]["b"]))
mos = [float(l.split(",")[1]) for l in open(folder + "/set.csv").readlines()[1:]]
assert c["opinion"] == {"lowest": min(mos), "highest": max(mos)}
def f(x):
    if n == 4:
        y = (b[0] - b[1]) / (1 + math.exp(-(x - b[2]) / abs(b[3]))) + b[1]
    else:
        y = b[0] * (0.5 - 1 / (1 + math.exp(b[1] * (x - b[2])))) + b[3] * x + b[4]
    return min(max(y, min(mos)), max(mos))
plain, scaled = ([json.loads(l) for l in open(folder + "/" + name)] for name in ("plain", "scaled"))
assert len(plain) == len(scaled) == 30 and len({s["score"] for s in scaled}) > 1
for p, s in zip(plain, scaled):
    assert abs(s["score"] - f(p["score"])) < 1e-5 * max(mos), (p["score"], s["score"])
    assert (s["path"], s["logits"], s["scale"]) == (p["path"], p["logits"], "set")
    assert p["settings"] != s["settings"]
PY
done
"$QBOOST" score --format csv --calibration "$work/c4.json" "$work/p"/*.ppm >"$work/out"
"$QBOOST" score --json --calibration "$work/c4.json" "$work/p"/*.ppm >"$work/scaled"
check "CSV has the same scores" python3 -c 'import csv, json, sys
a = [float(r["score"]) for r in csv.DictReader(open(sys.argv[1], newline=""))]
assert a == [json.loads(l)["score"] for l in open(sys.argv[2])] and len(a) == 30' "$work/out" "$work/scaled"
check_code "--name" 0 save --method tti --name 'a "b"' --save-calibration "$work/named.json"
check_code "names the scale" 0 "$QBOOST" score --json --calibration "$work/named.json" "$work/p/1.ppm"
check_has "in the record" "$work/out" '"scale":"a \"b\""'

# ---- thresholds and results files are on the scale
check_code "--fail-under on the scale" 6 "$QBOOST" score --fail-under $highest --calibration "$work/c4.json" "$work/p/1.ppm"
check_code "--fail-under at its low end" 0 "$QBOOST" score --fail-under $lowest --calibration "$work/c4.json" "$work/p/1.ppm"
check_code "--fail-under off it" 2 "$QBOOST" score --fail-under 0.5 --calibration "$work/c4.json" "$work/p/1.ppm"
check_has "the scale is told" "$work/err" "$(printf '%g to %g' "$lowest" "$highest")"
"$QBOOST" score --resume "$work/r" "$work/p/1.ppm" 2>/dev/null
check_code "--resume with a calibration" 0 "$QBOOST" score --resume "$work/r" --calibration "$work/c4.json" "$work/p/1.ppm"
check_same "is another run" "$(n_lines "$work/r")" 2
check_code "as is one with another mapping" 0 "$QBOOST" score --resume "$work/r" --calibration "$work/c5.json" "$work/p/1.ppm"
check_same "of its own" "$(n_lines "$work/r")" 3

# ---- videos
python3 - "$work/a.y4m" <<'PY'
import random, sys
r = random.Random(3)
with open(sys.argv[1], "wb") as f:
    f.write(b"YUV4MPEG2 W32 H32 F2:1 Ip A1:1 C444\n")
    for _ in range(4):
        f.write(b"FRAME\n" + bytes(r.randrange(60, 190) for _ in range(3 * 32 * 32)))
PY
if "$QBOOST" video --json "$work/a.y4m" >"$work/video" 2>/dev/null; then
    check_code "a calibration for videos' method" 0 save --method mpe --save-calibration "$work/mpe.json"
    check_code "video --calibration" 0 "$QBOOST" video --json --calibration "$work/mpe.json" "$work/a.y4m"
    check "maps the score" python3 -c 'import json, math, sys
plain, scaled, c = (json.load(open(p)) for p in sys.argv[1:])
b, o = c["mapping"]["b"], c["opinion"]
y = (b[0] - b[1]) / (1 + math.exp(-(plain["score"] - b[2]) / abs(b[3]))) + b[1]
assert abs(scaled["score"] - min(max(y, o["lowest"]), o["highest"])) < 1e-3 and scaled["scale"] == "set"' "$work/video" "$work/out" "$work/mpe.json"
    check_code "video: another method" 2 "$QBOOST" video --calibration "$work/c4.json" "$work/a.y4m"
else
    skip "video --calibration" "videos cannot be read here"
fi

# ---- refused where it does not fit
check_code "another method" 2 "$QBOOST" score --method mpe --calibration "$work/c4.json" "$work/p/1.ppm"
check_has "both are named" "$work/err" "the method tti, this run's is mpe"
make_checkpoint "$work/owl" --arch mplug_owl2
check_code "another model" 0 "$QBOOST" convert -q "$work/owl" -o "$work/other.gguf" --preset q-instruct
check_code "another model" 2 "$QBOOST" score --model "$work/other.gguf" --method tti --calibration "$work/c4.json" "$work/p/1.ppm"
check_has "is told" "$work/err" "another model"
check_code "--scale besides" 2 "$QBOOST" score --scale 1-5 --calibration "$work/c4.json" "$work/p/1.ppm"
check_code "no file" 2 "$QBOOST" score --calibration "$work/nothing" "$work/p/1.ppm"
printf '{"schema":"qboost.calibration/1"}' >"$work/hollow"
head -c 200 "$work/c4.json" >"$work/cut"
sed 's/"n_params": 4/"n_params": 5/' "$work/c4.json" >"$work/short"
sed 's/calibration.1/calibration\/9/' "$work/c4.json" >"$work/later"
for wrong in hollow cut short later set.csv p; do
    check_code "--calibration $wrong" 2 "$QBOOST" score --calibration "$work/$wrong" "$work/p/1.ppm"
    check_has "is named" "$work/err" "$work/$wrong"
done

# ---- opinions that mean the worse the higher, and scores beyond the fitted ones
"$QBOOST" score -q --json "$work/p"/*.ppm | python3 -c '
import json, sys
rows = sorted((r["score"], r["path"]) for r in map(json.loads, sys.stdin))
rows = [r for i, r in enumerate(rows) if i == 0 or r[0] > rows[i - 1][0]]
print("file,score,dmos")
[print(f"{p},{s},{90 - 3 * i - i % 2}") for i, (s, p) in enumerate(rows[:12])]' >"$work/dmos.csv"
check_code "a calibration to DMOS" 0 "$QBOOST" eval -q --scores "$work/dmos.csv" --save-calibration "$work/dmos.json"
check_code "prints scores" 0 "$QBOOST" score --calibration "$work/dmos.json" "$work/p"/*.ppm
check_has "and says which it was not fitted to" "$work/err" "scores lie outside the"
check_code "no more than needed" 0 "$QBOOST" score --calibration "$work/dmos.json" $(sed -n '2,$s/,.*//p' "$work/dmos.csv")
check_has_not "of those it was fitted to" "$work/err" "lie outside"
check_code "but is no gate" 2 "$QBOOST" score --fail-under 70 --calibration "$work/dmos.json" "$work/p/1.ppm"
check_has "because" "$work/err" "lower is better"

# ---- not saved where it would say nothing, or something else
cp "$work/c4.json" "$work/kept"
keep() { check_same "what was there stays" "$(cat "$work/kept")" "$(cat "$work/c4.json")"; }
check_code "all methods" 2 save --save-calibration "$work/kept"
check_same "are refused before the model runs" "$(n_lines "$work/out")" 0
keep
check_code "two sets" 2 save --labels "$work/set.csv" --method tti --save-calibration "$work/kept"
sed '1s/$/,set/; 2,10s/$/,a/; 11,$s/$/,b/' "$work/set.csv" >"$work/ab.csv"
check_code "two sets in one file" 2 "$QBOOST" eval -q --labels "$work/ab.csv" --images "$work/p" --method tti --save-calibration "$work/kept"
check_has "are evaluated all the same" "$work/out" "mean of 2"
keep
head -n 4 "$work/set.csv" >"$work/few.csv"
check_code "too few pairs" 1 "$QBOOST" eval -q --labels "$work/few.csv" --images "$work/p" --method tti --save-calibration "$work/kept"
keep
"$QBOOST" score --json --scale 0-100 "$work/p"/*.ppm >"$work/hundred"
check_code "scores on another scale" 1 "$QBOOST" eval --labels "$work/set.csv" --scores "$work/hundred" --save-calibration "$work/kept"
check_has "are told" "$work/err" "on the scale 0 to 1"
keep
cp "$work/set.csv" "$work/labels.csv"
check_code "over the labels" 2 save --method tti --save-calibration "$work/labels.csv"
check "which stay" cmp "$work/set.csv" "$work/labels.csv"
check_code "over an earlier one" 0 save --method tti --save-calibration "$work/open-before.json"
check_code "is meant" 0 save --method tti --save-calibration "$work/open-before.json"
check_code "a folder that is not there" 1 save --method tti --save-calibration "$work/no/c.json"
check_has "does not cost the report" "$work/out" "SRCC"
check_code "from a file of scores" 0 "$QBOOST" eval --labels "$work/set.csv" --scores "$work/plain" --save-calibration "$work/open.json"
check_code "it suits any method" 0 "$QBOOST" score --method mpe --calibration "$work/open.json" "$work/p/1.ppm"
finish
