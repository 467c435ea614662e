#!/bin/bash
# `qboost video`: frames, pools, formats, pipes, damage, timelines, exit codes. Clips are made here, as
# YUV4MPEG2, but for those whose compression matters: tests/golden/video.
# SPDX-License-Identifier: Apache-2.0
. tests/cli/lib.sh
command -v python3 >/dev/null || { skip "video" "needs python3"; exit 0; }
mkdir "$work/v"
cat >"$work/clip.py" <<'PY'
# clip.py FILE FRAMES FPS SEED [WIDTH HEIGHT]: waves under noise that grows and fades
import math, random, sys
path, n, fps, seed = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
w, h = map(int, sys.argv[5:7]) if len(sys.argv) > 5 else (64, 48)
r = random.Random(seed)
with open(path, "wb") as f:
    f.write(b"YUV4MPEG2 W%d H%d F%s:1 Ip A1:1 C444\n" % (w, h, fps.encode()))
    for i in range(n):
        noise = 40 * (1 + math.sin(i * 6.3 / n + seed))
        f.write(b"FRAME\n")
        for plane in range(3):
            f.write(bytes(min(max(int(128 + 60 * math.sin((x + i) / 9 + plane) * math.cos(y / 7) +
                                      r.uniform(-noise, noise)), 16), 235) for y in range(h) for x in range(w)))
PY
clip() { python3 "$work/clip.py" "$@"; }
json() { python3 -c 'import json, sys; d = json.loads(open(sys.argv[1]).readline()); print(eval(sys.argv[2]))' "$1" "$2"; }
clip "$work/v/a.y4m" 55 10 1
clip "$work/v/b.y4m" 20 10 2
clip "$work/v/tiny.y4m" 3 10 3
printf 'not a video' >"$work/v/zz.mp4"
make_ppm "$work/v/picture.ppm" 1

# ---- formats
for format in table csv tsv json jsonl; do
    check_code "$format: one of four fails" 1 "$QBOOST" video --format $format --frames-out "$work/f.$format.csv" "$work/v"
    cp "$work/out" "$work/o.$format"
done
check_same "the failure is told" "$(grep -c zz.mp4 "$work/err")" 1
check_code "jsonl frames" 1 "$QBOOST" video --json --frames-out "$work/f.jsonl" "$work/v"
check_same "--json is jsonl" "$(without_ms "$work/out")" "$(without_ms "$work/o.jsonl")"
cat >"$work/read.py" <<'PY'
import csv, json, math, sys
work = sys.argv[1]
records = [json.loads(l) for l in open(work + "/o.jsonl")]
assert [r["path"][len(work):] for r in records] == ["/v/a.y4m", "/v/b.y4m", "/v/tiny.y4m", "/v/zz.mp4"], records
good = records[:3]
assert records[3]["error"] and records[3]["error_kind"] and "score" not in records[3]
assert [r["frames"] for r in good] == [5, 2, 1]
for r in records:
    assert r["schema"] == "qboost.video/1" and r["method"] == "mpe" and r["pool"] == "logits" and r["way"] == "frames"
    assert r["sampling"] == {"fps": 1} and len(r["model_hash"]) == 32
for r in good:
    assert r["width"] == 64 and r["height"] == 48 and r["fps"] == 10 and r["codec"] == "rawvideo", r
    assert r["container"] == "yuv4mpegpipe" and r["partial"] is False and r["notes"] == [] and "damage" not in r
    assert set(r["ms"]) == {"decode", "preprocess", "vision", "prefill", "total"}
strip = lambda rs: [{k: v for k, v in r.items() if k != "ms"} for r in rs]
assert strip(json.load(open(work + "/o.json"))) == strip(records)
rows = list(csv.DictReader(open(work + "/o.csv", newline="")))
tabs = [l.split("\t") for l in open(work + "/o.tsv").read().split("\n")[:-1]]
assert tabs[0] == list(rows[0]) and len(tabs) == len(rows) + 1 == 5
for row, record, tab in zip(rows, records, tabs[1:]):
    assert None not in row and None not in row.values()
    assert list(row.values())[:9] == tab[:9]
    for key in ("score", "p_good", "p_average", "p_poor", "entropy", "width", "fps", "frames", "duration_s"):
        assert row[key] == "" if "error" in record else float(row[key]) == record[key], (key, row, record)
    assert row["partial"] == ("" if "error" in record else "0") and row["error"] == record.get("error", "")
table = open(work + "/o.table").read().splitlines()
assert len(table) == 4 and "5 frames of 5.5 s" in table[1] and "1 frame of 0.3 s" in table[3], table
assert [float(l.split()[0]) for l in table[1:]] == [float("%.3f" % r["score"]) for r in good]
# frames: indices and times of one frame a second, mean logits, the score of those
frames = [json.loads(l) for l in open(work + "/f.jsonl")]
fields = list(csv.DictReader(open(work + "/f.csv.csv", newline="")))
assert [(f["path"], f["index"]) for f in frames] == \
    [(work + "/v/a.y4m", 10 * i) for i in range(5)] + [(work + "/v/b.y4m", 10 * i) for i in range(2)] + [(work + "/v/tiny.y4m", 0)]
assert len(frames) == len(fields)
for f, row in zip(frames, fields):
    assert f["schema"] == "qboost.frame/1" and abs(f["time_s"] - f["index"] / 10) < 1e-6
    assert row["path"] == f["path"] and int(row["index"]) == f["index"] and float(row["time_s"]) == f["time_s"]
    for key in ("score", "p_good", "p_average", "p_poor", "entropy"):
        assert float(row[key]) == f[key]
    for word, value in f["logits"].items():
        assert float(row["logit_" + word]) == value
    assert abs(f["p_good"] + f["p_average"] / 2 - f["score"]) < 1e-7
tones = (("good", "high", "fine"), ("average", "medium", "acceptable"), ("poor", "low", "bad"))
for r in good:
    mine = [f for f in frames if f["path"] == r["path"]]
    mean = {w: sum(f["logits"][w] for f in mine) / len(mine) for w in mine[0]["logits"]}
    assert all(abs(mean[w] - r["logits"][w]) < 1e-5 for w in mean)
    e = [math.exp(sum(mean[w] for w in t) / 3) for t in tones]
    assert abs((e[0] + e[1] / 2) / sum(e) - r["score"]) < 1e-6, r
assert len({f["score"] for f in frames}) == len(frames)
PY
check "all formats say the same" python3 "$work/read.py" "$work"
"$QBOOST" video --json --scale 0-100 "$work/v/a.y4m" >"$work/out"
check "--scale" python3 -c 'import sys; a, b = map(float, sys.argv[1:]); sys.exit(abs(100 * a - b) > 1e-5)' \
    "$(json "$work/o.jsonl" 'd["score"]')" "$(json "$work/out" 'd["score"]')"

# ---- which frames
indices() { "$QBOOST" video -q --frames-out "$work/i.csv" "$@" >"$work/out" && tail -n +2 "$work/i.csv" | cut -d, -f2 | tr '\n' ' '; }
check_same "--fps 2" "$(indices --fps 2 "$work/v/b.y4m")" "0 5 10 15 "
check_same "--frames 4" "$(indices --frames 4 "$work/v/b.y4m")" "2 7 12 17 "
check_same "--every 8" "$(indices --every 8 "$work/v/b.y4m")" "0 8 16 "
check_same "--frames of more than there are" "$(indices --frames 99 "$work/v/tiny.y4m")" "0 1 2 "
for pair in "--fps 1 --every 2" "--frames 3 --fps 1" "--every 2 --frames 2"; do
    check_code "$pair" 2 "$QBOOST" video $pair "$work/v/b.y4m"
done
check_has "they exclude each other" "$work/err" "exclude each other"
for wrong in "--fps 0" "--fps x" "--frames 0" "--every 0"; do
    check_code "$wrong" 2 "$QBOOST" video $wrong "$work/v/b.y4m"
done

# ---- pools
cat >"$work/pool.py" <<'PY'
# pool.py NAME SCORE FRAMES.csv: SCORE is what the formula in docs/video.md gives
import csv, math, sys
s = sorted(float(r["score"]) for r in csv.DictReader(open(sys.argv[3], newline="")))
n = len(s)
def percentile(q):
    at = q * (n - 1)
    low = math.floor(at)
    return s[low] + (at - low) * (s[min(low + 1, n - 1)] - s[low])
pools = {"mean": sum(s) / n, "min": s[0], "median": percentile(0.5), "p1": percentile(0.01), "p5": percentile(0.05),
         "p10": percentile(0.1), "harmonic": (n / sum(1 / (100 * x + 1) for x in s) - 1) / 100,
         "weighted": sum((1 - x) * x for x in s) / sum(1 - x for x in s)}
assert abs(pools[sys.argv[1]] - float(sys.argv[2])) < 1e-8, (pools[sys.argv[1]], sys.argv[2])
PY
for pool in mean min median harmonic p1 p5 p10 weighted; do
    "$QBOOST" video --every 7 --json --pool $pool --frames-out "$work/p.csv" "$work/v/a.y4m" >"$work/p.json"
    check "--pool $pool" python3 "$work/pool.py" $pool "$(json "$work/p.json" 'd["score"]')" "$work/p.csv"
    check_has "is in the record" "$work/p.json" "\"pool\":\"$pool\""
done
check_code "an unknown pool" 2 "$QBOOST" video --pool mode "$work/v/a.y4m"
for name in logits mean min median harmonic p1 p5 p10 weighted; do check_has "names $name" "$work/err" "$name"; done

# ---- the way: the embedded model was not taught clips
check_code "--way clip" 2 "$QBOOST" video --way clip "$work/v/a.y4m"
check_code "--way frames" 0 "$QBOOST" video --json --way frames "$work/v/a.y4m"
check_same "is what auto is here" "$(without_ms "$work/out")" "$(head -n 1 "$work/o.jsonl" | sed 's/"ms":{[^}]*},//')"

make_checkpoint "$work/owl" --arch mplug_owl2
align=$work/align.gguf
check_code "a model that was" 0 "$QBOOST" convert -q "$work/owl" -o "$align" --preset q-align
check_code "judges all frames together" 0 "$QBOOST" video --json --model "$align" --frames-out "$work/c.csv" "$work/v/a.y4m"
check_has "which the record says" "$work/out" '"way":"clip"'
check_same "rows of frames have no scores" "$(tail -n +2 "$work/c.csv" | sed 's/\r//' | cut -d, -f2-4 | tr '\n' ' ')" "0,0, 10,1, 20,2, 30,3, 40,4, "
check "but as many fields" awk -F, '{ if (n && NF != n) exit 1; n = NF }' "$work/c.csv"
"$QBOOST" video --json --threads 3 --model "$align" "$work/v/a.y4m" >"$work/three"
check_same "three threads make no difference" "$(without_ms "$work/three")" "$(without_ms "$work/out")"
for option in "--pool mean" "--timeline $work/c.png"; do
    check_code "not with ${option%% *}" 2 "$QBOOST" video --model "$align" $option "$work/v/a.y4m"
    check_has "which says what would" "$work/err" "--way frames"
    check_code "but then" 0 "$QBOOST" video --way frames --model "$align" $option "$work/v/a.y4m"
done

# ---- threads, pipes
for threads in 1 3; do
    "$QBOOST" video --json --fps 3 --threads $threads --frames-out "$work/t$threads.csv" "$work/v/a.y4m" "$work/v/b.y4m" >"$work/t$threads"
done
check_same "--threads 1 and 3 agree" "$(without_ms "$work/t1")" "$(without_ms "$work/t3")"
check "so do the frames" cmp "$work/t1.csv" "$work/t3.csv"
result() { json "$1" 'd["score"], d["frames"], d["logits"]'; }
"$QBOOST" video --json --fps 3 - <"$work/v/a.y4m" >"$work/in"
check_same "standard input is as the file" "$(result "$work/in")" "$(result "$work/t1")"
cat "$work/v/a.y4m" | "$QBOOST" video --json --fps 3 - >"$work/in"
check_same "so is a pipe" "$(result "$work/in")" "$(result "$work/t1")"
golden=tests/golden/video
"$QBOOST" video --json --fps 5 "$golden/short.mp4" >"$work/t1"
cat "$golden/short.mp4" | "$QBOOST" video --json --fps 5 - >"$work/in"
check_same "so is an MP4, its index at the end" "$(result "$work/in")" "$(result "$work/t1")"
check_code "--frames needs the length" 1 bash -c 'cat "$2" | "$1" video --frames 3 -' - "$QBOOST" "$work/v/a.y4m"
check_has "which is told" "$work/err" "every"
check_code "standard input only once" 2 "$QBOOST" video - - <"$work/v/a.y4m"

# ---- what was done to frames
check_code "HDR" 0 "$QBOOST" video --json "$golden/pq_ramp.mp4"
check_same "is told once" "$(grep -c 'pq_ramp.mp4: HDR' "$work/err")" 1
check "and in the record" [ "$(json "$work/out" 'd["notes"][0][:8]')" = "HDR (PQ)" ]
check_code "-q" 0 "$QBOOST" video -q --json "$golden/pq_ramp.mp4"
check_same "tells nothing" "$(n_lines "$work/err")" 0
"$QBOOST" video --json "$golden/rotated90.mp4" >"$work/out"
check_same "turned: width and height as shown" "$(json "$work/out" 'd["width"], d["height"], d["rotation"]')" "(48, 64, 270)"
"$QBOOST" video --json --decode upstream "$golden/interlaced_tff.mp4" >"$work/up" 2>/dev/null
"$QBOOST" video --json "$golden/interlaced_tff.mp4" >"$work/out" 2>/dev/null
check "--decode upstream does not deinterlace" [ "$(json "$work/up" 'd["notes"]')$(json "$work/out" 'len(d["notes"])')" = "[]1" ]
check "and is another setting" [ "$(json "$work/up" 'd["settings"]')" != "$(json "$work/out" 'd["settings"]')" ]

# ---- timelines
cat >"$work/svg.py" <<'PY'
# svg.py FILE: the pictures in it, checked to be PNGs, and its texts
import base64, sys, xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()
assert root.tag == "{http://www.w3.org/2000/svg}svg"
images = [e for e in root.iter() if e.tag.endswith("}image")]
for e in images:
    kind, data = e.attrib["{http://www.w3.org/1999/xlink}href"].split(",")
    assert kind == "data:image/png;base64" and base64.b64decode(data, validate=True)[:8] == b"\x89PNG\r\n\x1a\n"
print(len(images), *[e.text for e in root.iter() if e.tag.endswith("}text")])
PY
cat >"$work/png.py" <<'PY'
import struct, sys, zlib
data = open(sys.argv[1], "rb").read()
assert data[:8] == b"\x89PNG\r\n\x1a\n"
at, idat = 8, b""
while at < len(data):
    n, kind = struct.unpack(">I4s", data[at:at + 8])
    body = data[at + 8:at + 8 + n]
    assert zlib.crc32(kind + body) == struct.unpack(">I", data[at + 8 + n:at + 12 + n])[0]
    if kind == b"IHDR":
        w, h = struct.unpack(">II", body[:8])
    idat += body if kind == b"IDAT" else b""
    at += 12 + n
assert kind == b"IEND" and len(zlib.decompress(idat)) == h * (3 * w + 1)
print(w)
PY
check_code "a timeline as SVG" 0 "$QBOOST" video --json --every 5 --timeline "$work/t.svg" --frames-out "$work/t.csv" "$work/v/a.y4m"
check_same "is named in the record" "$(json "$work/out" 'd["timeline"]')" "$work/t.svg"
python3 "$work/svg.py" "$work/t.svg" >"$work/svg" 2>&1
check_same "five frames in it" "$(cut -d' ' -f1 "$work/svg")" 5
cat >"$work/worst.py" <<'PY'
# worst.py FRAMES.csv TEXTS: the five lowest scores are among the texts
import csv, sys
worst = sorted(float(r["score"]) for r in csv.DictReader(open(sys.argv[1], newline="")))[:5]
texts = open(sys.argv[2]).read().split()
for s in worst:
    texts.remove("%.3f" % s)
PY
check "the worst" python3 "$work/worst.py" "$work/t.csv" "$work/svg"
check_has "the pooled score" "$work/svg" " $(printf %.3f "$(json "$work/out" 'd["score"]')") "
check_code "timelines as PNG" 1 "$QBOOST" video --every 5 --timeline "$work/t.png" "$work/v"
for name in t-1-a t-2-b t-3-tiny; do check_same "$name.png" "$(python3 "$work/png.py" "$work/$name.png")" 1920; done
check "none for what failed" [ ! -e "$work/t-4-zz.png" ]
check_code "an unknown ending" 2 "$QBOOST" video --timeline "$work/v/a.y4m" "$work/v/b.y4m"
check_code "no folder" 1 "$QBOOST" video --timeline "$work/no/t.png" "$work/v/b.y4m"
clip "$work/long.y4m" 3000 25 4 8 8
check_code "more frames than a line has points" 0 "$QBOOST" video --every 1 --timeline "$work/long.svg" --frames-out "$work/long.csv" "$work/long.y4m"
check_same "all of them judged" "$(n_lines "$work/long.csv")" 3001
check "the line is short all the same, and goes from left to right" python3 -c 'import re, sys
lines = [[tuple(map(float, p.split(","))) for p in l.split()] for l in re.findall("points=\"([^\"]*)\"", open(sys.argv[1]).read())]
line = max(lines, key=len)
assert 500 <= len(line) <= 1024 and all(a[0] < b[0] for a, b in zip(line, line[1:]))
assert line[0][0] < 66 and line[-1][0] > 898, (line[0], line[-1])' "$work/long.svg"
python3 "$work/svg.py" "$work/long.svg" >"$work/svg"
check "the worst of them" python3 "$work/worst.py" "$work/long.csv" "$work/svg"

# ---- inputs, exit codes
mkdir "$work/none" "$work/deep" && mkdir "$work/deep/er" && cp "$work/v/b.y4m" "$work/deep/er/B.Y4M"
check_code "a folder without videos" 3 "$QBOOST" video "$work/none"
check_code "no operand" 2 "$QBOOST" video
check_code "folders in folders" 0 "$QBOOST" video "$work/deep"
check_has "are searched" "$work/out" "er/B.Y4M"
check_code "not with --no-recursive" 3 "$QBOOST" video --no-recursive "$work/deep"
printf '%s\0' "$work/v/a.y4m" "$work/v/b.y4m" >"$work/list"
check_code "a list" 0 "$QBOOST" video --json -0 --files-from "$work/list"
check_same "of two" "$(n_lines "$work/out")" 2
check_code "a picture is no video" 1 "$QBOOST" video examples/cat.jpg
check_has "score is named" "$work/err" "qboost score"
check_code "a video is no picture" 1 "$QBOOST" score "$work/v/a.y4m" "$work/v/zz.mp4"
check_has "video is named" "$work/err" "qboost video $work/v/zz.mp4"
check_code "one that is not there" 1 "$QBOOST" video "$work/no.mp4" "$work/v/b.y4m"
check_same "costs one line" "$(grep -c "no.mp4" "$work/err")" 1
under=$(python3 -c 'import sys; print(float(sys.argv[1]) + 1e-6)' "$(json "$work/o.jsonl" 'd["score"]')")
check_code "--fail-under: below" 6 "$QBOOST" video --fail-under "$under" "$work/v/a.y4m"
check_code "--fail-under: a failure counts more" 1 "$QBOOST" video --fail-under "$under" "$work/v/a.y4m" "$work/v/zz.mp4"
check_code "--fail-under: not below" 0 "$QBOOST" video --fail-under 0 "$work/v/a.y4m"
check_code "--fail-under: off the scale" 2 "$QBOOST" video --fail-under 5 "$work/v/a.y4m"
check_code "more pixels than allowed" 1 "$QBOOST" video --max-pixels 3071 "$work/v/a.y4m"
check_has "the option is named" "$work/err" "--max-pixels"
check_code "frames to a name without ending" 2 "$QBOOST" video --frames-out "$work/v/a.y4m" "$work/v/b.y4m"
check_code "-q" 0 "$QBOOST" video -q "$work/v/a.y4m"
check_same "says nothing" "$(n_lines "$work/err")" 0

# ---- resume
"$QBOOST" video --json "$work/v" >"$work/whole" 2>/dev/null
check_code "--resume: the first two" 0 "$QBOOST" video --resume "$work/r" "$work/v/a.y4m" "$work/v/b.y4m"
check_code "--resume: the rest" 1 "$QBOOST" video --resume "$work/r" "$work/v"
check_has "says what was done before" "$work/err" "1 scored, 1 failed, 2 done before"
check_same "nothing twice" "$(without_ms "$work/r")" "$(without_ms "$work/whole")"
check_code "--resume: other frames are other settings" 1 "$QBOOST" video --resume "$work/r" --fps 2 "$work/v"
check_same "and are added" "$(n_lines "$work/r")" 8
check_code "--retry-failed" 1 "$QBOOST" video --resume "$work/r" --retry-failed "$work/v"
check_same "adds a line" "$(n_lines "$work/r")" 9
"$QBOOST" score --json "$work/v/picture.ppm" >"$work/pictures"
check_code "a file of pictures' scores" 2 "$QBOOST" video --resume "$work/pictures" "$work/v"
check_has "is no file of videos'" "$work/err" "qboost video --json"
check_code "--resume and --frames-out" 2 "$QBOOST" video --resume "$work/r" --frames-out "$work/f.csv" "$work/v"

# ---- signals: lines that are whole, also when the frames stop coming
cat >"$work/stop.py" <<'PY'
# stop.py SIGNAL FILE BYTES COMMAND…: sends the signal when FILE has grown to BYTES; prints the exit code
import os, signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
output = open(sys.argv[2], "w")
feed, held = os.pipe()
clip = open(sys.argv[-1], "rb").read()
process = subprocess.Popen(sys.argv[4:-1], stdin=feed, stdout=output, stderr=subprocess.DEVNULL)
os.close(feed)
os.write(held, clip[:60000])  # the rest never comes
deadline = time.time() + 20
while process.poll() is None and os.stat(sys.argv[2]).st_size < int(sys.argv[3]) and time.time() < deadline:
    time.sleep(0.02)
time.sleep(0.5)
process.send_signal(getattr(signal, sys.argv[1]))
start = time.time()
print(process.wait(20))
sys.exit(time.time() - start > 5)
PY
for pair in SIGINT:130 SIGTERM:143; do
    name=${pair%:*} wanted=${pair#*:}
    code=$(python3 "$work/stop.py" $name "$work/s.json" 400 "$QBOOST" video --format json --fps 10 --frames-out "$work/s.csv" "$work/v/b.y4m" - "$work/v/a.y4m")
    check_same "$name: exit code" "$code" "$wanted"
    check "$name: the first video is there, the array closed" python3 -c 'import json, sys
assert [r["frames"] for r in json.load(open(sys.argv[1]))] == [20]' "$work/s.json"
    check "$name: whole rows of frames of the second" python3 -c 'import csv, sys
rows = list(csv.DictReader(open(sys.argv[1], newline="")))
assert open(sys.argv[1], "rb").read().endswith(b"\r\n") and None not in rows[-1].values()
assert 20 < len(rows) < 75 and rows[-1]["path"] == "-", len(rows)' "$work/s.csv"
done

# ---- progress, on a terminal only
cat >"$work/on_pty.py" <<'PY'
import fcntl, os, pty, struct, subprocess, sys, termios
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
p = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=slave)
os.close(slave)
data = b""
while True:
    try:
        chunk = os.read(master, 65536)
    except OSError:
        break
    if not chunk:
        break
    data += chunk
sys.stdout.buffer.write(data)
PY
TERM=xterm python3 "$work/on_pty.py" "$QBOOST" video --every 1 "$work/long.y4m" >"$work/tty"
check "progress" grep -qaE '1/1 long.y4m  frame [0-9]+/3000  score [01]\.[0-9]{3}  [0-9:]+/2:00  [0-9.]+/s  ETA [0-9:]+' "$work/tty"
check "erased at the end" bash -c 'tr "\r" "\n" <"$1" | tail -n 2 | grep -qa "1 scored, 0 failed"' - "$work/tty"

# ---- damage
sample=$golden/ntsc.mkv
whole=$(wc -c <"$sample")
head -c $((whole * 2 / 3)) "$sample" >"$work/v/cut.mkv"
check_code "a clip that breaks" 1 "$QBOOST" video --json --every 1 --frames-out "$work/d.csv" "$work/v/cut.mkv" "$work/v/b.y4m"
cp "$work/out" "$work/cut"
check_same "is partial" "$(json "$work/cut" 'd["partial"], "damage" in d, 0 < d["score"] < 1')" "(True, True, True)"
check_same "the next one is scored" "$(tail -n 1 "$work/cut" | grep -c '"partial":false')" 1
check_same "frames that could be read" "$(json "$work/cut" 'd["frames"]')" "$(grep -c cut.mkv "$work/d.csv")"
"$QBOOST" video --json --every 1 "$sample" >"$work/out"
check "are fewer than all" [ "$(json "$work/cut" 'd["frames"]')" -lt "$(json "$work/out" 'd["frames"]')" ]
check_same "told on stderr" "$(grep -c 'cut.mkv: .*that could be read' "$work/err")" 1
"$QBOOST" video --format csv "$work/v/cut.mkv" >"$work/out" 2>/dev/null
check "CSV says so" python3 -c 'import csv, sys; assert next(csv.DictReader(open(sys.argv[1], newline="")))["partial"] == "1"' "$work/out"
check_code "--resume: partial counts as failed" 1 "$QBOOST" video --resume "$work/r2" "$work/v/cut.mkv"
check_code "--resume: also next time" 1 "$QBOOST" video --resume "$work/r2" "$work/v/cut.mkv"
check_same "it is not done again" "$(n_lines "$work/r2")" 1
cp "$sample" "$work/v/cut.mkv"
check_code "--retry-failed does it again" 0 "$QBOOST" video --resume "$work/r2" --retry-failed "$work/v/cut.mkv"
finish
