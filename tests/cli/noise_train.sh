#!/bin/bash
# `qboost noise train`: the three forms of tables, what is learned, what is saved, leaving scenes out, baselines, bad rows,
# exit codes.
# SPDX-License-Identifier: Apache-2.0
. tests/cli/lib.sh
command -v python3 >/dev/null || { skip "noise train" "needs python3"; exit 0; }
json() { python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"; }
train() { "$QBOOST" noise train --grid 2x1 "$@"; }
mkdir "$work/t" "$work/t/sub"

# Noise is in the right half: zone 1 of a grid of 2 x 1. The table has what RFC 4180 allows.
labels=$work/t/labels.csv
printf '\xef\xbb\xbfpath,scene,zone,noisy,"samples",remark,baseline:told,baseline:odd\r\n' >"$labels"
odd=7
for scene in 1 2 3 4; do
    n=1
    for noise in 0.25 0.12 0.004 0; do
        python3 tests/cli/noise_pictures.py "$work/t/sub/s${scene}_$n.ppm" 64 48 $noise $((10 * scene + n))
        for zone in 0 1; do
            noisy=0
            case $zone$noise in 10.25 | 10.12) noisy=1 ;; esac
            odd=$(((odd * 37 + 11) % 101))
            printf 'sub/s%d_%d.ppm,"scene ""%d"", of\nfour",%d,%d,%d,"a, b",%s,%d\r\n' \
                $scene $n $scene $zone $noisy $n $((1 - noisy)) $((odd - 40 * noisy + 20 * scene)) >>"$labels"
        done
        n=$((2 * n))
    done
done

# ---- learning
check_code "train" 0 train "$labels" --classifier svm --name mine -o "$work/m.gguf" --save-features "$work/f.csv"
check_has "tells how many" "$work/out" "32 zones of 4 scenes, 8 of them noisy"
check_has "and what was written" "$work/out" "m.gguf: svm trained"
python3 tests/cli/noise_pictures.py "$work/new.ppm" 64 48 0.15 99
check_code "the model judges" 0 "$QBOOST" noise --json --grid 2x1 --noise-model "$work/m.gguf" "$work/new.ppm"
check_same "a picture it has not seen" "$(json "$work/out" '[z["visibility"] > 1 for z in d["zones"]], d["classifier"]')" "([False, True], 'svm')"
check_same "by its name" "$(json "$work/out" 'd["model"]')" mine
check_code "from the features" 0 train "$work/f.csv" --classifier svm --name mine -o "$work/m2.gguf" --save-features "$work/f2.csv" -t 1
check "the same model" cmp "$work/m.gguf" "$work/m2.gguf"
check "the same features" cmp "$work/f.csv" "$work/f2.csv"
check "a pipe is a table" bash -c '"$1" noise train -q <(cat "$2") --save-features "$3" && cmp "$2" "$3"' - "$QBOOST" "$work/f.csv" "$work/f3.csv"
ln -s f.csv "$work/f_link.csv"
check "written through a link" train -q "$work/f3.csv" -s "$work/f_link.csv"
check "which stays one" bash -c '[ -L "$1/f_link.csv" ] && cmp "$1/f.csv" "$1/f2.csv"' - "$work"
mkfifo "$work/pipe"
timeout 20 cat "$work/pipe" >"$work/f_pipe.csv" &
check "written into a pipe" timeout 20 "$QBOOST" noise train --grid 2x1 -q "$work/f.csv" -s "$work/pipe"
wait $!
check "which stays one, whole" bash -c '[ -p "$1/pipe" ] && cmp "$1/f.csv" "$1/f_pipe.csv"' - "$work"
check "written to what is open" bash -c '"$1" noise train -q "$2/f.csv" -s /proc/self/fd/3 3>&1 >/dev/null | cmp - "$2/f.csv"' - "$QBOOST" "$work"
cp "$work/f.csv" "$work/kept.csv"
check_code "no room" 1 bash -c 'trap "" XFSZ; ulimit -f 4; exec "$1" noise train -q "$2/f.csv" -s "$2/kept.csv"' - "$QBOOST" "$work"
check_has "is told" "$work/err" "kept.csv: cannot be written: File too large"
check "the old table is kept, nothing is left beside it" bash -c 'cmp "$1/f.csv" "$1/kept.csv" && ! ls "$1" | grep "kept.csv."' - "$work"
check "it is as open as any new file" [ "$(umask 027; train -q "$work/f.csv" -s "$work/mode.csv"; stat -c %a "$work/mode.csv")" = 640 ]
cat >"$work/columns.py" <<'PY'
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1], newline="")))
assert len(rows) == 32 and list(rows[0])[:6] == ["scene", "zone", "samples", "visibility", "baseline:told", "baseline:odd"]
assert [r["zone"] for r in rows[:4]] == ["0", "1", "0", "1"] and rows[0]["scene"] == 'scene "1", of\nfour'
assert {float(r["visibility"]) for r in rows} == {0.25, 4.0} and [r["samples"] for r in rows[::2]] == ["1", "2", "4", "8"] * 4
assert len(rows[0]) > 30 and all(float(v) == float(v) for r in rows for k, v in r.items() if k != "scene")
PY
check "the features' table" python3 "$work/columns.py" "$work/f.csv"
for classifier in $("$QBOOST" noise train --classifier '' x 2>&1 | sed -n 's/.* is none of //p' | tr -d ,); do
    [ $classifier = all ] && continue
    check_code "$classifier learns" 0 train -q "$work/f.csv" -c $classifier -o "$work/$classifier.gguf"
    check_code "$classifier judges" 0 "$QBOOST" noise --json --grid 2x1 --noise-model "$work/$classifier.gguf" "$work/new.ppm"
    check_same "$classifier sees where the noise is" \
        "$(json "$work/out" 'd["zones"][1]["visibility"] > d["zones"][0]["visibility"], d["classifier"]')" "(True, '$classifier')"
done

# ---- leaving scenes out
check_code "evaluate" 0 train "$labels" --classifier all --evaluate --json
cp "$work/out" "$work/e.json"
cat >"$work/evaluate.py" <<'PY'
# What is said of baselines must be what trying every threshold gives.
import csv, json, math, sys
d = json.load(open(sys.argv[1]))
rows = list(csv.DictReader(open(sys.argv[2], newline="")))
scenes = [s["scene"] for s in d["scenes"]]
assert scenes == ['scene "%d", of\nfour' % i for i in (1, 2, 3, 4)] and all(s["zones"] == 8 and s["noisy"] == 2 for s in d["scenes"])
assert d["schema"] == "qboost.noise-train/1" and d["zones"] == 32 and d["noisy"] == 8 and d["model"] is None
learned = {r["classifier"]: r for r in d["left_out"] if "classifier" in r}
told = {r["baseline"]: r for r in d["left_out"] if "baseline" in r}
assert {"svm", "fuzzy", "variance"} <= set(learned) and list(told) == ["told", "odd"], (list(learned), list(told))
for r in d["left_out"]:
    a = r["all"]
    assert a["n"] == 32 and [s["scene"] for s in r["scenes"]] == scenes and all(s["n"] == 8 for s in r["scenes"])
    assert abs(sum(s["accuracy"] for s in r["scenes"]) / 4 - a["accuracy"]) < 1e-6
    assert abs(1 - (a["missed"] + a["false_alarm"]) / 2 - a["balanced_accuracy"]) < 1e-6
    assert abs(1 - (8 * a["missed"] + 24 * a["false_alarm"]) / 32 - a["accuracy"]) < 1e-6
assert learned["svm"]["all"]["accuracy"] >= 0.9, learned["svm"]["all"]
for name in told:
    zones = [(r["scene"], float(r["visibility"]) > 1, float(r["baseline:" + name])) for r in rows]
    right = []
    for scene in scenes:
        others = [z for z in zones if z[0] != scene]
        values = sorted({v for _, _, v in others})
        cuts = [-math.inf] + [(a + b) / 2 for a, b in zip(values, values[1:])] + [math.inf]
        best = max(cuts, key=lambda t: sum((v < t) == noisy for _, noisy, v in others))  # the first of the best
        right += [(v < best) == noisy for s, noisy, v in zones if s == scene]
    assert abs(sum(right) / 32 - told[name]["all"]["accuracy"]) < 1e-6, (name, sum(right) / 32, told[name]["all"])
assert told["told"]["all"]["accuracy"] == 1 and told["odd"]["all"]["accuracy"] < 1
PY
check "what is said of scenes left out" python3 "$work/evaluate.py" "$work/e.json" "$work/f.csv"
check_code "as a table" 0 train "$work/f.csv" -e -c variance
check_has "with a row for all" "$work/out" "noise missed"
check_has "and the baselines" "$work/out" "told"
printf 'path,scene,zone,noisy\nsub/s1_1.ppm,one,0,0\nsub/s1_1.ppm,one,1,1\n' >"$work/t/few.csv"
check_code "one scene alone" 2 train "$work/t/few.csv" -e
check_has "is told" "$work/err" "the tables have only one"
echo 'sub/s1_2.ppm,two,0,0' >>"$work/t/few.csv"
check_code "noise in one scene alone" 2 train "$work/t/few.csv" -e
check_has "is told by its name" "$work/err" "without scene one, 0 of 1 zones are noisy"

# ---- pictures with references
python3 tests/cli/noise_pictures.py "$work/t/ref.ppm" 64 48 0 1
pairs=$work/t/pairs.csv
printf 'scene,reference,path\n' >"$pairs"
for name in s1_1 s1_2 s1_4; do echo "one,ref.ppm,sub/$name.ppm"; done >>"$pairs"
echo "two,$work/t/ref.ppm,$work/t/sub/s2_1.ppm" >>"$pairs"
check_code "pairs" 0 train -q "$pairs" --save-features "$work/p.csv"
for name in s1_1 s1_2 s1_4 s2_1; do "$QBOOST" noise --json --grid 2x1 --reference "$work/t/ref.ppm" "$work/t/sub/$name.ppm"; done >"$work/p.jsonl" 2>"$work/err"
check "are labelled as noise --reference judges" python3 -c 'import csv, json, sys
wanted = [z["visibility"] for l in open(sys.argv[1]) for z in json.loads(l)["zones"]]
rows = list(csv.DictReader(open(sys.argv[2], newline="")))
assert len(wanted) == len(rows) == 8 and [r["scene"] for r in rows] == ["one"] * 6 + ["two"] * 2
assert all(abs(float(r["visibility"]) - w) <= 1e-8 * w for r, w in zip(rows, wanted)), (rows, wanted)
assert float(rows[1]["visibility"]) > 1 and all(r["samples"] == "" for r in rows)' "$work/p.jsonl" "$work/p.csv"
# Of 3 samples against 1, three quarters of the variance are the reference's: half of the difference is the picture's own.
printf 'path,scene,reference,samples,reference_samples\nsub/s1_1.ppm,one,ref.ppm,3,1\n' >"$work/t/own.csv"
check_code "pairs with their samples" 0 train -q "$work/t/own.csv" --save-features "$work/own.csv"
check "are freed of the reference's noise" python3 -c 'import csv, sys
own, whole = (list(csv.DictReader(open(name, newline="")))[:2] for name in sys.argv[1:])
assert all(abs(float(o["visibility"]) - 0.5 * float(a["visibility"])) <= 1e-8 for o, a in zip(own, whole)), (own, whole)' "$work/own.csv" "$work/p.csv"
check_code "tables add up" 0 train -e -c variance "$work/p.csv" "$labels"
check_has "their scenes too" "$work/out" "40 zones of 6 scenes"

# ---- bad tables: the message has the line
wrong() { # wrong LINE WORDS TABLE: printf's format
    printf "$3" >"$work/t/wrong.csv"
    check_code "wrong: $2" 1 train "$work/t/wrong.csv" -e -c variance
    check_has "wrong: $2 in line $1" "$work/err" "wrong.csv:$1: "
    check_has "wrong: $2 is said" "$work/err" "$2"
}
wrong 1 "the columns must be" 'name,mos\na,b\n'
wrong 1 "no column 'scene'" 'path,reference\na,b\n'
wrong 1 "two columns" 'path,scene,path,reference\n'
wrong 1 "another version" 'scene,visibility,svd_entropy\n'
wrong 2 "2 fields" 'path,scene,reference\na,b\n'
wrong 4 "a quote is not closed" 'path,scene,reference\n\n\n"a,b\n'
wrong 2 "closing quote" 'path,scene,reference\n"a"b,c,d\n'
wrong 2 "quote stands within" 'path,scene,reference\na"b,c,d\n'
wrong 2 "a path is empty" 'path,scene,reference\n,b,c\n'
wrong 2 "scene has no name" 'path,scene,reference\na,,c\n'
wrong 2 "nothing.ppm" 'path,scene,reference\nnothing.ppm,b,ref.ppm\n'
wrong 3 "nothing.ppm" 'path,scene,reference\nref.ppm,a,ref.ppm\nref.ppm,b,nothing.ppm\n'
wrong 2 "reference_samples: '-1'" 'path,scene,reference,samples,reference_samples\nsub/s1_1.ppm,a,ref.ppm,1,-1\n'
wrong 2 "samples: 'x'" 'path,scene,reference,samples\na,b,c,x\n'
wrong 2 "zone: '2'" 'path,scene,zone,noisy\nref.ppm,a,2,0\n'
wrong 2 "zone: '-1'" 'path,scene,zone,noisy\nref.ppm,a,-1,0\n'
wrong 2 "noisy: 'yes'" 'path,scene,zone,noisy\nref.ppm,a,1,yes\n'
wrong 2 "visibility: '-1'" 'path,scene,zone,visibility\nref.ppm,a,1,-1\n'
wrong 2 "visibility: '0x1p3'" 'path,scene,zone,visibility\nref.ppm,a,1,0x1p3\n'
wrong 2 "visibility: 'inf'" 'path,scene,zone,visibility\nref.ppm,a,1,inf\n'
wrong 2 "'many' of a baseline" 'path,scene,zone,noisy,baseline:b\nref.ppm,a,1,1,many\n'
python3 tests/cli/noise_pictures.py "$work/new2.ppm" 80 48 0 1
wrong 2 "80" 'path,scene,reference\nsub/s1_1.ppm,a,../new2.ppm\n'
sed '5s/,[0-9.e+-]*\r$/,nan\r/' "$work/f.csv" >"$work/t/wrong.csv"
check_code "a feature that is no number" 1 train "$work/t/wrong.csv" -e
check_has "is told of" "$work/err" "'nan' is not a number"
printf 'path,scene,reference\n' >"$work/t/wrong.csv"
check_code "a table without rows" 1 train "$work/t/wrong.csv" -e
: >"$work/t/wrong.csv"
check_code "an empty table" 1 train "$work/t/wrong.csv" -e
check_code "no such table" 3 train "$work/t/none.csv" -e
check_code "a folder" 3 train "$work/t" -e
printf 'path,scene,zone,noisy\nsub/s1_1.ppm,a,1,1\nsub/s1_2.ppm,b,1,1\n' >"$work/t/wrong.csv"
check_code "noisy zones alone" 2 train "$work/t/wrong.csv" -o "$work/none.gguf"
check "make no model" test ! -e "$work/none.gguf"

# ---- options
cp "$work/f.csv" "$work/table.csv"
ln "$work/table.csv" "$work/link.csv"
for arguments in "" "$work/f.csv" "-o $work/x.gguf" "-c all $work/f.csv -o $work/x.gguf" "-c all $work/f.csv -s $work/y.csv" \
    "-c none $work/f.csv -e" "-o $work/link.csv $work/table.csv" "-s $work/link.csv $work/table.csv" "-o $work/new.ppm $work/f.csv" \
    "--seed -1 -e $work/f.csv" "--grid 3 -e $labels" "--cost 0 -e $work/f.csv"; do
    check_code "2: $arguments" 2 "$QBOOST" noise train $arguments
done
check "tables are not written over" cmp "$work/table.csv" "$work/f.csv"
check_code "a folder that is not there" 1 train -q "$work/f.csv" -c variance -o "$work/none/m.gguf"
check_code "nor for features" 1 train -q "$work/f.csv" -s "$work/none/f.csv"
check_code "a model is written over" 0 train -q "$work/f.csv" -c variance -o "$work/m.gguf"
check_code "results cannot be written" 1 bash -c '"$1" noise train "$2" -e -c variance >/dev/full' - "$QBOOST" "$work/f.csv"

# ---- stopping: labels that nothing can learn, many times over
cat >"$work/stop.py" <<'PY'
import csv, random, signal, subprocess, sys, time
rows = list(csv.DictReader(open(sys.argv[1], newline="")))
r = random.Random(1)
with open(sys.argv[2], "w", newline="") as f:
    out = csv.DictWriter(f, rows[0])
    out.writeheader()
    for i in range(6000):
        row = {k: v if k in ("scene", "zone", "samples") else "%.6f" % r.random() for k, v in rows[i % 32].items()}
        out.writerow(dict(row, visibility=r.choice((0.2, 5))))
signal.signal(signal.SIGINT, signal.default_int_handler)  # not inherited as ignored
p = subprocess.Popen([sys.argv[3], "noise", "train", "-q", sys.argv[2], "-c", "svm", "-o", sys.argv[2] + ".gguf"])
time.sleep(1.5)
p.send_signal(signal.SIGINT)
start = time.time()
print(p.wait(30))
PY
check_same "SIGINT" "$(python3 "$work/stop.py" "$work/f.csv" "$work/long.csv" "$QBOOST")" 130
check "leaves no model" test ! -e "$work/long.csv.gguf"
finish
