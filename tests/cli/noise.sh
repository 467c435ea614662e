#!/bin/bash
# `qboost noise` without a reference: verdicts, zones, formats, tone mapping, odd samples, heat maps, exit codes.
# SPDX-License-Identifier: Apache-2.0
. tests/cli/lib.sh
command -v python3 >/dev/null || { skip "noise" "needs python3"; exit 0; }
picture() { python3 tests/cli/noise_pictures.py "$@"; }
json() { python3 -c 'import json, sys; d = json.loads(open(sys.argv[1]).readline()); print(eval(sys.argv[2]))' "$1" "$2"; }
without_ms() { sed 's/"ms":[0-9.]*//' "$1"; }
mkdir "$work/n"
picture "$work/n/a.ppm" 133 97 0.15 1
picture "$work/n/b.pfm" 133 97 0.15 2
picture "$work/n/c.ppm" 128 96 0 3
printf 'not a picture' >"$work/n/zz.png"

# ---- formats
for format in table csv tsv json jsonl; do
    check_code "$format: one of four fails" 1 "$QBOOST" noise --format $format "$work/n"
    cp "$work/out" "$work/o.$format"
    check_same "$format: the failure is told once" "$(grep -c zz.png "$work/err")" 1
done
check_code "--json" 1 "$QBOOST" noise --json "$work/n"
check_same "is jsonl" "$(without_ms "$work/out")" "$(without_ms "$work/o.jsonl")"
cat >"$work/read.py" <<'PY'
import csv, json, re, sys
work = sys.argv[1]
records = [json.loads(l) for l in open(work + "/o.jsonl")]
assert [r["path"][len(work):] for r in records] == ["/n/a.ppm", "/n/b.pfm", "/n/c.ppm", "/n/zz.png"], records
a, b, c, zz = records
assert zz["error"] and zz["error_kind"] and "noise" not in zz and "zones" not in zz
strip = lambda rs: [{k: v for k, v in r.items() if k != "ms"} for r in rs]
assert strip(json.load(open(work + "/o.json"))) == strip(records)
for r in records:
    assert r["schema"] == "qboost.noise/1" and r["way"] == "learned" and r["model"] and r["classifier"]
    assert r["grid"] == {"columns": 4, "rows": 4}
for r in (a, b, c):
    zones, i = r["zones"], r["input"]
    assert [(z["row"], z["column"]) for z in zones] == [(y, x) for y in range(1, 5) for x in range(1, 5)]
    cells = set()
    for z in zones:
        new = {(x, y) for x in range(z["x"], z["x"] + z["width"]) for y in range(z["y"], z["y"] + z["height"])}
        assert not cells & new
        cells |= new
        v = z["visibility"]
        assert abs(z["noise"] - (1 - 1 / v if v > 1 else 0)) < 1e-6, z
    assert len(cells) == i["width"] * i["height"] and max(cells) == (i["width"] - 1, i["height"] - 1)
    assert r["visibility"] == max(z["visibility"] for z in zones) and r["noise"] == max(z["noise"] for z in zones)
    assert r["noisy_share"] == sum(z["visibility"] > 1 for z in zones) / 16
    assert "metrics" not in r and "reference" not in r and "warning" not in r and "heat_map" not in r
for r in (a, b):  # strong noise, in the right half
    assert all(z["visibility"] > 1 for z in r["zones"] if z["column"] > 3), r
    left = max(z["visibility"] for z in r["zones"] if z["column"] < 3)
    assert min(z["visibility"] for z in r["zones"] if z["column"] > 3) > left
assert c["visibility"] < min(a["visibility"], b["visibility"])
assert a["input"]["format"] == "ppm" or a["input"]["format"] == "pnm", a
assert b["input"]["format"] == "pfm" and b["input"]["light"] and not a["input"]["light"]
assert a["tone"] is None and b["tone"] == {"curve": "srgb", "exposure": 0}
for i in (a["input"], b["input"]):
    assert (i["nan"], i["infinite"], i["negative"], i["missing"], i["samples"]) == (0, 0, 0, "", None)
rows = list(csv.DictReader(open(work + "/o.csv", newline="")))
tabs = [l.split("\t") for l in open(work + "/o.tsv").read().split("\n")[:-1]]
assert tabs[0] == list(rows[0]) and len(tabs) == 5
for row, record, tab in zip(rows, records, tabs[1:]):
    assert None not in row and None not in row.values() and list(row.values()) == tab
    assert row["path"] == record["path"] and row["error"] == record.get("error", "")
    if "error" in record:
        assert row["noise"] == "" == row["noise_4_4"]
        continue
    assert all(float(row["noise_%d_%d" % (z["row"], z["column"])]) == z["noise"] for z in record["zones"])
    worst = record["zones"][(int(row["worst_row"]) - 1) * 4 + int(row["worst_column"]) - 1]
    assert float(row["noise"]) == record["noise"] and worst["visibility"] == record["visibility"]
lines = open(work + "/o.table").read().splitlines()
assert len(lines) == 3, lines
for line, r in zip(lines, (a, b, c)):
    n = sum(z["visibility"] > 1 for z in r["zones"])
    worst = max(r["zones"], key=lambda z: z["visibility"])
    assert ("light, tone srgb" in line) == r["input"]["light"]
    where = "(row %d, column %d)" % (worst["row"], worst["column"])
    told = "noise visible in %d of 16 zones, worst " % n if n else "no noise visible in 16 zones, visibility at most "
    number = "(<0.01|%.2f) " % worst["noise"] if n else "%.2f " % worst["visibility"]
    assert re.search(re.escape(told) + number + re.escape(where) + "$", line), line
PY
check "all formats say the same, and what zones are" python3 "$work/read.py" "$work"

# ---- one picture
check_code "one picture" 0 "$QBOOST" noise --grid 3x2 "$work/n/a.ppm"
check_same "its zones are shown" "$(n_lines "$work/out")" 6
"$QBOOST" noise --json --grid 3x2 "$work/n/a.ppm" >"$work/one"
check "as they lie in it" python3 -c 'import json, sys
lines = [l.split() for l in open(sys.argv[1])]
zones = json.loads(open(sys.argv[2]).readline())["zones"]
assert lines[3] == ["1", "2", "3"] and [l[0] for l in lines[4:]] == ["1", "2"]
shown = [w for l in lines[4:] for w in l[1:]]
assert len(shown) == 6 and all(w == "<0.01" or abs(float(w) - z["noise"]) < 0.0051 for w, z in zip(shown, zones)), shown' "$work/out" "$work/one"
check_same "zones of a picture that is wider than high" \
    "$(json "$work/one" '[(z["row"], z["column"], z["x"], z["y"], z["width"], z["height"]) for z in d["zones"]]')" \
    "[(1, 1, 0, 0, 44, 48), (1, 2, 44, 0, 44, 48), (1, 3, 88, 0, 45, 48), (2, 1, 0, 48, 44, 49), (2, 2, 44, 48, 44, 49), (2, 3, 88, 48, 45, 49)]"
"$QBOOST" noise --color always "$work/n/a.ppm" >"$work/out"
check "in colour when asked for" grep -q "$(printf '\033')\[3[13]m" "$work/out"
"$QBOOST" noise --json - <"$work/n/b.pfm" >"$work/in"
"$QBOOST" noise --json "$work/n/b.pfm" >"$work/t1"
check_same "standard input is as the file" "$(without_ms "$work/in" | sed 's/"path":"[^"]*"//')" "$(without_ms "$work/t1" | sed 's/"path":"[^"]*"//')"
for threads in 1 3; do "$QBOOST" noise --json --threads $threads "$work/n/a.ppm" >"$work/threads.$threads"; done
check_same "any number of threads" "$(without_ms "$work/threads.1")" "$(without_ms "$work/threads.3")"

# ---- grids
check_code "one zone" 0 "$QBOOST" noise --json --grid 1x1 "$work/n/c.ppm"
check_same "is the picture" "$(json "$work/out" '[(z["x"], z["y"], z["width"], z["height"]) for z in d["zones"]]')" "[(0, 0, 128, 96)]"
check_code "the finest grid" 0 "$QBOOST" noise --json --grid 8x6 "$work/n/c.ppm"
check_same "has 48 zones" "$(json "$work/out" 'len(d["zones"])')" 48
check_code "too fine a grid" 1 "$QBOOST" noise --json --grid 9x6 "$work/n/c.ppm"
check_has "says how small zones may be" "$work/err" "smaller than 16 x 16"
for grid in 4 4x 0x4 4x-1 4x4x4 33x32 axb ''; do
    check_code "--grid '$grid'" 2 "$QBOOST" noise --grid "$grid" "$work/n/c.ppm"
done

# ---- light
"$QBOOST" noise --json --tone aces --exposure 1.5 "$work/n/b.pfm" >"$work/aces"
check_same "the tone mapping is told" "$(json "$work/aces" 'd["tone"]')" "{'curve': 'aces', 'exposure': 1.5}"
check "and matters" [ "$(json "$work/aces" 'd["visibility"]')" != "$(json "$work/t1" 'd["visibility"]')" ]
"$QBOOST" noise --tone aces --exposure 1.5 "$work/n/b.pfm" >"$work/out"
check_has "also to people" "$work/out" "(light, tone aces, +1.5 stops)"
"$QBOOST" noise --json "$work/n/a.ppm" >"$work/srgb"
"$QBOOST" noise --json --tone aces --exposure 1.5 "$work/n/a.ppm" >"$work/aces"
check_same "but not for what was made for a screen" "$(without_ms "$work/aces")" "$(without_ms "$work/srgb")"
check_code "an unknown curve" 2 "$QBOOST" noise --tone filmic "$work/n/b.pfm"
picture "$work/odd.pfm" 128 96 0 4 nan,nan,inf,-1,-2,-inf
check_code "odd samples" 0 "$QBOOST" noise --json "$work/odd.pfm"
check_same "are counted" "$(json "$work/out" 'd["input"]["nan"], d["input"]["infinite"] + d["input"]["negative"]')" "(2, 4)"
check_has "and told" "$work/err" "2 samples are not a number, read as 0"
check "in the record too" grep -q '"note":"2 samples are not a number' "$work/out"
check_code "-q" 0 "$QBOOST" noise -q --json "$work/odd.pfm"
check_same "tells nothing" "$(n_lines "$work/err")" 0

layers=tests/golden/images/exr_blender_layers.exr
check_code "OpenEXR with layers" 0 "$QBOOST" noise --json --grid 1x1 $layers
check_same "its samples are told" "$(json "$work/out" 'd["input"]["format"], d["input"]["light"], d["input"]["samples"]')" "('exr', True, 8)"
cp "$work/out" "$work/combined"
check_code "the layer by name" 0 "$QBOOST" noise --json --grid 1x1 --layer ViewLayer.Combined $layers
check_same "is the one that is taken" "$(without_ms "$work/out")" "$(without_ms "$work/combined")"
check_code "a layer that is not there" 1 "$QBOOST" noise --layer Diffuse $layers
check_has "those that are, are named" "$work/err" "ViewLayer.Combined.R"

# ---- heat maps
cat >"$work/svg.py" <<'PY'
import sys, xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()
assert root.tag == "{http://www.w3.org/2000/svg}svg" and sum(e.tag.endswith("}image") for e in root.iter()) == 1
print(*[e.text for e in root.iter() if e.tag.endswith("}text")], sep="\n")
PY
check_code "a heat map as SVG" 0 "$QBOOST" noise --json --heat-map "$work/h.svg" "$work/n/a.ppm"
check_same "is named in the record" "$(json "$work/out" 'd["heat_map"]')" "$work/h.svg"
python3 "$work/svg.py" "$work/h.svg" >"$work/svg" 2>&1
"$QBOOST" noise "$work/n/a.ppm" >"$work/text"
check_has "it has the verdict" "$work/svg" "$(sed -n '1s/.*: //p' "$work/text")"
check "and the noise of each zone where it can be seen" python3 -c 'import json, sys
zones = json.loads(open(sys.argv[1]).readline())["zones"]
texts = open(sys.argv[2]).read().splitlines()
labels = [t for t in texts if t == "<0.01" or t.replace(".", "").isdigit() and "." in t]
assert len(labels) == sum(z["noise"] > 0 for z in zones) > 0, texts' "$work/out" "$work/svg"
check_code "heat maps as PNG" 1 "$QBOOST" noise --heat-map "$work/h.png" "$work/n"
for name in h-1-a h-2-b h-3-c; do check "$name.png" [ "$(head -c 8 "$work/$name.png" | od -An -tx1 | tr -d ' \n')" = 89504e470d0a1a0a ]; done
check "none of what failed" [ ! -e "$work/h-4-zz.png" ]
check_code "an unknown ending" 2 "$QBOOST" noise --heat-map "$work/n/a.ppm" "$work/n/c.ppm"
cp "$work/n/a.ppm" "$work/own.png"
check_code "the picture itself" 1 "$QBOOST" noise --heat-map "$work/own.png" "$work/own.png"
check "is not written over" cmp "$work/n/a.ppm" "$work/own.png"
check_code "no folder" 1 "$QBOOST" noise --heat-map "$work/no/h.png" "$work/n/a.ppm"

# ---- inputs, exit codes
mkdir "$work/none" "$work/deep" "$work/deep/er" && cp "$work/n/c.ppm" "$work/deep/er/C.PPM"
check_code "a folder without pictures" 3 "$QBOOST" noise "$work/none"
check_code "no operand" 2 "$QBOOST" noise
check_code "folders in folders" 0 "$QBOOST" noise "$work/deep"
check_code "not with --no-recursive" 3 "$QBOOST" noise --no-recursive "$work/deep"
printf '%s\0' "$work/n/a.ppm" "$work/n/b.pfm" >"$work/list"
check_code "a list" 0 "$QBOOST" noise --json -0 --files-from "$work/list"
check_same "of two" "$(n_lines "$work/out")" 2
check_code "--null without a list" 2 "$QBOOST" noise -0 "$work/n/a.ppm"
head -c 5000 "$work/n/b.pfm" >"$work/half.pfm"
check_code "half a file, and one that is not there" 1 "$QBOOST" noise --json "$work/half.pfm" "$work/no.exr" "$work/n/a.ppm"
check_same "are records with an error" "$(grep -c '"error"' "$work/out")" 2
check_same "beside one that is judged" "$(grep -c '"zones"' "$work/out")" 1
# A picture of nothing but errors is no clean one.
python3 -c 'import struct, sys; sys.stdout.buffer.write(b"PF\n64 64\n-1.0\n" + struct.pack("<f", float("nan")) * 64 * 64 * 3)' >"$work/nothing.pfm"
check_code "not a number throughout: the gate stays shut" 1 "$QBOOST" noise -q --json --fail-over 0 "$work/nothing.pfm"
check_has "its noise cannot be told" "$work/out" '"noise":null,"visibility":null'
check_code "nor does the watch end" 7 "$QBOOST" noise watch -q --once -k 1 - <<<"$work/nothing.pfm"
check_code "--fail-over: above" 6 "$QBOOST" noise -q --fail-over 0 "$work/n/a.ppm"
check_has "says so" "$work/err" "the noise of 1 of 1 picture is above 0"
check_code "--fail-over: a failure counts more" 1 "$QBOOST" noise -q --fail-over 0 "$work/n/a.ppm" "$work/n/zz.png"
check_code "--fail-over: not above" 0 "$QBOOST" noise -q --fail-over 1 "$work/n/a.ppm"
check_code "--fail-over: no noise is above 1" 2 "$QBOOST" noise --fail-over 1.5 "$work/n/a.ppm"
check_code "more pixels than allowed" 1 "$QBOOST" noise --max-pixels 12000 "$work/n/a.ppm"
check_has "the option is named" "$work/err" "--max-pixels"
check_code "a model that is none" 4 "$QBOOST" noise --noise-model "$work/n/zz.png" "$work/n/a.ppm"
check_code "nor is one by a variable" 4 env QBOOST_NOISE_MODEL="$work/n/zz.png" "$QBOOST" noise "$work/n/a.ppm"
check_code "a model for scores does not concern it" 0 env QBOOST_MODEL="$work/n/zz.png" "$QBOOST" noise "$work/n/a.ppm"

# ---- signals: what is written is whole, also when the list stops coming
cat >"$work/stop.py" <<'PY'
# stop.py SIGNAL PICTURE OUTPUT QBOOST: sends the signal when the list has come to a halt; prints the exit code
import os, signal, subprocess, sys, time
process = subprocess.Popen([sys.argv[4], "noise", "--format", "json", "--files-from", "-"], stdin=subprocess.PIPE,
                           stdout=open(sys.argv[3], "w"), stderr=subprocess.DEVNULL,
                           preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # a shell's "&" ignores it
process.stdin.write((sys.argv[2] + "\n" + sys.argv[2] + "\n").encode())
process.stdin.flush()
deadline = time.time() + 20
while open(sys.argv[3]).read().count("zones") < 2 and time.time() < deadline:
    time.sleep(0.02)
process.send_signal(getattr(signal, sys.argv[1]))
start = time.time()
print(process.wait(20))
sys.exit(time.time() - start > 5)
PY
for pair in SIGINT:130 SIGTERM:143; do
    check_same "${pair%:*}: exit code" "$(python3 "$work/stop.py" ${pair%:*} "$work/n/a.ppm" "$work/s.json" "$QBOOST")" ${pair#*:}
    check "${pair%:*}: the array is closed" python3 -c 'import json, sys; assert len(json.load(open(sys.argv[1]))) == 2' "$work/s.json"
done
check_code "full disk" 1 bash -c '"$1" noise "$2" >/dev/full' - "$QBOOST" "$work/n/a.ppm"
check_has "is told" "$work/err" "cannot write the results"
finish
