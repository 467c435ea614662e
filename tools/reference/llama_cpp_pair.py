#!/usr/bin/env python3
"""llama_cpp_pair.py: tiny LLaVA-1.5s as llama.cpp's pairs of files, with what transformers computes, as a golden case.

Usage: llama_cpp_pair.py OUTPUT_DIR      writes *.gguf and expected.json (tests/golden/llava_pair)

The files are written with llama.cpp's own `gguf` package, keys and tensors as its converters put them:
a "llama" language model with queries and keys permuted, and a "clip" picture part in the legacy layout
(fc1 is called ffn_down, fc2 ffn_up; 2-D weights f16, vectors f32). Small model: that of llava_hf.py, in
F16, Q8_0 and Q4_0 by the package's quantiser. Wide model: 256 values a row for Q4_K, Q5_K and Q6_K,
whose blocks are random bytes under sane scales; the picture part has all of CLIP-L's 24 layers and does
not say which one is read, as older files. What the package decodes from a file goes to transformers.
"""
# SPDX-License-Identifier: Apache-2.0
import json
import sys
from pathlib import Path

import gguf
import llava_hf
import numpy as np
import sentencepiece
import torch
from gguf import GGMLQuantizationType as Type
from gguf import quants
from llava_hf import PIECES
from PIL import Image
from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration

WIDE, WIDE_HEADS, WIDE_KV_HEADS, WIDE_FF, WIDE_LAYERS = 256, 4, 1, 256, 1
WIDE_IMAGE, WIDE_PATCH, WIDE_V, WIDE_V_HEADS, WIDE_V_FF, WIDE_V_LAYERS = 28, 14, 16, 2, 24, 24


def wide_model():
    vision = CLIPVisionConfig(hidden_size=WIDE_V, intermediate_size=WIDE_V_FF, num_hidden_layers=WIDE_V_LAYERS,
                              num_attention_heads=WIDE_V_HEADS, image_size=WIDE_IMAGE, patch_size=WIDE_PATCH)
    text = LlamaConfig(vocab_size=PIECES + 2, hidden_size=WIDE, intermediate_size=WIDE_FF,
                       num_hidden_layers=WIDE_LAYERS, num_attention_heads=WIDE_HEADS,
                       num_key_value_heads=WIDE_KV_HEADS, rms_norm_eps=1e-5, max_position_embeddings=512)
    config = LlavaConfig(vision_config=vision, text_config=text, image_token_index=PIECES, vocab_size=PIECES + 2,
                         vision_feature_layer=-2, vision_feature_select_strategy="default")
    config.pad_token_id = PIECES + 1
    model = LlavaForConditionalGeneration(config).eval()
    llava_hf.set_weights(model)
    return model


# ---- names -------------------------------------------------------------------------------------------------------

def adjacent_pairs(weight, n_heads):
    """Rows of q or k as convert_hf_to_gguf.py stores them: row 2i + j of a head was row j * (head_dim / 2) + i."""
    rows, columns = weight.shape
    return weight.reshape(n_heads, 2, rows // n_heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def half_split(weight, n_heads):
    rows, columns = weight.shape
    return weight.reshape(n_heads, rows // n_heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def heads_of(name, config):
    """Heads of a matrix with rotary rows, else 0."""
    return {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}.get(name.split(".")[-2], 0)


def language_names(layers):
    base = "language_model.model."
    yield "token_embd.weight", base + "embed_tokens.weight"
    each = {"attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
            "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm",
            "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj"}
    for i in range(layers):
        for ours, theirs in each.items():
            yield f"blk.{i}.{ours}.weight", f"{base}layers.{i}.{theirs}.weight"
    yield "output_norm.weight", base + "norm.weight"
    yield "output.weight", "language_model.lm_head.weight"


def picture_names(layers):
    base = "vision_tower.vision_model."
    yield "v.class_embd", base + "embeddings.class_embedding"
    yield "v.patch_embd.weight", base + "embeddings.patch_embedding.weight"
    yield "v.position_embd.weight", base + "embeddings.position_embedding.weight"
    for end in "weight", "bias":
        yield f"v.pre_ln.{end}", f"{base}pre_layrnorm.{end}"
    each = {"attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_q": "self_attn.q_proj",
            "attn_out": "self_attn.out_proj", "ln1": "layer_norm1", "ffn_down": "mlp.fc1", "ffn_up": "mlp.fc2",
            "ln2": "layer_norm2"}
    for i in range(layers):
        for ours, theirs in each.items():
            for end in "weight", "bias":
                yield f"v.blk.{i}.{ours}.{end}", f"{base}encoder.layers.{i}.{theirs}.{end}"
    for i, name in (0, "linear_1"), (2, "linear_2"):
        for end in "weight", "bias":
            yield f"mm.{i}.{end}", f"multi_modal_projector.{name}.{end}"


# ---- blocks ------------------------------------------------------------------------------------------------------

def random_blocks(rng, kind, shape, deviation):
    """Every bit of a block is random but those of its scales, which give the wanted deviation."""
    n = shape[0] * shape[1] // 256
    # d, and dmin where there is one, stand in a block's first four bytes or, in Q6_K, its last two.
    size = {Type.Q4_K: 144, Type.Q5_K: 176, Type.Q6_K: 210}[kind]
    blocks = rng.randint(0, 256, size=(n, size)).astype(np.uint8)
    top = {Type.Q4_K: 15, Type.Q5_K: 31, Type.Q6_K: 63}[kind]
    if kind == Type.Q6_K:
        # x = d * scale * (q - 32), scale one of -128 .. 127: deviations of 74 and 18.5
        d = deviation / (74 * 18.5) * rng.uniform(0.7, 1.3, n)
        blocks[:, 208:210] = d.astype(np.float16).view(np.uint8).reshape(n, 2)
    else:
        # x = d * scale * q - dmin * min, scale and min of 0 .. 63: dmin = d * top / 2 centres them
        d = deviation / (36 * top / 2) * rng.uniform(0.7, 1.3, n)
        blocks[:, 0:2] = d.astype(np.float16).view(np.uint8).reshape(n, 2)
        blocks[:, 2:4] = (d * top / 2).astype(np.float16).view(np.uint8).reshape(n, 2)
    return blocks.reshape(shape[0], -1)


# ---- files -------------------------------------------------------------------------------------------------------

def add_vocabulary(writer, tokenizer, rows):
    """As convert_hf_to_gguf.py: rows behind the vocabulary become unused tokens [PADn]."""
    pieces = sentencepiece.SentencePieceProcessor(model_proto=tokenizer)
    tokens, scores, types = [], [], []
    for i in range(rows):
        if i >= pieces.vocab_size():
            tokens.append(f"[PAD{i}]".encode())
            scores.append(-10000.0)
            types.append(5)
            continue
        tokens.append(pieces.id_to_piece(i).encode())
        scores.append(pieces.get_score(i))
        types.append(2 if pieces.is_unknown(i) else 3 if pieces.is_control(i) else 6 if pieces.is_byte(i) else 1)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_scores(scores)
    writer.add_token_types(types)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(0)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_language(path, model, tokenizer, rows, file_type, kind_of, rng, tied=False):
    """kind_of(name, columns): a matrix' type. The model's weights become what the file decodes to."""
    config = model.config.text_config
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type("model")
    writer.add_name("Tiny LLaVA")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_freq_base(config.rope_theta)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_file_type(file_type)
    writer.add_vocab_size(rows)
    writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    add_vocabulary(writer, tokenizer, rows)
    writer.add_quantization_version(2)
    parameters = dict(model.named_parameters())
    for name, theirs in language_names(config.num_hidden_layers):
        if tied and name == "output.weight":
            parameters[theirs][:rows] = parameters["language_model.model.embed_tokens.weight"][:rows]
            continue
        values = parameters[theirs].numpy()
        if values.ndim == 1:
            writer.add_tensor(name, values.astype(np.float32))
            continue
        if "token_embd" in name or name == "output.weight":
            values = values[:rows]
        heads = heads_of(name, config)
        if heads:
            values = adjacent_pairs(values, heads)
        kind = kind_of(name, values.shape[1])
        if kind in (Type.Q4_K, Type.Q5_K, Type.Q6_K):
            deviation = 0.125 if tied and name == "token_embd.weight" else float(values.std())
            data = random_blocks(rng, kind, values.shape, deviation)
        else:
            data = quants.quantize(np.ascontiguousarray(values), kind)
        decoded = quants.dequantize(data, kind).astype(np.float32)
        if kind == Type.F16:
            writer.add_tensor(name, values.astype(np.float16))
        else:
            writer.add_tensor(name, data, raw_dtype=kind)
        decoded = half_split(decoded, heads) if heads else decoded
        parameters[theirs][:decoded.shape[0]] = torch.from_numpy(np.ascontiguousarray(decoded))
    finish(writer)


def write_picture_part(path, model, layers, old):
    """legacy-models/convert_image_encoder_to_gguf.py. old: no projector type, all layers."""
    config = model.config.vision_config
    writer = gguf.GGUFWriter(path, "clip")
    writer.add_bool("clip.has_text_encoder", False)
    writer.add_bool("clip.has_vision_encoder", True)
    writer.add_bool("clip.has_llava_projector", True)
    writer.add_file_type(1)
    writer.add_name("tiny")
    writer.add_description("image encoder for LLaVA")
    if not old:
        writer.add_string("clip.projector_type", "mlp")
    for key, value in {"image_size": config.image_size, "patch_size": config.patch_size,
                       "embedding_length": config.hidden_size, "feed_forward_length": config.intermediate_size,
                       "projection_dim": config.projection_dim,
                       "attention.head_count": config.num_attention_heads, "block_count": layers}.items():
        writer.add_uint32(f"clip.vision.{key}", value)
    writer.add_float32("clip.vision.attention.layer_norm_epsilon", config.layer_norm_eps)
    writer.add_array("clip.vision.image_mean", llava_hf.MEAN)
    writer.add_array("clip.vision.image_std", llava_hf.STD)
    writer.add_bool("clip.use_gelu", False)
    parameters = dict(model.named_parameters())
    for name, theirs in picture_names(layers):
        values = parameters[theirs].numpy()
        wide = values.ndim == 4 or (values.ndim == 2 and name.endswith(".weight"))
        writer.add_tensor(name, values.astype(np.float16 if wide else np.float32))
    finish(writer)


def kinds(default, **special):
    """What llama.cpp's llama-quantize does, in small: a type for all, others for some, the next that rows fit."""
    def kind_of(name, columns):
        key = name.split(".")[-2]
        kind = special.get(key, default)
        return kind if columns % gguf.GGML_QUANT_SIZES[kind][0] == 0 else Type.F16
    return kind_of


def main():
    base = Path(sys.argv[1])
    base.mkdir(parents=True, exist_ok=True)
    tokenizer = llava_hf.train_tokenizer()
    pieces = sentencepiece.SentencePieceProcessor(model_proto=tokenizer)
    photo = "tests/golden/llava_hf/photo.png"
    shapes = "tests/golden/compact/shapes_640x480.png"
    padded = llava_hf.padded(Image.open(photo).convert("RGB"))
    rng = np.random.RandomState(llava_hf.SEED)
    k4, k5, k6 = Type.Q4_K, Type.Q5_K, Type.Q6_K
    small, wide = llava_hf.make_model, wide_model
    # file, model, rows of the vocabulary, general.file_type, types, tied head, picture
    cases = [("f16", small, PIECES, 1, kinds(Type.F16), False, None),  # tests/golden/llava_hf has what is expected
             ("q8_0", small, PIECES + llava_hf.FILLER, 7, kinds(Type.Q8_0), False, (photo, "crop")),
             ("q4_0", small, PIECES, 2, kinds(Type.Q4_0, output=Type.Q8_0), False, (photo, "pad")),
             ("q4_k_m", wide, PIECES, 15, kinds(k4, attn_v=k6, ffn_down=k6, output=k6), False, (photo, "crop")),
             ("q5_k_m", wide, PIECES, 17, kinds(k5, attn_v=k6, ffn_down=k6, token_embd=k6), True, (shapes, "crop"))]
    expected = []
    with torch.no_grad():
        for make, name, layers, old in (small, "small", llava_hf.V_LAYERS - 1, False), (wide, "wide", WIDE_V_LAYERS, True):
            write_picture_part(base / f"mmproj-{name}.gguf", make(), layers, old)
        for name, make, rows, file_type, kind_of, tied, picture in cases:
            model = make()
            write_language(base / f"{name}.gguf", model, tokenizer, rows, file_type, kind_of, rng, tied)
            if not picture:
                continue
            (file, fit), vision = picture, model.config.vision_config
            prompt = llava_hf.Prompt(pieces, (vision.image_size // vision.patch_size) ** 2)
            image = padded if fit == "pad" else Image.open(file).convert("RGB")
            result = dict(file=file, fit=fit, **llava_hf.expect(model, image, prompt))
            result["logits"] = result["logits"][:rows]
            expected.append(dict(prompt.expected(), model=f"{name}.gguf",
                                 mmproj=f"mmproj-{'small' if make is small else 'wide'}.gguf", pictures=[result]))
    (base / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
