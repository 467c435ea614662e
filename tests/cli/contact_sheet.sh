#!/bin/bash
# The contact sheet: a PNG of the right size, best picture first, at most 200 of them.
# SPDX-License-Identifier: Apache-2.0
. tests/cli/lib.sh
command -v python3 >/dev/null || { skip "contact sheet" "needs python3"; exit 0; }
cat >"$work/png.py" <<'PY'
# png.py FILE: prints width and height, after checking every chunk; png.py FILE X Y…: colours of those pixels
import struct, sys, zlib
data = open(sys.argv[1], "rb").read()
assert data[:8] == b"\x89PNG\r\n\x1a\n"
at, idat, kinds = 8, b"", []
while at < len(data):
    n, kind = struct.unpack(">I4s", data[at:at + 8])
    body = data[at + 8:at + 8 + n]
    assert zlib.crc32(kind + body) == struct.unpack(">I", data[at + 8 + n:at + 12 + n])[0]
    kinds.append(kind)
    if kind == b"IHDR":
        w, h, depth, color = struct.unpack(">IIBB", body[:10])
    if kind == b"IDAT":
        idat += body
    at += 12 + n
assert kinds[-1] == b"IEND" and depth == 8 and color == 2
if len(sys.argv) == 2:
    print(w, h)
    sys.exit()
raw, stride, rows = zlib.decompress(idat), w * 3, []
assert len(raw) == h * (stride + 1)
prior = bytearray(stride)
for y in range(h):
    f, line = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
    for i in range(stride):
        a, b, c = line[i - 3] if i > 2 else 0, prior[i], prior[i - 3] if i > 2 else 0
        p = a + b - c
        best = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
        line[i] = (line[i] + (0, a, b, (a + b) // 2, best)[f]) & 255
    rows.append(line)
    prior = line
for x, y in zip(sys.argv[2::2], sys.argv[3::2]):
    print("%02x%02x%02x" % tuple(rows[int(y)][3 * int(x):3 * int(x) + 3]), end=" ")
PY
check_code "a sheet of the examples" 0 "$QBOOST" score --sort -score --contact-sheet "$work/s.png" --no-recursive examples
check_same "4 columns, 3 rows" "$(python3 "$work/png.py" "$work/s.png")" "1148 840"

# three flat pictures: the best is the first
for color in '\377\000\000' '\000\377\000' '\000\000\377'; do
    { printf 'P6 64 64 255\n'; for i in $(seq 4096); do printf "$color"; done; } >"$work/$(printf %s "$color" | tr -dc 0-9).ppm"
done
"$QBOOST" score --sort -score --contact-sheet "$work/c.png" --format tsv "$work"/*.ppm 2>/dev/null | tail -n +2 >"$work/rows"
wanted=$(cut -f 1 "$work/rows" | sed -n 's/.*377000000.*/ff0000/p; s/.*000377000.*/00ff00/p; s/.*000000377.*/0000ff/p' | tr '\n' ' ')
check_same "sorted by score" "$(python3 "$work/png.py" "$work/c.png" 160 174 436 174 160 418)" "$wanted"

make_ppm "$work/tiny.ppm" 1
for i in $(seq 210); do echo "$work/tiny.ppm"; done >"$work/list"
check_code "more pictures than fit" 0 "$QBOOST" score --contact-sheet "$work/m.png" --files-from "$work/list"
check_same "200 of them" "$(python3 "$work/png.py" "$work/m.png" | cut -d' ' -f1)" 3356
refused() {
    cp "$1" "$work/before"
    check_code "not over $2" 2 "$QBOOST" score --contact-sheet "$1" "$work/tiny.ppm" "${@:3}"
    check_has "which is explained" "$work/err" "--contact-sheet: "
    check "and left alone" cmp "$1" "$work/before"
}
cp "$work/tiny.ppm" "$work/own1.jpg" && cp "$work/tiny.ppm" "$work/own1.png" && cp "$work/s.png" "$work/own2.PNG"
ln "$work/own2.PNG" "$work/link.png"
refused "$work/own1.jpg" "the first picture, when the name is forgotten"
refused "$work/own1.png" "what is no PNG but called so"
{ head -c 16 "$work/s.png"; printf '\0\0\2\200'; tail -c +21 "$work/s.png"; } >"$work/photo.png"
refused "$work/photo.png" "a PNG that is no sheet"
refused "$work/link.png" "a picture that is given" "$work/own2.PNG"
check_code "over an earlier sheet" 0 "$QBOOST" score --contact-sheet "$work/own2.PNG" "$work/tiny.ppm"
mkdir "$work/folder.png"
for name in "" "$work" "$work/folder.png" "$work/sheet" "$work/sheet.png.jpg"; do
    check_code "not as '${name#"$work"}'" 2 "$QBOOST" score --contact-sheet "$name" "$work/tiny.ppm"
done
check_code "a folder that is not there" 1 "$QBOOST" score --contact-sheet "$work/no/x.png" "$work/tiny.ppm"
check_same "is told before anything is scored" "$(wc -c <"$work/out" | tr -d ' ')" 0
check_code "nothing scored: no sheet" 1 "$QBOOST" score --contact-sheet "$work/none.png" "$work/no.png"
check "no sheet" [ ! -e "$work/none.png" ]
check_code "not with --resume" 2 "$QBOOST" score --contact-sheet "$work/x.png" --resume "$work/r" "$work/tiny.ppm"
finish
