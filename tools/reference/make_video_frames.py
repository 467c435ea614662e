#!/usr/bin/env python3
"""Writes expected.csv of the golden videos: which frames there are, when, and their pixels.

The ffprobe program says which frames are shown and when, the ffmpeg program makes the pixels, by the conversion that
the managed mode promises (docs/formats.md). Usage: make_video_frames.py tests/golden/video
SPDX-License-Identifier: Apache-2.0
"""
import csv
import json
import subprocess
import sys
import zlib
from fractions import Fraction
from pathlib import Path

CLIPS = """mpeg4.mp4 mpegts.ts h264.mp4 hevc.mp4 hevc10.mp4 vp9.webm av1.mp4 prores.mov raw.y4m vfr.mp4 ntsc.mp4 ntsc.mkv
           fragments.mp4 opengop.ts short.mp4 editlist.mp4 rotated90.mp4 rotated270.mp4""".split()
# Turned after the conversion: chroma is interpolated along the stored lines.
TURNS = {90: ",transpose=clock", 180: ",hflip,vflip", 270: ",transpose=cclock", 0: ""}
FLAGS = "bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact"


def probe(path):
    entries = "stream=width,height,time_base:stream_side_data=rotation:frame=pts"
    out = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", entries, "-of", "json", path],
                         check=True, capture_output=True).stdout
    found = json.loads(out)
    stream = found["streams"][0]
    angle = [side["rotation"] for side in stream.get("side_data_list", []) if "rotation" in side]
    base = Fraction(stream["time_base"])
    pts = [frame["pts"] for frame in found["frames"]]
    return stream["width"], stream["height"], -(angle or [0])[0] % 360, [(p - pts[0]) * base for p in pts]


def convert(path, turn):
    filters = f"scale=flags={FLAGS},format=rgb24{TURNS[turn]}"
    return subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-flags:v", "bitexact", "-noautorotate", "-i", path, "-map", "0:v:0", "-vf",
                           filters, "-vsync", "passthrough", "-f", "rawvideo", "-"],
                          check=True, capture_output=True).stdout


def main():
    folder = Path(sys.argv[1])
    with open(folder / "expected.csv", "w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["file", "index", "time_s", "width", "height", "crc32"])
        for name in CLIPS:
            width, height, turn, times = probe(folder / name)
            pixels = convert(folder / name, turn)
            size = width * height * 3
            assert len(pixels) == size * len(times), name
            if turn % 180:
                width, height = height, width
            for i, time in enumerate(times):
                crc = zlib.crc32(pixels[i * size:(i + 1) * size])
                rows.writerow([name, i, f"{float(time):.6f}", width, height, f"{crc:08x}"])


main()
