#!/bin/bash
# `qboost noise watch`: folders and lists, half-written files, one file written over, samples, what does not count,
# new renders, signals, exit codes. Pictures are judged against features of a clean one, so that what is visible does
# not depend on the model that is built in.
# SPDX-License-Identifier: Apache-2.0
. tests/cli/lib.sh
command -v python3 >/dev/null || { skip "noise watch" "needs python3"; exit 0; }
picture() { python3 tests/cli/noise_pictures.py "$1" 96 80 "$2" "$3"; }
watch() { "$QBOOST" noise watch --reference-features "$work/clean.features" "$@"; }
json() { python3 -c 'import json, sys; d = [json.loads(l) for l in open(sys.argv[1])]; print(eval(sys.argv[2]))' "$1" "$2"; }
# what the checks of a run say must follow from their visibilities, whatever those are
cat >"$work/follow.py" <<'PY'
# follow.py FILE.jsonl CHECKS
import json, sys
needed, below, index = int(sys.argv[2]), None, 0
for d in map(json.loads, open(sys.argv[1])):
    assert d["schema"] == "qboost.watch/1" and d["checks"] == needed, d
    if "error" in d:
        assert d["error_kind"] and "zones" not in d and "done" not in d
        continue
    zones = d["zones"]
    assert len(zones) == d["grid"]["columns"] * d["grid"]["rows"]
    if below is None or d["restarted"]:
        below, index = [0] * len(zones), 0
    index += 1
    below = [b + 1 if z["visibility"] <= 1 else 0 for b, z in zip(below, zones)]
    assert d["check"] == index and [z["below"] for z in zones] == below, d
    for z, b in zip(zones, below):
        assert z["state"] == ("done" if b >= needed else "below" if b else "visible")
    assert d["done"] == (min(below) >= needed) and d["zones_done"] == sum(b >= needed for b in below)
    assert sum(z["width"] * z["height"] for z in zones) == d["width"] * d["height"]
PY
mkdir "$work/p" "$work/r"
picture "$work/p/ref.ppm" 0 1
check_code "features of a clean picture" 0 "$QBOOST" noise --extract "$work/clean.features" "$work/p/ref.ppm"
for seed in 1 2 3 4; do
    picture "$work/p/noisy$seed.ppm" 0.2 $seed
    picture "$work/p/good$seed.ppm" 0.003 $seed
done
picture "$work/p/good.pfm" 0.003 5
python3 tests/cli/noise_pictures.py "$work/p/small.ppm" 80 64 0.003 6
fill() { # fill NAME…: the folder r with those pictures, in this order of their numbers: 1, 2, 4, 8 …
    local n=1 name
    rm -rf "$work/r"
    mkdir "$work/r"
    for name in "$@"; do
        cp "$work/p/$name" "$work/r/f_$n.${name##*.}"
        n=$((2 * n))
    done
    [ $# -eq 0 ] || touch -d '1 hour ago' "$work"/r/* # so that nobody waits for them to grow
}

# ---- what there is
fill noisy1.ppm noisy2.ppm good1.ppm good2.ppm good3.ppm
check_code "all zones are done" 0 watch --once --json "$work/r"
cp "$work/out" "$work/all.jsonl"
check "the states follow from the visibilities" python3 "$work/follow.py" "$work/all.jsonl" 3
check_same "numbers in order" "$(json "$work/all.jsonl" '[d["path"][-7:] for d in d]')" \
    "['f_1.ppm', 'f_2.ppm', 'f_4.ppm', 'f_8.ppm', '_16.ppm']"
check_same "samples from the names, once they rise" "$(json "$work/all.jsonl" '[d["samples"] for d in d]')" \
    "[None, 2.0, 4.0, 8.0, 16.0]"
check "noise is visible, then not" test "$(json "$work/all.jsonl" '[d["noise"] > 0 for d in d]')" = "[True, True, False, False, False]"
check_same "none is done before the last" "$(json "$work/all.jsonl" '[d["done"] for d in d]')" "[False, False, False, False, True]"
check "an estimate while it is not done" test "$(json "$work/all.jsonl" 'd[1]["samples_left"] > 0')" = True
check_same "no more samples at the end" "$(json "$work/all.jsonl" 'd[-1]["samples_left"]')" 0.0
check_code "one more check is needed" 7 watch --once -k 4 "$work/r"
check_has "which is said" "$work/out" "not yet: "
check_has "with the states of zones" "$work/out" "3 of 4"
check_has "and an estimate" "$work/out" " more samples"
check_code "fewer checks" 0 watch --once -k 2 --json --grid 4x4 "$work/r"
check "follow too" python3 "$work/follow.py" "$work/out" 2
check_code "quiet" 7 watch --once -q -k 9 "$work/r"
check_same "says nothing" "$(cat "$work/out" "$work/err")" ""
check_code "without --once" 0 watch "$work/r"
check_has "ends when done" "$work/out" "done: no noise"
fill noisy1.ppm good1.ppm good2.ppm noisy2.ppm
check_code "noise that comes back" 7 watch --once -k 2 --json "$work/r"
check "starts the counting over" python3 "$work/follow.py" "$work/out" 2
check_code "a folder that was done midway" 0 watch -k 2 --json "$work/r"
check_same "ends there" "$(n_lines "$work/out")" 3
fill good1.ppm
check_code "fewer pictures than checks" 7 watch --once "$work/r"
check_code "-k 1 asks for no more" 0 watch --once -k 1 "$work/r"
check_code "the model inside the program" 7 "$QBOOST" noise watch --once --json "$work/r"
check_same "is named" "$(json "$work/out" 'd[0]["way"], bool(d[0]["classifier"]), d[0]["features"]')" "('learned', True, None)"
mkdir "$work/empty"
check_code "an empty folder" 7 watch --once "$work/empty"
check_code "no folder" 3 watch --once "$work/none"
check_code "a file as folder" 3 watch --once "$work/p/ref.ppm"

# ---- where samples come from
fill noisy1.ppm noisy2.ppm noisy3.ppm
for pair in "name:[1.0, 2.0, 4.0]" "count:[1.0, 2.0, 3.0]" "none:[None, None, None]" "header:[None, None, None]"; do
    watch --once --json --samples-from ${pair%%:*} "$work/r" >"$work/out"
    check_same "--samples-from ${pair%%:*}" "$(json "$work/out" '[d["samples"] for d in d]')" "${pair#*:}"
done
watch --once --json --samples-step 64 "$work/r" >"$work/out"
check_same "--samples-step" "$(json "$work/out" '[d["samples"] for d in d]')" "[64.0, 128.0, 192.0]"
mv "$work/r/f_4.ppm" "$work/r/f_0.ppm"
touch "$work/r/f_0.ppm"
printf '%s\n' "$work"/r/f_1.ppm "$work"/r/f_2.ppm "$work"/r/f_0.ppm | watch --json --samples-from name - >"$work/out"
check_same "a number 0 is no count" "$(json "$work/out" '[d["samples"] for d in d]')" "[1.0, 2.0, None]"
"$QBOOST" noise watch --once --grid 1x1 --json - <<<tests/golden/images/exr_blender_single.exr >"$work/out"
check "samples from the header" test "$(json "$work/out" 'd[0]["samples"] > 0')" = True

# ---- what does not count
fill noisy1.ppm good1.ppm small.ppm good2.ppm
check_code "another size is left out" 0 watch --once -k 2 --json "$work/r"
check "and the rest goes on" python3 "$work/follow.py" "$work/out" 2
check_has "both sizes are named" "$work/err" "is 80 x 64, but the reference is 96 x 80: not counted"
check_code "the same without a reference" 7 "$QBOOST" noise watch --once "$work/r"
check_has "is held against those before" "$work/err" "is 80 x 64, but the pictures before were 96 x 80: not counted"
fill good1.ppm good1.ppm good1.ppm
check_code "one picture three times is one check" 7 watch --once --json --samples-from none -k 2 "$work/r"
check_same "two are not counted" "$(json "$work/out" '["error" in d for d in d]')" "[False, True, True]"
check_has "which is said" "$work/err" "the same picture as the one before"
check_same "and once that nothing changes any more" "$(grep -c 'do not change any more' "$work/err")" 1
check_code "unless names say that samples rise" 0 watch --once --json "$work/r"
check "then all count" python3 "$work/follow.py" "$work/out" 3
for cut in 0 9 4000; do
    fill good1.ppm good2.ppm good3.ppm
    head -c $cut "$work/p/good3.ppm" >"$work/r/f_4.ppm"
    touch -d '1 hour ago' "$work/r/f_4.ppm"
    check_code "a file cut after $cut bytes is not done" 7 watch --once --json "$work/r"
    check "and is an error" test "$(json "$work/out" '["error" in d for d in d]')" = "[False, False, True]"
    check_same "told once" "$(grep -c f_4.ppm "$work/err")" 1
done
for picture in examples/*.jpg tests/golden/images/*.exr tests/golden/images/*.png tests/golden/images/*.hdr; do
    [ -f "$picture" ] || continue
    rm -rf "$work/r"
    mkdir "$work/r"
    head -c $(($(stat -c %s "$picture") * 2 / 3)) "$picture" >"$work/r/${picture##*/}"
    "$QBOOST" noise watch --once -q -k 1 --grid 1x1 --patience 0 "$work/r" >"$work/out" 2>"$work/err"
    code=$?
    [ $code -eq 1 ] || { fail "two thirds of $picture: exit code $code"; continue; }
done
pass "two thirds of a picture are never done"
fill good1.ppm
printf 'not a picture' >"$work/r/f_0.png"
mkdir "$work/r/f_2.png"
cp "$work/p/noisy1.ppm" "$work/r/.hidden.ppm"
cp "$work/p/noisy1.ppm" "$work/r/text.txt"
check_code "what is no picture" 0 watch --once -k 1 --patience 0 "$work/r"
check_same "is told of" "$(grep -c f_0.png "$work/err")" 1
check_same "only that" "$(n_lines "$work/err")" 1
check_code "--match" 0 watch --once -k 1 --match '*.ppm' "$work/r"
check_same "passes it over" "$(n_lines "$work/err")" 0
rm -rf "$work/r"/*
check_code "nothing but damage" 1 bash -c 'printf x >"$1/a.png" && "$2" noise watch --once --patience 0 "$1"' - "$work/r" "$QBOOST"
python3 tests/cli/noise_pictures.py "$work/r/odd.pfm" 96 80 0.003 1 nan,inf,-1
touch -d '1 hour ago' "$work/r/odd.pfm"
rm "$work/r/a.png"
check_code "light that is none" 0 watch --once -k 1 --json "$work/r"
check_has "is told of" "$work/err" "not a number"
fill noisy1.ppm
check_code "zones that are too small" 2 "$QBOOST" noise watch --once --grid 16x16 "$work/r"
check_code "zones that are not the reference's" 2 watch --once --grid 2x2 "$work/r"

# ---- a new render in the same place
printf '%s\n' "$work"/p/good1.ppm "$work"/p/good2.ppm >"$work/list"
fill noisy1.ppm good1.ppm good2.ppm
cp "$work/p/noisy3.ppm" "$work/r/g_2.ppm"
printf '%s\n' "$work"/r/f_1.ppm "$work"/r/f_2.ppm "$work"/r/f_4.ppm "$work"/r/g_2.ppm | watch --once --json -k 2 - >"$work/out" 2>"$work/err"
check_same "fewer samples: not done" $? 7
check_same "begins anew" "$(json "$work/out" '[d["restarted"] for d in d]')" "[False, False, False, True]"
check "and counts so" python3 "$work/follow.py" "$work/out" 2
check_has "which is said" "$work/err" "another render"

# ---- as they come
cat >"$work/render.py" <<'PY'
# render.py HOW FOLDER PICTURE… -- COMMAND…: runs the command and writes the pictures one after the other, each when
# the one before has been told of; prints the exit code, output lines go to FOLDER.jsonl
import os, shutil, subprocess, sys, threading, time
how, folder, rest = sys.argv[1], sys.argv[2], sys.argv[3:]
pictures, command = rest[:rest.index("--")], rest[rest.index("--") + 1:]
lines = command[-1] == "-"
p = subprocess.Popen(command, stdin=subprocess.PIPE if lines else None, stdout=subprocess.PIPE, stderr=open(folder + ".err", "w"))
timer = threading.Timer(60, p.kill)
timer.start()
with open(folder + ".jsonl", "wb") as out:
    for i, picture in enumerate(pictures):
        data, name = open(picture, "rb").read(), folder + ("/%d.ppm" % i if how in ("new", "then", "rename", "late") else "/one.ppm")
        if how == "slowly":  # half of it is there for a while, twice
            with open(name, "wb", buffering=0) as f:
                f.write(data[:7000])
                time.sleep(0.5)
                f.write(data[7000:9000])
                time.sleep(0.5)
                f.write(data[9000:])
        elif how == "in_place":  # its size says nothing, half of it is there for a while
            with open(name, "wb", buffering=0) as f:
                f.write(data[:7000] + bytes(len(data) - 7000))
                time.sleep(1.2)
                f.seek(7000)
                f.write(data[7000:])
        elif how == "then":  # not before the command has started
            time.sleep(0 if i else 1.5)
            open(name, "wb").write(data)
        elif how == "rename":
            open(name + ".tmp", "wb").write(data)
            time.sleep(0.2)
            os.rename(name + ".tmp", name)
        elif how == "late":  # named first, written later
            p.stdin.write((name + "\n").encode())
            p.stdin.flush()
            time.sleep(0.4)
            open(name, "wb").write(data)
        else:
            open(name, "wb").write(data)
            if lines:
                p.stdin.write(("\r\n" + name + "\r\n").encode())
                p.stdin.flush()
        line = p.stdout.readline()
        out.write(line)
        if not line:
            break
    out.write(p.stdout.read())  # its standard input stays open: it must end by itself
print(p.wait())
timer.cancel()
PY
p=$work/p
for how in "new" "over --poll --patience 1" "slowly" "rename"; do
    set -- $how
    fill
    check_same "$how: exit code" "$(python3 "$work/render.py" $1 "$work/r" "$p"/noisy1.ppm "$p"/good1.ppm "$p"/good2.ppm -- \
        "$QBOOST" noise watch --reference-features "$work/clean.features" -k 2 --json "${@:2}" "$work/r")" 0
    check_same "$how: one line a picture" "$(json "$work/r.jsonl" '["error" in d for d in d]')" "[False, False, False]"
    check "$how: states" python3 "$work/follow.py" "$work/r.jsonl" 2
    check_same "$how: each is judged" "$(json "$work/r.jsonl" '[d["noise"] > 0 for d in d]')" "[True, False, False]"
done
fill
check_same "poll, filled in place: exit code" "$(python3 "$work/render.py" in_place "$work/r" "$p"/good1.ppm -- \
    "$QBOOST" noise watch --reference-features "$work/clean.features" -k 1 --json --poll "$work/r")" 0
watch --json - <<<"$p/good1.ppm" >"$work/whole.jsonl"
check_same "poll, filled in place: judged whole" "$(json "$work/r.jsonl" '[d["visibility"] for d in d]')" \
    "$(json "$work/whole.jsonl" '[d["visibility"] for d in d]')"
for how in "new $p/noisy1.ppm $p/good1.ppm" "late $p/good1.ppm"; do
    set -- $how
    fill
    check_same "list, $1: exit code" "$(python3 "$work/render.py" $1 "$work/r" "${@:2}" -- \
        "$QBOOST" noise watch --reference-features "$work/clean.features" -k 1 --json -)" 0
    check_same "list, $1: one line a picture" "$(json "$work/r.jsonl" '["error" in d for d in d].count(False), len(d)')" "($(($# - 1)), $(($# - 1)))"
done
fill good1.ppm
(for _ in $(seq 60); do cp "$p/good1.ppm" "$work/r/f_1.ppm"; sleep 0.15; done) &
writer=$!
check_code "a file that is written over and over" 0 timeout -k 1 30 "$QBOOST" noise watch --reference-features "$work/clean.features" \
    --once -k 1 --poll --patience 1 "$work/r"
check "is judged before that ends" kill -0 $writer
kill $writer
wait $writer 2>/dev/null
fill good1.ppm good2.ppm
head -c 9000 "$p/noisy1.ppm" >"$work/r/f_0.ppm"
check_code "a file that may still be written" 0 watch -k 2 --patience 50 --timeout 40 "$work/r"
check_same "does not hold up the others" "$(grep -c f_0 "$work/out" "$work/err" | cut -d: -f2 | tr '\n' ' ')" "0 0 "
check_has "old pictures are done at once, which is said" "$work/err" "with --new, only those written since then count"
check_code "they are what --once is asked about" 0 watch --once -k 2 --patience 0 --match '*_[12].ppm' "$work/r"
check_same "so nothing is said" "$(cat "$work/err")" ""
fill good1.ppm good2.ppm
check_same "--new: exit code" "$(python3 "$work/render.py" then "$work/r" "$p"/noisy1.ppm "$p"/good1.ppm -- \
    "$QBOOST" noise watch --reference-features "$work/clean.features" -k 1 --json --new "$work/r")" 0
check_same "--new: only what is written since" "$(json "$work/r.jsonl" '[d["path"][-6:] for d in d]')" "['/0.ppm', '/1.ppm']"
check_same "--new: no note" "$(cat "$work/r.err")" ""
mkfifo "$work/pipe.ppm"
check_code "a pipe in the list" 1 bash -c 'echo "$2" | timeout -k 1 20 "$1" noise watch -k 1 --timeout 10 -' - "$QBOOST" "$work/pipe.ppm"
check_has "is not opened" "$work/err" "pipe.ppm: is not a regular file"
check_code "nor as a half" 1 bash -c 'printf "%s\t%s\n" "$3" "$2" | timeout -k 1 20 "$1" noise watch --way halves --timeout 10 -' - \
    "$QBOOST" "$work/pipe.ppm" "$p/good1.ppm"
check_code "the list ends too early" 7 bash -c 'echo "$3" | "$1" noise watch --reference-features "$2" -' - "$QBOOST" "$work/clean.features" "$p/good1.ppm"
check_code "an empty list" 7 bash -c '"$1" noise watch - </dev/null' - "$QBOOST"
check_code "a file that never comes" 1 bash -c 'echo "$2" | "$1" noise watch --patience 0.2 -' - "$QBOOST" "$work/never.ppm"
check_has "is told of" "$work/err" never.ppm
fill
(sleep 0.5 && rmdir "$work/r") &
check_code "a folder that goes away" 1 watch "$work/r"

# ---- halves
printf '%s\t%s\n' "$p/noisy1.ppm" "$p/noisy2.ppm" "$p/good1.ppm" "$p/good2.ppm" "$p/good3.ppm" "$p/good4.ppm" >"$work/list"
"$QBOOST" noise watch --way halves -k 2 --json - <"$work/list" >"$work/out"
check_same "halves: done" $? 0
check_same "halves: judged" "$(json "$work/out" '[(d["way"], d["noise"] > 0) for d in d]')" "[('halves', True), ('halves', False), ('halves', False)]"
check "halves: states" python3 "$work/follow.py" "$work/out" 2
printf '%s\n' "$p/good1.ppm	$p/good1.ppm" "$p/good1.ppm" "$p/good1.ppm	$p/small.ppm" "$p/good1.ppm	$work/none.ppm" >"$work/list"
"$QBOOST" noise watch --way halves -k 1 --patience 0 --json - <"$work/list" >"$work/out" 2>"$work/err"
check_same "no halves at all" $? 1
check_same "each is an error" "$(json "$work/out" '["error" in d for d in d]')" "[True, True, True, True]"

# ---- stopping
fill noisy1.ppm
cat >"$work/stop.py" <<'PY'
# stop.py SIGNAL COMMAND…: sends the signal after the first line; prints the exit code
import json, signal, subprocess, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # not inherited as ignored
p = subprocess.Popen(sys.argv[2:], stdout=subprocess.PIPE)
json.loads(p.stdout.readline())
p.send_signal(getattr(signal, sys.argv[1]))
assert p.stdout.read() == b""
print(p.wait(20))
PY
check_same "SIGINT" "$(python3 "$work/stop.py" SIGINT "$QBOOST" noise watch --json "$work/r")" 130
check_same "SIGTERM" "$(python3 "$work/stop.py" SIGTERM "$QBOOST" noise watch --json "$work/r")" 143
check_code "--timeout" 7 watch --timeout 0.5 "$work/r"
check_code "results cannot be written" 1 bash -c '"$1" noise watch --once --json "$2" >/dev/full' - "$QBOOST" "$work/r"

for arguments in "" "$work/r $work/r" "-k 0 $work/r" "-k x $work/r" "--way halves $work/r" "--way halves --reference-features x -" \
    "--match x -" "--poll -" "--new -" "--once --new $work/r" "--samples-from name --samples-step 2 $work/r" "--samples-step 0 $work/r" "--timeout -1 $work/r" "--grid 0x3 $work/r" \
    "--nonsense $work/r" "--way reference $work/r"; do
    check_code "2: $arguments" 2 "$QBOOST" noise watch $arguments </dev/null
done
check_code "no such features" 3 "$QBOOST" noise watch --once --reference-features "$work/none" "$work/r"
check_code "features that are none" 4 "$QBOOST" noise watch --once --reference-features "$p/ref.ppm" "$work/r"
check_code "no such model" 4 "$QBOOST" noise watch --once --noise-model "$work/none.gguf" "$work/r"
finish
