# SPDX-License-Identifier: Apache-2.0
"""When `qboost noise watch` stops, and whether that was right: python3 stopping.py FEATURES.csv OUT [QBOOST] [CHECKS].

For each scene a model is trained on all the other scenes and watches the scene's ladder (OUT, by average.py) as it
would watch a renderer. Where it stops is held against the labels of FEATURES.csv (by `qboost noise train
--save-features`): how many zones still show noise there (visibility above 1), how many show it plainly (above 1.5). Beside
it the rules that render farms have: the same count for every scene, at the least count that leaves no more zones with
visible noise than the watch does; and what an oracle would stop at. Then the same for two halves of the samples
(--way halves), which need no model.
"""
import csv
import json
import os
import subprocess
import sys
import tempfile

PLAIN = 1.5
CLASSIFIER = 'fuzzy'  # of the model inside the program


def labels_of(path):
    """{scene: {samples: [visibility of each zone]}}"""
    labels = {}
    with open(path, encoding='utf-8', newline='') as file:
        for row in csv.DictReader(file):
            levels = labels.setdefault(row['scene'], {})
            levels.setdefault(int(float(row['samples'])), []).append(float(row['visibility']))
    return labels


def visible(zones, limit=1.0):
    return sum(v > limit for v in zones)


def model_without(scene, features, folder, qboost):
    """A model that has not seen the scene."""
    table, model = os.path.join(folder, 'others.csv'), os.path.join(folder, 'others.gguf')
    with open(features, encoding='utf-8') as source, open(table, 'w', encoding='utf-8') as target:
        target.writelines(line for line in source if not line.startswith(scene + ','))
    subprocess.run([qboost, 'noise', 'train', '-q', '-c', CLASSIFIER, table, '-o', model], check=True)
    return model


def watch(pictures, options, qboost):
    """Samples at which the watch ends with 0, or None."""
    run = subprocess.run([qboost, 'noise', 'watch', '-q', '--json', '--samples-from', 'name', *options, '-'],
                         input='\n'.join(pictures) + '\n', stdout=subprocess.PIPE, check=False, encoding='utf-8')
    if run.returncode not in (0, 7):
        raise SystemExit(f'watch ended with {run.returncode}')
    return json.loads(run.stdout.splitlines()[-1])['samples'] if run.returncode == 0 else None


def report(title, labels, stops):
    """The table of one way to stop; a scene that was not stopped costs its whole ladder."""
    print(f'\n{title}')
    print(f"{'scene':16} {'stopped at':>10} {'oracle':>8} {'still visible':>14} {'plainly':>8}")
    scenes = sorted(stops)
    last = {scene: max(labels[scene]) for scene in scenes}
    at = {scene: int(stops[scene] or last[scene]) for scene in scenes}
    oracle = {scene: next((n for n in sorted(labels[scene]) if not visible(labels[scene][n])), None) for scene in scenes}
    for scene in scenes:
        zones = labels[scene][at[scene]]
        print(f"{scene:16} {at[scene] if stops[scene] else 'not':>10} {oracle[scene] or 'not':>8} "
              f'{visible(zones):>11}/{len(zones)} {visible(zones, PLAIN):>8}')
    left = sum(visible(labels[s][at[s]]) for s in scenes if stops[s])
    stopped = [s for s in scenes if stops[s]]
    plain = sum(visible(labels[s][at[s]], PLAIN) for s in stopped)
    zones = sum(len(labels[s][at[s]]) for s in stopped)
    print(f'stopped {len(stopped)} of {len(scenes)} scenes; of their {zones} zones noise was still visible in {left} '
          f'({100 * left / max(zones, 1):.1f} %), plainly in {plain}; wrong stops (a scene with such a zone): '
          f'{sum(visible(labels[s][at[s]]) > 0 for s in stopped)}, plainly {sum(visible(labels[s][at[s]], PLAIN) > 0 for s in stopped)}')
    saved('all scenes', labels, at, scenes)
    saved('the scenes that were stopped', labels, at, stopped)


def saved(what, labels, at, scenes):
    """Against one count for all of these scenes, the least that leaves no more zones with visible noise."""
    total = sum(at[s] for s in scenes)
    left = sum(visible(labels[s][at[s]]) for s in scenes)
    counts = sorted(set.intersection(*(set(labels[s]) for s in scenes)))
    fixed = next((n for n in counts if sum(visible(labels[s][n]) for s in scenes) <= left), counts[-1])
    print(f'{what}: {total} samples a pixel, {left} zones still visible; the same count for all, as few: {fixed} x {len(scenes)} = '
          f'{fixed * len(scenes)}; saved {100 * (1 - total / (fixed * len(scenes))):.0f} %')


def main(features, out, qboost='qboost', checks='3'):
    labels = labels_of(features)
    learned, halves = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for scene in sorted(labels):
            def path(name, scene=scene):
                return os.path.abspath(os.path.join(out, scene, f'{scene}_{name}.exr'))
            model = model_without(scene, features, folder, qboost)
            ladder = [path(f'{n:05d}') for n in sorted(labels[scene])]
            learned[scene] = watch(ladder, ['-m', model, '-k', checks], qboost)
            pairs = [n for n in sorted(labels[scene]) if os.path.exists(path(f'{n:05d}_a'))]
            lines = [path(f'{n:05d}_a') + '\t' + path(f'{n:05d}_b') for n in pairs]
            halves[scene] = watch(lines, ['--way', 'halves', '--samples-from', 'count', '-k', '1'], qboost)
            if halves[scene]:
                halves[scene] = pairs[int(halves[scene]) - 1]
            print(f'{scene}: learned {learned[scene]}, halves {halves[scene]}', file=sys.stderr, flush=True)
    report(f'Learned from the other scenes, {checks} check(s) in a row', labels, learned)
    report('Two halves of the samples, 1 check', labels, halves)


if __name__ == '__main__':
    main(*sys.argv[1:])
