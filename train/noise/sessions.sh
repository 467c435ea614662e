#!/bin/bash
# sessions.sh: real sessions of Blender with examples/blender_until_clean.py on scenes of the training set, each judged by a
# model that has not seen it, and by two halves; what came out is then held against the scene's converged picture.
# Usage: sessions.sh OUT QBOOST SCENE…     OUT: the renders (README.md here), for the references and features.csv.
# SPDX-License-Identifier: Apache-2.0
set -eu
out=$(realpath "$1") qboost=$(realpath "$2")
shift 2
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Zones of a picture with visible noise, the reference's own share taken out.
still_visible() { # PICTURE SCENE SAMPLES
    printf 'path,scene,samples,reference,reference_samples\n%s,x,%s,%s,%s\n' "$1" "$3" "$out/$2/$2_reference.exr" \
        "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["reference_samples"])' "$out/$2/$2.json")" >"$work/t.csv"
    "$qboost" noise train -q "$work/t.csv" --save-features "$work/v.csv"
    python3 -c 'import csv, sys; print(sum(float(r["visibility"]) > 1 for r in csv.DictReader(open(sys.argv[1]))))' "$work/v.csv"
}

printf '%-15s %-8s %8s %6s %9s %7s %9s %6s %s\n' scene way samples looks render_s look_s 4096_s saved still_visible
for scene in "$@"; do
    blender -b --factory-startup --python-exit-code 1 --python-expr "
import sys
sys.path.insert(0, '$here')
import bpy, render, scenes
scenes.SCENES['$scene']()
render.settings()
bpy.ops.wm.save_as_mainfile(filepath='$work/scene.blend')" >"$work/log" 2>&1 || { tail -5 "$work/log"; exit 1; }
    grep -v "^$scene," "$out/features.csv" >"$work/others.csv"
    "$qboost" noise train -q "$work/others.csv" -o "$work/others.gguf"
    for way in learned halves; do
        checks=$([ $way = learned ] && echo 2 || echo 1)
        rm -f "$work/report"
        blender -b "$work/scene.blend" -P "$here/../../examples/blender_until_clean.py" -- --qboost "$qboost" --way $way \
            --checks "$checks" --noise-model "$work/others.gguf" --output "$work/clean.exr" --report "$work/report" \
            >"$work/log" 2>&1 || true
        [ -s "$work/report" ] || { tail -5 "$work/log"; exit 1; }
        read -r samples clean looks render look all < <(python3 -c '
import json, sys
r = json.load(open(sys.argv[1]))
print(r["samples"], r["clean"], r["looks"], r["render_s"], r["ask_s"], r["fixed_s"])' "$work/report")
        [ "$clean" = True ] || scene_end=" (not clean)"
        printf '%-15s %-8s %8s %6s %9s %7s %9s %5s%% %s of 16%s\n' "$scene" $way "$samples" "$looks" "$render" "$look" "$all" \
            "$(python3 -c 'import sys; r, l, a = map(float, sys.argv[1:]); print(round(100 * (1 - (r + l) / a)))' "$render" "$look" "$all")" \
            "$(still_visible "$work/clean.exr" "$scene" "$samples")" "${scene_end:-}"
        scene_end=
    done
done
