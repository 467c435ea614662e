#!/usr/bin/env python3
"""Makes the golden ids of tests/golden/tokenizer with the sentencepiece library.

    tokenizer_vectors.py MODEL N OUT

MODEL: a SentencePiece .model file, or a vocabulary written by tokenizer_train.py (.json).
The strings are those of tests/unit/tokenizer/tokenizer_golden.h, made here the same way; the first
line of OUT tells how many there are and a digest of them, so that a difference between the two
generators is noticed. The lines after it: number of ids and their FNV-1a hash, one string each.
"""
# SPDX-License-Identifier: Apache-2.0
import json
import struct
import sys

import sentencepiece

WORDS = [w.encode() for w in (
    "the image quality of Rate good poor average excellent bad fair is a USER: ASSISTANT: How would you rate this "
    "blurry noise noisy sharp overexposed underexposed compression artifacts don't it's 3.14159 1920x1080 "
    "http://example.org/a?b=c <s> </s> <unk> <0x0A> <image> self.assertEqual(x) NASA iPhone caf\u00e9 na\u00efve "
    "Stra\u00dfe \u304a\u306f\u3088\u3046 \u7f8e\u3057\u3044 \u043c\u0438\u0440 \U0001f600 photo lighting medium "
    "moderate acceptable xyzzy QWERTY e\u0301 \u2581 \ufffd").split(" ")]
RANGES = [
    (0x20, 0x7e), (0xa0, 0xff), (0x100, 0x17f), (0x300, 0x36f), (0x370, 0x3ff), (0x400, 0x45f),
    (0x5d0, 0x5ea), (0x620, 0x64a), (0x905, 0x939), (0xe01, 0xe3a), (0x1100, 0x1112), (0x2000, 0x206f),
    (0x2190, 0x21ff), (0x2500, 0x25ff), (0x3041, 0x30ff), (0x4e00, 0x9fff), (0xac00, 0xd7a3),
    (0xe000, 0xf8ff), (0xfe00, 0xfe0f), (0xff01, 0xffee), (0x1d400, 0x1d7ff), (0x1f300, 0x1f64f),
    (0x20000, 0x2a6df), (0x10fff0, 0x10ffff), (0x0, 0x1f), (0x80, 0x9f), (0x2581, 0x2581)]
GAPS = [b" ", b"  ", b"   ", b"\n", b"\n\n", b"\t", b" \n", b"\r\n", b". ", b", ", b"! ", b"? ", b": ", b" - ", b"",
        b"\xc2\xa0"]
MASK = (1 << 64) - 1


class Random:
    """splitmix64."""

    def __init__(self, state):
        self.state = state & MASK

    def __call__(self, below):
        self.state = (self.state + 0x9e3779b97f4a7c15) & MASK
        z = self.state
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 & MASK
        z = (z ^ z >> 27) * 0x94d049bb133111eb & MASK
        return (z ^ z >> 31) % below


def character(random):
    low, high = RANGES[random(len(RANGES))]
    return chr(low + random(high - low + 1)).encode()


def make_string(i):
    """String number i: eight kinds in turn."""
    random = Random(i * 0x2545f4914f6cdd1d)
    text = bytearray()
    kind = i % 8
    for k in range(1 + random(24)):
        if kind == 0:  # a sentence
            text += b" " if k else b""
            text += WORDS[random(len(WORDS))]
        elif kind == 1:  # printable ASCII
            text.append(0x20 + random(95))
        elif kind == 2:  # words and odd gaps
            text += GAPS[random(len(GAPS))]
            text += WORDS[random(len(WORDS))]
            text += GAPS[random(len(GAPS))]
        elif kind == 3:  # characters of many scripts
            text += character(random)
        elif kind == 4:  # words and characters
            text += WORDS[random(len(WORDS))]
            text += character(random)
        elif kind == 5:  # any bytes
            text.append(random(256))
        elif kind == 6:  # runs
            text += character(random)
            text += text[-1:] * random(12)
        else:  # letters only
            text.append(ord("a") + random(26))
    if kind in (3, 4) and random(3) == 0:  # cuts and damage
        cut = random(4) % len(text)
        del text[len(text) - cut:]
        at = random(len(text))
        text[at] = random(256)
    return bytes(text)


def fnv(values):
    hashed = 2166136261
    for value in values:
        for byte in struct.pack("<I", value):
            hashed = (hashed ^ byte) * 16777619 & 0xffffffff
    return hashed


def varint(value):
    out = bytearray()
    while True:
        out.append(value & 0x7f | (0x80 if value > 0x7f else 0))
        value >>= 7
        if not value:
            return bytes(out)


def field(number, data):
    """A protobuf field: bytes or a non-negative integer."""
    if isinstance(data, bytes):
        return varint(number << 3 | 2) + varint(len(data)) + data
    return varint(number << 3) + varint(data)


def model_from_json(path):
    """The ModelProto of a vocabulary: pieces, TrainerSpec, NormalizerSpec."""
    with open(path, encoding="utf-8") as file:
        vocabulary = json.load(file)
    model = b""
    for text, score, kind in vocabulary["pieces"]:
        piece = field(1, text.encode()) + varint(2 << 3 | 5) + struct.pack("<f", score) + field(3, kind)
        model += field(1, piece)
    has_bytes = any(kind == 6 for _, _, kind in vocabulary["pieces"])
    trainer = field(3, 2) + field(4, len(vocabulary["pieces"])) + field(35, int(has_bytes))
    trainer += field(40, vocabulary["unk_id"]) + field(41, vocabulary["bos_id"]) + field(42, vocabulary["eos_id"])
    normalizer = field(1, b"identity") + field(3, int(vocabulary["add_dummy_prefix"])) + field(4, 0) + field(5, 1)
    return model + field(2, trainer) + field(3, normalizer)


def main():
    path, count, out = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    processor = sentencepiece.SentencePieceProcessor()
    if path.endswith(".json"):
        processor.LoadFromSerializedProto(model_from_json(path))
    else:
        processor.Load(path)
    strings = [make_string(i) for i in range(count)]
    with open(out, "w", encoding="ascii") as file:
        file.write(f"strings {count} {fnv(byte for text in strings for byte in text):08x}\n")
        for text in strings:
            ids = processor.EncodeAsIds(text)
            file.write(f"{len(ids)} {fnv(ids):08x}\n")


if __name__ == "__main__":
    main()
