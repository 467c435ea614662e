#!/usr/bin/env python3
"""Writes seeds for tests/fuzz/fuzz_tokenizer.c (its head comment tells the layout).

    tokenizer_seeds.py OUT_FOLDER
"""
# SPDX-License-Identifier: Apache-2.0
import os
import sys

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED = range(1, 6)
ADD_BYTES, ADD_DUMMY_PREFIX = 1, 2
SPACE = "\u2581"
PIECES = [("<unk>", UNKNOWN, 0), ("<s>", CONTROL, 0), ("ab", NORMAL, -1), ("bc", NORMAL, -1), ("abc", UNUSED, -2),
          (SPACE + "a", NORMAL, -3), ("<image>", USER_DEFINED, 0), (SPACE + SPACE, USER_DEFINED, 0),
          ("a", NORMAL, -10), ("b", NORMAL, -11), ("c", NORMAL, -12), (SPACE, NORMAL, -13), ("\u00e9", NORMAL, -14),
          ("abcabc", NORMAL, -4), ("aa", NORMAL, -5), ("aaaa", NORMAL, -5)]
TEXTS = {"plain": b"abc abcabc  <image>aaaaaaa", "unicode": "\u00e9t\u00e9 \u7f8e \U0001f600 <s>".encode(),
         "invalid": b"a\xff\xed\xa0\x80\xf4\x90\x80\x80 \x00b\xe2\x96", "empty": b""}


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    vocabulary = b"".join(bytes([len(text.encode()), kind, score & 0xff]) + text.encode()
                          for text, kind, score in PIECES)
    for name, text in TEXTS.items():
        for flags in (0, ADD_BYTES, ADD_BYTES | ADD_DUMMY_PREFIX):
            with open(os.path.join(folder, f"{name}_{flags}"), "wb") as file:
                file.write(bytes([flags, len(PIECES)]) + vocabulary + text)


if __name__ == "__main__":
    main()
