#!/usr/bin/env python3
"""Writes small GGUF files with the format's reference writer (Python package gguf).

    gguf_samples.py OUT_FOLDER

They are the seeds of the fuzz target, and tests/unit/weights/test_gguf_reference.c reads sample.gguf
to see that what the reference writes is what our reader reads.
"""
# SPDX-License-Identifier: Apache-2.0
import os
import sys

import gguf
import numpy


def add_keys(writer):
    writer.add_uint8("sample.u8", 250)
    writer.add_int8("sample.i8", -100)
    writer.add_uint16("sample.u16", 65000)
    writer.add_int16("sample.i16", -30000)
    writer.add_uint32("sample.u32", 4000000000)
    writer.add_int32("sample.i32", -2000000000)
    writer.add_uint64("sample.u64", 18000000000000000000)
    writer.add_int64("sample.i64", -9000000000000000000)
    writer.add_float32("sample.f32", 0.5)
    writer.add_float64("sample.f64", 0.25)
    writer.add_bool("sample.bool", True)
    writer.add_string("sample.string", "na\u00efve \u7f8e")
    writer.add_array("sample.ints", [-1, 0, 1, 2])
    writer.add_array("sample.floats", [0.5, -0.25])
    writer.add_array("sample.bools", [True, False, True])
    writer.add_token_list(["<unk>", "\u2581a", "b"])
    writer.add_token_scores([0.0, -1.0, -2.0])
    writer.add_token_types([2, 1, 1])


def add_tensors(writer):
    values = numpy.arange(24, dtype=numpy.float32)
    writer.add_tensor("f32.weight", values.reshape(4, 6))
    writer.add_tensor("f16.weight", values.astype(numpy.float16).reshape(2, 3, 4))
    wide = numpy.linspace(-1, 1, 512, dtype=numpy.float32).reshape(2, 256)
    for name in ("Q8_0", "Q4_0", "BF16"):
        kind = gguf.GGMLQuantizationType[name]
        writer.add_tensor(name.lower() + ".weight", gguf.quantize(wide, kind), raw_dtype=kind)


def write(folder, name, keys, tensors, alignment=None):
    writer = gguf.GGUFWriter(os.path.join(folder, name), "sample")
    if alignment:
        writer.add_custom_alignment(alignment)
    if keys:
        add_keys(writer)
    if tensors:
        add_tensors(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    write(folder, "sample.gguf", True, True)
    write(folder, "keys_only.gguf", True, False)
    write(folder, "aligned_to_8.gguf", False, True, alignment=8)


if __name__ == "__main__":
    main()
