#!/usr/bin/env python3
"""llava.py: a tiny LLaVA-1.5 with random weights, run by Hugging Face transformers, as a golden case.

Usage: llava.py OUTPUT_DIR      writes model.gguf and expected.json (tests/golden/llava)

The layout of model.gguf is that of src/models/llava.c. Every matrix holds whole numbers of at most 7 bits
times a power of two, and every 32 values of a row hold +-127: the same numbers in f32, f16, bf16 and q8_0,
so a test may convert the file and still expect the same result.
"""
# SPDX-License-Identifier: Apache-2.0
import json
import math
import sys
from pathlib import Path

import gguf
import numpy as np
import torch
from PIL import Image
from transformers import (CLIPImageProcessor, CLIPVisionConfig, LlamaConfig, LlavaConfig,
                          LlavaForConditionalGeneration)

SEED = 20231005
IMAGE, PATCH, V_WIDTH, V_HEADS, V_LAYERS, V_FF = 28, 7, 48, 4, 3, 96
WIDTH, HEADS, KV_HEADS, LAYERS, FF, CONTEXT = 64, 4, 2, 3, 96, 64
RMS_EPS, ROPE_BASE = 1e-5, 10000.0
FILLER = 5  # rows of the embedding behind the vocabulary, as in the published checkpoints
MEAN, STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
WORDS = "good average poor high medium low fine acceptable bad".split()


def vocabulary():
    """Pieces, scores and types: bytes, letters, and each word by prefixes, which bpe builds from the left."""
    pieces = [("<unk>", 0.0, 2), ("<s>", 0.0, 3), ("</s>", 0.0, 3)]
    pieces += [(f"<0x{b:02X}>", 0.0, 6) for b in range(256)]
    texts = []
    for word in WORDS:
        spaced = "\u2581" + word
        texts += [spaced[:n] for n in range(2, len(spaced) + 1) if spaced[:n] not in texts]
    texts += ["\u2581"] + sorted(set("".join(WORDS) + "USERATN:."))
    return pieces + [(t, -1.0 - i, 1) for i, t in enumerate(texts)]


def set_weights(model):
    random = np.random.RandomState(SEED)
    for name, tensor in model.named_parameters():
        shape = tuple(tensor.shape)
        if len(shape) >= 2:
            values = random.randint(-127, 128, size=shape)
            rows = values.reshape(shape[0], -1)  # a view
            first = rows[:, ::32]
            first[...] = np.where(first < 0, -127, 127)
            fan_in = 1 if "embed_tokens" in name else rows.shape[1]
            gain = 2.0 if "lm_head" in name or "q_proj" in name or "k_proj" in name else 1.0
            scale = 2.0 ** round(math.log2(gain / math.sqrt(fan_in) / 73.0))
            values = values * scale
        elif name.endswith("bias") or "class_embedding" in name:
            values = 0.1 * random.standard_normal(shape)
        else:
            values = 1.0 + 0.1 * random.standard_normal(shape)
        with torch.no_grad():
            tensor.copy_(torch.from_numpy(values.astype(np.float32)))


def make_model(n_tokens):
    vision = CLIPVisionConfig(hidden_size=V_WIDTH, intermediate_size=V_FF, num_hidden_layers=V_LAYERS,
                              num_attention_heads=V_HEADS, image_size=IMAGE, patch_size=PATCH)
    text = LlamaConfig(vocab_size=n_tokens + FILLER, hidden_size=WIDTH, intermediate_size=FF,
                       num_hidden_layers=LAYERS, num_attention_heads=HEADS, num_key_value_heads=KV_HEADS,
                       rms_norm_eps=RMS_EPS, rope_theta=ROPE_BASE, max_position_embeddings=CONTEXT)
    config = LlavaConfig(vision_config=vision, text_config=text, image_token_index=n_tokens,
                         vocab_size=n_tokens + FILLER, vision_feature_layer=-2,
                         vision_feature_select_strategy="default", projector_hidden_act="gelu")
    config.pad_token_id = n_tokens + 1
    torch.manual_seed(SEED)
    model = LlavaForConditionalGeneration(config).eval()
    set_weights(model)
    return model


def adjacent_pairs(weight, n_heads):
    """Rows of q or k as GGUF stores them: row 2i + j of a head is row j * (head_dim / 2) + i here."""
    rows, columns = weight.shape
    return weight.reshape(n_heads, 2, rows // n_heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def tensors(model):
    w = {name: p.detach().numpy() for name, p in model.named_parameters()}
    vision = "vision_tower.vision_model."
    yield "v.patch_embd.weight", w[vision + "embeddings.patch_embedding.weight"]
    yield "v.class_embd", w[vision + "embeddings.class_embedding"]
    yield "v.position_embd.weight", w[vision + "embeddings.position_embedding.weight"]
    for end in "weight", "bias":
        yield f"v.pre_ln.{end}", w[f"{vision}pre_layrnorm.{end}"]
    names = {"ln1": "layer_norm1", "ln2": "layer_norm2", "attn_q": "self_attn.q_proj",
             "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_out": "self_attn.out_proj",
             "ffn_up": "mlp.fc1", "ffn_down": "mlp.fc2"}
    for i in range(V_LAYERS - 1):  # the last layer is not read
        for ours, theirs in names.items():
            for end in "weight", "bias":
                yield f"v.blk.{i}.{ours}.{end}", w[f"{vision}encoder.layers.{i}.{theirs}.{end}"]
    for i, name in (0, "linear_1"), (2, "linear_2"):
        for end in "weight", "bias":
            yield f"mm.{i}.{end}", w[f"multi_modal_projector.{name}.{end}"]
    text = "language_model.model."
    yield "token_embd.weight", w[text + "embed_tokens.weight"]
    names = {"attn_norm": "input_layernorm", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
             "ffn_norm": "post_attention_layernorm", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
             "ffn_down": "mlp.down_proj"}
    for i in range(LAYERS):
        layer = f"{text}layers.{i}."
        yield f"blk.{i}.attn_q.weight", adjacent_pairs(w[layer + "self_attn.q_proj.weight"], HEADS)
        yield f"blk.{i}.attn_k.weight", adjacent_pairs(w[layer + "self_attn.k_proj.weight"], KV_HEADS)
        for ours, theirs in names.items():
            yield f"blk.{i}.{ours}.weight", w[f"{layer}{theirs}.weight"]
    yield "output_norm.weight", w[text + "norm.weight"]
    yield "output.weight", w["language_model.lm_head.weight"]


def write_gguf(path, model, pieces):
    writer = gguf.GGUFWriter(path, "llava")
    writer.add_string("general.name", "tiny random llava")
    numbers = {"llava.block_count": LAYERS, "llava.embedding_length": WIDTH, "llava.feed_forward_length": FF,
               "llava.attention.head_count": HEADS, "llava.attention.head_count_kv": KV_HEADS,
               "llava.context_length": CONTEXT, "llava.vocab_size": len(pieces) + FILLER,
               "llava.rope.dimension_count": WIDTH // HEADS,
               "clip.vision.image_size": IMAGE, "clip.vision.patch_size": PATCH,
               "clip.vision.embedding_length": V_WIDTH, "clip.vision.feed_forward_length": V_FF,
               "clip.vision.attention.head_count": V_HEADS, "clip.vision.block_count": V_LAYERS - 1,
               "tokenizer.ggml.bos_token_id": 1, "tokenizer.ggml.eos_token_id": 2,
               "tokenizer.ggml.unknown_token_id": 0}
    for key, value in numbers.items():
        writer.add_uint32(key, value)
    writer.add_float32("llava.attention.layer_norm_rms_epsilon", RMS_EPS)
    writer.add_float32("llava.rope.freq_base", ROPE_BASE)
    writer.add_float32("clip.vision.attention.layer_norm_epsilon", 1e-5)
    writer.add_bool("clip.use_gelu", False)
    writer.add_array("clip.vision.image_mean", MEAN)
    writer.add_array("clip.vision.image_std", STD)
    writer.add_string("qboost.preprocess.fit", "crop")
    writer.add_string("tokenizer.ggml.model", "llama")
    writer.add_array("tokenizer.ggml.tokens", [p[0] for p in pieces])
    writer.add_array("tokenizer.ggml.scores", [p[1] for p in pieces])
    writer.add_array("tokenizer.ggml.token_type", [p[2] for p in pieces])
    for name, values in tensors(model):
        writer.add_tensor(name, np.ascontiguousarray(values))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def picture(width, height):
    """The formula that tests/unit/models/test_llava.c repeats."""
    y, x, c = np.mgrid[0:height, 0:width, 0:3].astype(np.int64)
    return ((x * 5 + y * 3 + c * 40 + (x * y * (c + 1)) // 4 + ((x * 7 + y * 13 + c * 29) % 17) * 6) % 256).astype(np.uint8)


def numbers(tensor):
    return [float(f"{v:.7g}") for v in tensor.detach().numpy().astype(np.float64).reshape(-1)]


def run(model, processor, pixels, before, after):
    image_token = model.config.image_token_index
    values = processor(Image.fromarray(pixels), return_tensors="pt")["pixel_values"]
    tower = model.vision_tower(values, output_hidden_states=True).hidden_states[-2]
    ids = before + [image_token] + after
    result = {"width": pixels.shape[1], "height": pixels.shape[0],
              "pixel_values": numbers(values[0].permute(1, 2, 0)), "tower": numbers(tower[0]),
              "image_tokens": numbers(model.multi_modal_projector(tower[:, 1:])[0])}
    greedy = []
    for step in range(5):
        current = torch.tensor([ids + greedy])
        out = model(input_ids=current, pixel_values=values, attention_mask=torch.ones_like(current),
                    output_hidden_states=True)
        logits = out.logits[0, -1]
        if step == 0:
            states = out.hidden_states
            result["rows"] = states[0].shape[1]
            result["layers"] = [numbers(s[0]) for s in states[1:-1]]
            result["final_norm"] = numbers(states[-1][0, -1])
            result["logits"] = numbers(logits)
        best = torch.topk(logits, 2).values
        print(f"step {step}: best logit {best[0]:.3f}, next {best[1]:.3f}")
        greedy.append(int(torch.argmax(logits)))
    result["greedy"] = greedy
    return result


def main():
    folder = Path(sys.argv[1])
    pieces = vocabulary()
    model = make_model(len(pieces))
    write_gguf(folder / "model.gguf", model, pieces)
    processor = CLIPImageProcessor(size={"shortest_edge": IMAGE}, crop_size={"height": IMAGE, "width": IMAGE},
                                   image_mean=MEAN, image_std=STD)
    random = np.random.RandomState(SEED + 1)
    before = [1] + [int(i) for i in random.randint(3, len(pieces), 6)]
    after = [int(i) for i in random.randint(3, len(pieces), 9)]
    expected = {"ids_before_image": before, "ids_after_image": after,
                "pictures": [run(model, processor, picture(w, h), before, after)
                             for w, h in ((IMAGE, IMAGE), (71, 45), (30, 77))]}
    with torch.no_grad():
        (folder / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")
    print(f"vocabulary {len(pieces)}, {(folder / 'model.gguf').stat().st_size} bytes")


if __name__ == "__main__":
    main()
