# SPDX-License-Identifier: Apache-2.0
"""What Q-Boost itself says of noise: python3 prompt_baseline.py FEATURES.csv OUT [QBOOST] > WITH_BASELINES.csv.

Asks the embedded model "Is it noisy?" and reads No against Yes, as a user would without `qboost noise`: about each zone
of each picture cut out ("zone"), about the zone with its pixels enlarged four times ("zone x4": the model was trained
on larger pictures), and about the whole picture, the same answer for all its zones ("picture"). The answers become columns
`baseline:<name>` of the table, for which `qboost noise train --evaluate` finds the best threshold on the other scenes.
Needs numpy, OpenEXR and Pillow (PyPI).
"""
import csv
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image

from average import read

GRID = 4
QUESTION = ['--prompt', 'Is it noisy?', '--tones', 'No / Yes']


def shown(path):
    """The picture as a screen shows it: clipped at 1, sRGB's curve."""
    light = np.clip(read(path), 0, 1)
    curve = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return Image.fromarray((curve * 255 + 0.5).astype(np.uint8))


def cut(picture, zone):
    """The zone's rectangle, with the rounding of QbNoiseGrid."""
    width, height = picture.size
    column, row = zone % GRID, zone // GRID
    return picture.crop((width * column // GRID, height * row // GRID, width * (column + 1) // GRID,
                         height * (row + 1) // GRID))


def write_questions(folder, out, scene, samples):
    """The pictures to ask about, as PNG: {name of baseline: file names by zone}."""
    picture = shown(os.path.join(out, scene, f'{scene}_{samples:05d}.exr'))
    name = f'{scene}_{samples}'
    picture.save(os.path.join(folder, f'{name}_picture.png'))
    for zone in range(GRID * GRID):
        part = cut(picture, zone)
        part.save(os.path.join(folder, f'{name}_zone_{zone}.png'))
        part.resize((part.width * 4, part.height * 4), Image.NEAREST).save(os.path.join(folder, f'{name}_x4_{zone}.png'))


def ask(qboost, folder):
    """{file name: score}, higher = less noisy."""
    run = subprocess.run([qboost, 'score', '-q', '--json', *QUESTION, folder], check=True, stdout=subprocess.PIPE)
    records = [json.loads(line) for line in run.stdout.splitlines()]
    return {os.path.basename(record['path']): record['score'] for record in records}


def rounded(text):
    """Six digits of a number: what a table needs."""
    try:
        return f'{float(text):.6g}'
    except ValueError:
        return text


def main(features, out, qboost='qboost'):
    with open(features, encoding='utf-8', newline='') as file:
        rows = list(csv.DictReader(file))
    names = ['baseline:prompt, zone', 'baseline:prompt, zone x4', 'baseline:prompt, picture']
    with tempfile.TemporaryDirectory() as folder:
        for scene, samples in sorted({(row['scene'], int(float(row['samples']))) for row in rows}):
            write_questions(folder, out, scene, samples)
        scores = ask(qboost, folder)
    writer = csv.DictWriter(sys.stdout, [*rows[0], *names], lineterminator='\n')
    writer.writeheader()
    for row in rows:
        row = {key: rounded(value) for key, value in row.items()}
        name, zone = f"{row['scene']}_{int(float(row['samples']))}", row['zone']
        files = [f'{name}_zone_{zone}.png', f'{name}_x4_{zone}.png', f'{name}_picture.png']
        writer.writerow({**row, **{key: f'{scores[file]:.6f}' for key, file in zip(names, files)}})


if __name__ == '__main__':
    main(*sys.argv[1:])
