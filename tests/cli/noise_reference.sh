#!/bin/bash
# `qboost noise --reference`, `--extract`, `--reference-features` and `--halves`: metrics, pairs, maps, features, and
# references that are none.
# SPDX-License-Identifier: Apache-2.0
. tests/cli/lib.sh
command -v python3 >/dev/null || { skip "noise against a reference" "needs python3"; exit 0; }
picture() { python3 tests/cli/noise_pictures.py "$@"; }
json() { python3 -c 'import json, sys; d = json.loads(open(sys.argv[1]).readline()); print(eval(sys.argv[2]))' "$1" "$2"; }
for seed in 1 2; do
    picture "$work/noisy$seed.ppm" 192 180 0.1 $seed
    picture "$work/noisy$seed.pfm" 192 180 0.1 $seed
done
for kind in ppm pfm; do picture "$work/clean.$kind" 192 180 0 9; done
picture "$work/weak.ppm" 192 180 0.02 5
picture "$work/small.ppm" 64 64 0.1 6
picture "$work/small_clean.ppm" 64 64 0 6
"$QBOOST" noise --metric no --reference x y 2>"$work/err"
metrics=$(sed -n 's/.* is none of //p' "$work/err" | tr -d ,)
check "there are metrics" [ "$(echo $metrics | wc -w)" -ge 7 ]
n_metrics=$(echo $metrics | wc -w)

# ---- one reference
check_code "against a reference" 0 "$QBOOST" noise --json --reference "$work/clean.ppm" --map "$work/m.pfm" --metric psnr "$work/noisy1.ppm"
cat >"$work/psnr.py" <<'PY'
# psnr.py RECORD MAP PICTURE REFERENCE: the formula, of the whole, each zone and the map
import json, math, struct, sys  # column 2 sees a little of the noise behind its border
d = json.loads(open(sys.argv[1]).readline())
def ppm(path):
    data = open(path, "rb").read()
    head = data.split(b"\n", 1)[0]
    return data[len(head) + 1:]
a, b, (w, h) = ppm(sys.argv[3]), ppm(sys.argv[4]), (192, 180)
def psnr(x0, y0, width, height):
    at = [3 * (y * w + x) + c for y in range(y0, y0 + height) for x in range(x0, x0 + width) for c in range(3)]
    mse = sum((a[i] - b[i]) ** 2 for i in at) / len(at)
    return 10 * math.log10(255 ** 2 / mse) if mse else None
same = lambda p, q: p is q or abs(p - q) < 1e-4
assert same(d["metrics"]["psnr"], psnr(0, 0, w, h)), (d["metrics"], psnr(0, 0, w, h))
assert len(d["zones"]) == 16
for z in d["zones"]:
    assert same(z["metrics"]["psnr"], psnr(z["x"], z["y"], z["width"], z["height"])), z
data = open(sys.argv[2], "rb").read()
head = b"Pf\n192 180\n-1.0\n"
assert data.startswith(head)
values = struct.unpack("<%df" % (w * h), data[len(head):])
assert abs(10 * math.log10(255 ** 2 / (sum(values) / len(values))) - d["metrics"]["psnr"]) < 1e-3
for y in (0, 50, 179):  # rows go from the lowest to the highest
    for x in (0, 100, 191):
        i = 3 * (y * w + x)
        e = sum((a[i + c] - b[i + c]) ** 2 for c in range(3)) / 3
        assert abs(values[(h - 1 - y) * w + x] - e) < 1e-3 * (1 + e), (x, y)
assert d["way"] == "reference" and d["reference"]["path"] == sys.argv[4] and d["reference"]["width"] == w
assert list(d["metrics"]) == ["psnr"] and "model" not in d and d["map"] == sys.argv[2] and "warning" not in d
assert d["noise"] > 0 and all((z["visibility"] > 1) == (z["column"] > 2) for z in d["zones"] if z["column"] != 2), d
PY
check "PSNR is the formula's; the map is its terms" python3 "$work/psnr.py" "$work/out" "$work/m.pfm" "$work/noisy1.ppm" "$work/clean.ppm"
check_code "all metrics" 0 "$QBOOST" noise --json --reference "$work/clean.pfm" "$work/noisy1.pfm"
check_same "are those there are" "$(json "$work/out" '" ".join(d["metrics"])')" "$(echo $metrics)"
check_same "with values, of light" "$(json "$work/out" 'None in d["metrics"].values()')" False
check_code "of pictures for screens" 0 "$QBOOST" noise --json --reference "$work/clean.ppm" "$work/noisy1.ppm"
check_same "one needs light" "$(json "$work/out" '[k for k, v in d["metrics"].items() if v is None]')" "['hdr-flip']"
check_code "asked for" 1 "$QBOOST" noise --metric hdr-flip --reference "$work/clean.ppm" "$work/noisy1.ppm"
check_has "it says so" "$work/err" "hdr-flip needs light"
check_code "a small picture" 0 "$QBOOST" noise --reference "$work/small_clean.ppm" "$work/small.ppm"
check_has "is too small for one" "$work/out" "pixels a side"
check_code "asked for" 1 "$QBOOST" noise --metric ms-ssim --reference "$work/small_clean.ppm" "$work/small.ppm"
check_code "an unknown metric" 2 "$QBOOST" noise --metric ssmi --reference "$work/clean.ppm" "$work/noisy1.ppm"
check_has "is guessed" "$work/err" "did you mean ssim?"
check_code "two metrics" 0 "$QBOOST" noise --format csv --metric ssim --metric psnr --metric ssim --reference "$work/clean.ppm" "$work/noisy1.ppm"
check "in their order, each once" grep -q 'worst_column,ssim,psnr,noise_1_1' "$work/out"
check_code "less noise" 0 "$QBOOST" noise --json --reference "$work/clean.ppm" "$work/noisy1.ppm" "$work/weak.ppm"
check "is better by all metrics and the verdict" python3 -c 'import json, sys
a, b = [json.loads(l) for l in open(sys.argv[1])]
higher = {"psnr": 1, "ssim": 1, "ms-ssim": 1, "gmsd": 0, "vif": 1, "flip": 0, "visibility": 0}
assert all((b["metrics"][m] > a["metrics"][m]) == h for m, h in higher.items()), (a["metrics"], b["metrics"])
assert b["visibility"] < a["visibility"]' "$work/out"
for threads in 1 3; do
    "$QBOOST" noise --json --threads $threads --reference "$work/clean.pfm" "$work/noisy1.pfm" | sed 's/"ms":[0-9.]*//' >"$work/threads.$threads"
done
check "any number of threads" cmp "$work/threads.1" "$work/threads.3"

# ---- references that say nothing
cp "$work/noisy1.ppm" "$work/copy.ppm"
for reference in noisy1.ppm copy.ppm; do
    check_code "the image itself ($reference)" 1 "$QBOOST" noise --json --fail-over 0 --reference "$work/$reference" "$work/noisy1.ppm"
    check_same "is a warning, not a clean picture" "$(json "$work/out" '"the image itself" in d["warning"], d["noise"], d["visibility"]')" "(True, None, None)"
    check_has "told aloud" "$work/err" "the reference is the image itself"
done
check_code "also in the table" 1 "$QBOOST" noise -q --reference "$work/copy.ppm" "$work/noisy1.ppm"
check_has_not "which calls nothing clean" "$work/out" "no noise visible"
check_code "another size" 1 "$QBOOST" noise --json --reference "$work/clean.ppm" "$work/small.ppm" "$work/weak.ppm"
check_has "is told with both sizes" "$work/err" "is 64 x 64 pixels, but its reference $work/clean.ppm is 192 x 180"
check_same "the others go on" "$(grep -c '"zones"' "$work/out")" 1
check_code "no such reference" 1 "$QBOOST" noise --reference "$work/no.png" "$work/weak.ppm"

# ---- a folder of references
mkdir "$work/refs" "$work/frames"
cp "$work/noisy1.ppm" "$work/frames/1.ppm" && cp "$work/weak.ppm" "$work/frames/2.ppm" && cp "$work/weak.ppm" "$work/frames/3.ppm"
cp "$work/clean.ppm" "$work/refs/1.ppm" && cp "$work/noisy1.ppm" "$work/refs/2.ppm"
check_code "a folder of references" 1 "$QBOOST" noise --json --metric psnr --reference "$work/refs/" "$work/frames"
cp "$work/out" "$work/pairs"
check_has "one is missing" "$work/err" "3.ppm: its reference cannot be read: $work/refs/3.ppm"
"$QBOOST" noise --json --metric psnr --reference "$work/refs/2.ppm" "$work/frames/2.ppm" >"$work/second"
check_same "each has its own" "$(sed -n 2p "$work/pairs" | sed 's/"ms":[0-9.]*//')" "$(sed 's/"ms":[0-9.]*//' "$work/second")"

# ---- error maps
check_code "a heat map of the error" 0 "$QBOOST" noise --metric flip --heat-map "$work/e.svg" --reference "$work/clean.ppm" "$work/noisy1.ppm"
check_has "names the metric" "$work/e.svg" ">flip 0."
check_has "and the end of its scale" "$work/e.svg" "and above<"
check_code "of all metrics" 0 "$QBOOST" noise --heat-map "$work/e.png" --map "$work/e.pfm" --reference "$work/clean.ppm" "$work/noisy1.ppm"
check "maps with numbers" "$QBOOST" noise --metric psnr --map "$work/k.pfm" --reference "$work/clean.ppm" "$work/noisy1.ppm" "$work/weak.ppm"
check "of both" [ -s "$work/k-1-noisy1.pfm" -a -s "$work/k-2-weak.pfm" ]
map() { "$QBOOST" noise -q --metric psnr --map "$1" --heat-map "$2" --reference "$work/clean.ppm" "$work/noisy1.ppm"; }
map "$work/old.pfm" "$work/old.svg" >/dev/null
cp "$work/old.pfm" "$work/real.pfm" && ln -s real.pfm "$work/link.pfm"
cp "$work/old.svg" "$work/real.svg" && ln -s real.svg "$work/link.svg"
: >"$work/real.pfm"
: >"$work/real.svg"
check "through links" map "$work/link.pfm" "$work/link.svg"
check "which stay links" bash -c 'cd "$1" && [ -L link.pfm -a -L link.svg ] && cmp real.pfm old.pfm && cmp real.svg old.svg' - "$work"
mkfifo "$work/pipe.pfm" "$work/pipe.svg"
timeout 20 cat "$work/pipe.pfm" >"$work/got.pfm" &
timeout 20 cat "$work/pipe.svg" >"$work/got.svg" &
check "into pipes" timeout 20 "$QBOOST" noise -q --metric psnr --map "$work/pipe.pfm" --heat-map "$work/pipe.svg" \
    --reference "$work/clean.ppm" "$work/noisy1.ppm"
wait
check "which stay pipes" bash -c 'cd "$1" && [ -p pipe.pfm -a -p pipe.svg ] && cmp got.pfm old.pfm && cmp got.svg old.svg' - "$work"
for kind in map:pfm heat-map:svg; do
    size=$(($(wc -c <"$work/old.${kind#*:}") / 1024)) # less than it needs
    check_code "no room for a ${kind%:*}" 1 bash -c 'trap "" XFSZ; ulimit -f $1; shift; exec "$@"' - $size \
        "$QBOOST" noise -q --metric psnr "--${kind%:*}" "$work/real.${kind#*:}" --reference "$work/clean.ppm" "$work/noisy1.ppm"
    check_has "is told" "$work/err" "File too large"
    check "the old one is kept, nothing is left beside it" bash -c 'cmp "$1/real.$2" "$1/old.$2" && ! ls "$1" | grep "real.$2."' - "$work" "${kind#*:}"
done
check_code "no maps without a reference" 2 "$QBOOST" noise --map "$work/k.pfm" "$work/weak.ppm"
check_code "a map of another ending" 2 "$QBOOST" noise --map "$work/k.exr" --reference "$work/clean.ppm" "$work/weak.ppm"
check_code "no metrics without a reference" 2 "$QBOOST" noise --metric psnr "$work/weak.ppm"
cp "$work/noisy1.pfm" "$work/own.pfm"
check_code "a map over the picture" 1 "$QBOOST" noise --metric psnr --map "$work/own.pfm" --reference "$work/clean.pfm" "$work/own.pfm"
check "is not written" cmp "$work/own.pfm" "$work/noisy1.pfm"

# ---- features of a reference
check_code "features" 0 "$QBOOST" noise --json --extract "$work/f.features" "$work/clean.ppm"
size=$(wc -c <"$work/f.features")
check_same "their size is told" "$(json "$work/out" 'd["bytes"], d["grid"]["columns"]')" "($size, 4)"
check "it is 1 kB a zone at most" [ "$size" -le 16384 ]
check_code "the picture that they are of" 1 "$QBOOST" noise --reference-features "$work/f.features" "$work/clean.ppm"
check_has "says nothing" "$work/err" "the one that the features were made of"
picture "$work/still.ppm" 192 180 0.001 9
check_code "judging against them" 0 "$QBOOST" noise --json --reference-features "$work/f.features" "$work/still.ppm" "$work/weak.ppm" "$work/noisy1.ppm"
check "noise is told from none" python3 -c 'import json, sys
clean, weak, noisy = [json.loads(l) for l in open(sys.argv[1])]
assert clean["noise"] == 0 and clean["way"] == "features" and clean["features"]["path"].endswith("f.features")
assert clean["visibility"] < weak["visibility"] < noisy["visibility"] and noisy["noise"] > 0, noisy["visibility"]
assert all(z["visibility"] > 1 for z in noisy["zones"] if z["column"] > 2)' "$work/out"
check_code "another size" 1 "$QBOOST" noise --reference-features "$work/f.features" "$work/small.ppm"
check_has "is told" "$work/err" "192 x 180"
check_code "another grid" 2 "$QBOOST" noise --grid 2x2 --reference-features "$work/f.features" "$work/weak.ppm"
check_code "the same grid" 0 "$QBOOST" noise --grid 4x4 --reference-features "$work/f.features" "$work/weak.ppm"
"$QBOOST" noise --extract "$work/two" --grid 2x1 "$work/clean.ppm" >/dev/null
check_code "another grid's features" 0 "$QBOOST" noise --json --reference-features "$work/two" "$work/weak.ppm"
check_same "have its zones" "$(json "$work/out" 'd["grid"], len(d["zones"])')" "({'columns': 2, 'rows': 1}, 2)"
check_code "features that are none" 1 "$QBOOST" noise --reference-features "$work/clean.ppm" "$work/weak.ppm"
check_code "features over a picture" 2 "$QBOOST" noise --extract "$work/weak.ppm" "$work/clean.ppm"
check_code "features of two" 2 "$QBOOST" noise --extract "$work/g" "$work/weak.ppm" "$work/clean.ppm"

# ---- halves
check_code "halves" 0 "$QBOOST" noise --json --halves "$work/noisy1.pfm" "$work/noisy2.pfm"
check "noise is where it is" python3 -c 'import json, sys
d = json.loads(open(sys.argv[1]).readline())
assert d["way"] == "halves" and d["other_half"]["path"].endswith("noisy2.pfm") and d["other_half"]["width"] == 192
assert all((z["visibility"] > 1) == (z["column"] > 2) for z in d["zones"] if z["column"] != 2), d["zones"]' "$work/out"
check_code "pairs" 0 "$QBOOST" noise --json --halves "$work/noisy1.ppm" "$work/noisy2.ppm" "$work/noisy2.pfm" "$work/noisy1.pfm"
check_same "of two" "$(n_lines "$work/out")" 2
check_code "an odd number" 2 "$QBOOST" noise --halves "$work/noisy1.ppm"
printf '%s\n' "$work/noisy1.ppm" "$work/noisy2.ppm" "$work/noisy1.pfm" >"$work/list"
check_code "in a list" 1 "$QBOOST" noise --json --halves --files-from "$work/list"
check_has "is told" "$work/err" "noisy1.pfm: there is no other half to it"
check_code "one half twice" 1 "$QBOOST" noise --halves "$work/noisy1.ppm" "$work/copy.ppm"
check_has "tells nothing" "$work/err" "the same picture"
check_code "halves of two sizes" 1 "$QBOOST" noise --halves "$work/noisy1.ppm" "$work/small.ppm"
check_has "are told" "$work/err" "is 192 x 180 pixels, but its other half $work/small.ppm is 64 x 64"
check_code "a folder" 1 "$QBOOST" noise --halves "$work/refs" "$work/frames"
for pair in "--halves --reference-features $work/f.features" "--reference $work/clean.ppm --reference-features $work/f.features" \
    "--reference $work/clean.ppm --extract $work/g"; do
    check_code "$(grep -o -- '--[a-z-]*' <<<"$pair" | xargs) exclude each other" 2 "$QBOOST" noise $pair "$work/noisy1.ppm" "$work/noisy2.ppm"
done
check_code "which is told" 2 "$QBOOST" noise --reference "$work/clean.ppm" --extract "$work/g" "$work/noisy1.ppm"
check_has "with their names" "$work/err" "--reference and --extract exclude each other"
finish
