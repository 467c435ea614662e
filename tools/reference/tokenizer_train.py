#!/usr/bin/env python3
"""Trains the small SentencePiece BPE vocabulary of tests/golden/tokenizer and writes its variants.

    tokenizer_train.py OUT_FOLDER

plain.json     byte fallback, user-defined pieces, dummy prefix: what language models use
unused.json    the same, two thirds of the longer pieces marked UNUSED: merging must split them again
ties.json      plain with scores that many pieces share: of equal pairs the leftmost merges first; and with
               pieces that merging a user-defined piece would give
no_bytes.json  no byte pieces (what is not covered becomes the unknown id), no dummy prefix

The text to train on is written below. Each file: {"pieces": [[text, score, type], ...], ids, ...}.
"""
# SPDX-License-Identifier: Apache-2.0
import io
import json
import os
import sys

import sentencepiece

THINGS = ("image", "picture", "photo", "frame", "scene", "sky", "face", "background", "texture", "edge", "video", "colour")
FAULTS = ("noise", "blur", "motion blur", "compression artifacts", "blocking", "ringing", "banding", "overexposure",
          "underexposure", "haze", "colour cast", "chromatic aberration", "aliasing", "a moire pattern")
GRADES = ("excellent", "good", "fair", "average", "poor", "bad", "high", "medium", "low", "fine", "acceptable")
PLACES = ("in the shadows", "around the edges", "near the centre", "in the highlights", "all over the frame")
SENTENCES = """Rate the quality of the image.
USER: How would you rate the quality of this image?
ASSISTANT: The quality of the image is good.
A photograph taken at night often shows noise, because the sensor gathers too little light.
Sharp edges, natural colours and balanced lighting make a picture pleasant to look at.
The camera moved while the shutter was open, so everything looks smeared.
def score(image, prompt="quality"): return model.run(image)[prompt] / 100.0
for (int i = 0; i < n; i++) { sum += x[i] * y[i]; }
1920x1080, 24 fps, 3.5 Mbit/s, f/2.8, ISO 1600, 1/250 s, 0.5, 12, 345, 6789.
Das Bild ist unscharf, aber die Farben sind sehr schön und natürlich.
L'image est floue, mais les couleurs restent très agréables à regarder.
La imagen está borrosa y tiene mucho ruido en las sombras.
Картина очень резкая, но слишком тёмная.
Η εικόνα είναι καθαρή και φωτεινή.
この写真はとても美しいです。画質がいいです。
这张照片的质量很好,但是有点暗。
이 사진은 매우 선명합니다.
""".splitlines()
WITH_USER_DEFINED = ["\u2581it's", "it's\u2581", "xyzz", "equ", "qua", "qual", "<image>\u2581", "\u2581<image>"]
USER_DEFINED = ["<image>", "\u2581\u2581", "xyz", "it's", "qu"]


def training_text():
    lines = list(SENTENCES)
    for i, thing in enumerate(THINGS):
        for k, fault in enumerate(FAULTS):
            grade = GRADES[(3 * i + 5 * k) % len(GRADES)]
            place = PLACES[(i + k) % len(PLACES)]
            lines.append(f"The {thing} shows {fault} {place}, so its quality is {grade}.")
            if (i + k) % 3 == 0:
                lines.append(f"How {grade} is this {thing}? There is {fault}, and it would look better without it.")
    return lines


def train(byte_fallback, add_dummy_prefix, size):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(training_text()), model_writer=model, model_type="bpe", vocab_size=size,
        byte_fallback=byte_fallback, add_dummy_prefix=add_dummy_prefix, normalization_rule_name="identity",
        remove_extra_whitespaces=False, character_coverage=0.995, user_defined_symbols=USER_DEFINED,
        control_symbols=["<pad>"], num_threads=1, minloglevel=2)
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def pieces_of(processor):
    for i in range(processor.GetPieceSize()):
        kind = (2 if processor.IsUnknown(i) else 3 if processor.IsControl(i) else 6 if processor.IsByte(i) else
                4 if processor.IdToPiece(i) in USER_DEFINED else 1)
        yield [processor.IdToPiece(i), round(processor.GetScore(i), 4), kind]


def write(folder, name, processor, pieces, add_dummy_prefix):
    head = {"unk_id": processor.unk_id(), "bos_id": processor.bos_id(), "eos_id": processor.eos_id(),
            "add_dummy_prefix": add_dummy_prefix}
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(json.dumps(head)[:-1] + ', "pieces": [\n')
        file.write(",\n".join(json.dumps(piece, ensure_ascii=False) for piece in pieces))
        file.write("\n]}\n")


def main():
    folder = sys.argv[1]
    plain = train(byte_fallback=True, add_dummy_prefix=True, size=560)
    pieces = list(pieces_of(plain))
    write(folder, "plain.json", plain, pieces, True)
    unused = [[text, score, 5 if kind == 1 and len(text) > 1 and i % 3 else kind]
              for i, (text, score, kind) in enumerate(pieces)]
    write(folder, "unused.json", plain, unused, True)
    ties = [[text, -float(int(-score) // 25), kind] for text, score, kind in pieces]
    ties += [[text, 0.0, 1] for text in WITH_USER_DEFINED]
    write(folder, "ties.json", plain, ties, True)
    no_bytes = train(byte_fallback=False, add_dummy_prefix=False, size=320)
    write(folder, "no_bytes.json", no_bytes, list(pieces_of(no_bytes)), False)


if __name__ == "__main__":
    main()
