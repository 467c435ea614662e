#!/bin/bash
# The output formats, read back by independent parsers; awkward file names.
# SPDX-License-Identifier: Apache-2.0
. tests/cli/lib.sh
command -v python3 >/dev/null || { skip "formats" "needs python3"; exit 0; }
mkdir "$work/p"
make_ppm "$work/p/plain.ppm" 1
cp "$work/p/plain.ppm" "$work/p/com,ma \"quote\".ppm"
cp "$work/p/plain.ppm" "$work/p/new
line.ppm"
cp "$work/p/plain.ppm" "$work/p/tab	back\\slash.ppm"
cp "$work/p/plain.ppm" "$work/p/ünï.ppm"
cp "$work/p/plain.ppm" "$work/p/$(printf 'latin\374\033[31m.ppm')"
printf 'broken, "really"' >"$work/p/zz.jpg"

for format in table csv tsv json jsonl; do
    check_code "$format runs" 1 "$QBOOST" score --format $format "$work/p"
    cp "$work/out" "$work/o.$format"
done
"$QBOOST" score --json "$work/p" >"$work/o.flag" 2>/dev/null
check_same "--json is jsonl" "$(without_ms "$work/o.flag")" "$(without_ms "$work/o.jsonl")"

cat >"$work/read.py" <<'PY'
import base64, csv, io, json, math, os, sys
work = os.fsencode(sys.argv[1])
names = sorted(os.listdir(work + b"/p"))
paths = [work + b"/p/" + n for n in names]
def path_of(o):
    return base64.b64decode(o["path_b64"]) if "path_b64" in o else o["path"].encode()
lines = open(work + b"/o.jsonl", "rb").read()
assert lines.endswith(b"\n")
records = [json.loads(l) for l in lines.decode("utf-8").splitlines()]
assert [path_of(r) for r in records] == paths, records
for r in records:
    assert r["schema"] == "qboost.score/1"
    assert r["model"] and len(r["model_hash"]) == 32 and r["method"] == "tti"
    if r["path"].endswith("zz.jpg"):
        assert r["error"] and r["error_kind"] and "score" not in r
        continue
    assert r["width"] == r["height"] == 8 and r["format"] == "pnm"
    p = [r["p_good"], r["p_average"], r["p_poor"]]
    assert abs(sum(p) - 1) < 1e-7 and abs(p[0] + p[1] / 2 - r["score"]) < 1e-7, r
    e = [math.exp(r["logits"][w]) for w in ("good", "average", "poor")]
    assert all(abs(a / sum(e) - b) < 1e-5 for a, b in zip(e, p)), r
    h = -sum(x * math.log(x) for x in p) / math.log(3)
    assert abs(h - r["entropy"]) < 1e-6
    assert set(r["ms"]) == {"decode", "preprocess", "vision", "prefill", "total"}
array = json.load(open(work + b"/o.json", encoding="utf-8"))
strip = lambda rs: [{k: v for k, v in r.items() if k != "ms"} for r in rs]
assert strip(array) == strip(records)
raw = open(work + b"/o.csv", "rb").read()
assert raw.count(b"\r\n") == len(records) + 1
rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8", "surrogateescape"), newline="")))
assert [os.fsencode(r["path"]) for r in rows] == paths
tsv = open(work + b"/o.tsv", "rb").read().decode("utf-8", "surrogateescape").split("\n")
assert tsv[-1] == "" and len(tsv) == len(records) + 2
head = tsv[0].split("\t")
esc = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}
def unescape(s):
    out, it = "", iter(s)
    for c in it:
        out += esc[next(it)] if c == "\\" else c
    return out
trows = [dict(zip(head, map(unescape, l.split("\t")))) for l in tsv[1:-1]]
assert [os.fsencode(r["path"]) for r in trows] == paths
assert head == list(rows[0])
for a, b, c in zip(rows, trows, records):
    assert None not in a and None not in a.values()
    for k in ("score", "p_good", "p_average", "p_poor", "entropy"):
        assert a[k] == b[k] and (a[k] == "" if "error" in c else float(a[k]) == c[k]), (k, a, c)
    assert a["error"] == b["error"] == c.get("error", "").replace("\ufffd", "\udcfc"), a
table = open(work + b"/o.table", "rb").read()
assert table.count(b"\n") == len(records), table   # header, no row for the broken one
assert b"\033" not in table and b"\374" not in table and b"\\xfc\\x1b[31m.ppm" in table
assert b"new\\nline.ppm" in table
PY
check "all formats say the same" python3 "$work/read.py" "$work"

"$QBOOST" score --json --method binary "$work/p/plain.ppm" >"$work/out"
check_has "a tone that the method lacks is null" "$work/out" '"p_average":null'
"$QBOOST" score --json --method levels "$work/p/plain.ppm" >"$work/out"
for tone in excellent good fair poor bad; do
    check "levels: p_$tone" grep -qE "\"p_$tone\":[0-9.e-]+," "$work/out"
done
"$QBOOST" score --format csv --method levels "$work/p/plain.ppm" "$work/p/zz.jpg" >"$work/out" 2>/dev/null
check "csv: as many fields in every row" awk -F, '{ if (n && NF != n) exit 1; n = NF }' "$work/out"

score_on() { "$QBOOST" score --json --scale "$1" "$work/p/plain.ppm" | python3 -c 'import json, sys; print(json.load(sys.stdin)["score"])'; }
check "scales agree" python3 -c 'import sys
a, b, c = map(float, sys.argv[1:])
sys.exit(not (0 < a < 1 and abs(b - (1 + 4 * a)) < 1e-6 and abs(c - 100 * a) < 1e-5))' \
    "$(score_on 0-1)" "$(score_on 1-5)" "$(score_on 0-100)"

LC_ALL=C "$QBOOST" score "$work/p/plain.ppm" >"$work/out" 2>/dev/null
check "C locale: an ASCII table" bash -c '! LC_ALL=C grep -q "[^ -~]" "$1" && grep -qE "  [#-]{20}  " "$1"' - "$work/out"
for order in score -score path; do
    "$QBOOST" score --sort $order --format tsv examples/c*.jpg "$work/p/plain.ppm" "$work/p/zz.jpg" 2>/dev/null | tail -n +2 >"$work/sorted"
    key=$([ $order = path ] && echo 1 || echo 5)
    flags=$(case $order in score) echo -g ;; -score) echo -gr ;; esac)
    check "--sort $order" bash -c 'head -n -1 "$1" | cut -f "$2" | LC_ALL=C sort -c $3' - "$work/sorted" $key "$flags"
    check "--sort $order: failed ones last" bash -c 'tail -n 1 "$1" | grep -q zz.jpg' - "$work/sorted"
done
finish
