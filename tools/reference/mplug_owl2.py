#!/usr/bin/env python3
"""mplug_owl2.py: tiny mPLUG-Owl2 models with random weights, run by the published modelling code, as golden cases.

Usage: mplug_owl2.py UPSTREAM GOLDEN     UPSTREAM: a checkout of Q-Future/Q-Align; GOLDEN: tests/golden/mplug_owl2
       mplug_owl2.py --fixture FILE GOLDEN    the case `tiny`, from a safetensors file with weights and results

Writes folders as Hugging Face has them (config.json, model.safetensors, tokenizer.model) with expected.json beside:
what comes out of every stage. Every matrix holds whole numbers of at most 7 bits times a power of two, and every
other value has at most 8 significant bits: the same numbers in f32, f16 and bf16, so a test may store the weights in
any of them and still expect the same result.
"""
# SPDX-License-Identifier: Apache-2.0
import json
import math
import struct
import sys
from pathlib import Path

import numpy as np

MEAN, STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
ROOT = Path(__file__).resolve().parents[2]
PICTURES = ["tests/golden/compact/cat.png", "tests/golden/compact/shapes_640x480.png"]

# Odd sizes everywhere: heads of 9 values, 7 queries, more keys than a vector holds, filler rows behind the vocabulary.
CASES = {
    "odd": dict(
        seed=20231107, fit="pad", stored_positions=True, half=False,
        vision=dict(hidden_size=36, intermediate_size=50, num_hidden_layers=3, num_attention_heads=4, image_size=42,
                    patch_size=7),
        abstractor=dict(hidden_size=36, intermediate_size=45, num_hidden_layers=2, num_attention_heads=4,
                        num_learnable_queries=7, encoder_hidden_size=36, grid_size=6),
        decoder=dict(hidden_size=40, intermediate_size=56, num_hidden_layers=3, num_attention_heads=4,
                     num_key_value_heads=4, vocab_size=305, max_position_embeddings=64),
        prompts=[([1, 33, 270, -1, 5, 299, 290], [0]), ([1, 260, -1, 13, -1, 281, 7, 300, 262], [0, 1])]),
    "computed": dict(
        seed=20231108, fit="crop", stored_positions=False, half=True,
        vision=dict(hidden_size=40, intermediate_size=56, num_hidden_layers=2, num_attention_heads=8, image_size=45,
                    patch_size=9),
        abstractor=dict(hidden_size=40, intermediate_size=51, num_hidden_layers=3, num_attention_heads=8,
                        num_learnable_queries=5, encoder_hidden_size=40, grid_size=5),
        decoder=dict(hidden_size=42, intermediate_size=60, num_hidden_layers=2, num_attention_heads=3,
                     num_key_value_heads=3, vocab_size=301, max_position_embeddings=48),
        prompts=[([1, 260, -1, 13, -1, 281, 7, 300, 262], [1, 0]), ([1, -1, -1, 9, 100], [1, 1])]),
}


def write_safetensors(path, tensors):
    header, offset, blob = {}, 0, b""
    for name, values in tensors:
        data = np.ascontiguousarray(values).tobytes()
        kind = {"float32": "F32", "float16": "F16"}[str(values.dtype)]
        header[name] = {"dtype": kind, "shape": list(values.shape), "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
        blob += data
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + blob)


def field(number, wire, payload):
    def varint(n):
        out = b""
        while n > 127:
            out += bytes([n & 127 | 128])
            n >>= 7
        return out + bytes([n])
    tag = varint(number << 3 | wire)
    if wire == 0:
        return tag + varint(payload)
    return tag + payload if wire == 5 else tag + varint(len(payload)) + payload


def write_tokenizer(path, n, byte_pieces):
    """A SentencePiece BPE model of n pieces: the special ones, bytes, letters, and what letters make."""
    pieces = [("<unk>", 2), ("<s>", 3), ("</s>", 3)]
    if byte_pieces:
        pieces += [(f"<0x{b:02X}>", 6) for b in range(256)]
    texts = ["\u2581"] + list("goodpraeflwnumcxtU:")
    texts += ["\u2581" + "good"[:k] for k in range(1, 5)] + ["\u2581" + "poor"[:k] for k in range(1, 5)]
    texts = list(dict.fromkeys(texts)) + [a + b for a in "abcdefg" for b in "stuvwxyz"]
    pieces += [(t, 1) for t in texts[:n - len(pieces)]]
    assert len(pieces) == n
    model = b"".join(field(1, 2, field(1, 2, text.encode()) + field(2, 5, struct.pack("<f", -float(i))) +
                           field(3, 0, kind)) for i, (text, kind) in enumerate(pieces))
    trainer = field(3, 0, 2) + field(4, 0, n) + field(35, 0, int(byte_pieces))  # BPE
    normalizer = field(1, 2, b"identity") + field(3, 0, 1) + field(4, 0, 0) + field(5, 0, 1)
    path.write_bytes(model + field(2, 2, trainer) + field(3, 2, normalizer))


def config_of(vision, abstractor, decoder):
    return {"model_type": "mplug_owl2", "architectures": ["MPLUGOwl2LlamaForCausalLM"],
            "hidden_act": "silu", "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "rope_scaling": None,
            "attention_bias": False, "tie_word_embeddings": False, "bos_token_id": 1, "eos_token_id": 2, **decoder,
            "visual_config": {
                "visual_model": {"model_type": "mplug_owl_vision_model", "num_channels": 3, "hidden_act": "quick_gelu",
                                 "layer_norm_eps": 1e-6, **vision},
                "visual_abstractor": {"model_type": "mplug_owl_visual_abstract", "layer_norm_eps": 1e-6,
                                      **abstractor}}}


def numbers(tensor, digits=7):
    return [float(f"{v:.{digits}g}") for v in np.asarray(tensor.detach() if hasattr(tensor, "detach") else tensor)
            .astype(np.float64).reshape(-1)]


def write_json(path, value, **options):
    path.write_text(json.dumps(value, **options) + "\n")


# ---- the case `tiny` ------------------------------------------------------------------------------

def write_tiny(source, folder):
    folder.mkdir(parents=True, exist_ok=True)
    data = source.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    tensors = {}
    for name, entry in json.loads(data[8:8 + size]).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            assert entry["dtype"] == "F32"
            tensors[name] = np.frombuffer(data[8 + size + begin:8 + size + end], np.float32).reshape(entry["shape"])
    facts = json.loads(source.with_suffix(".json").read_text())
    vision = dict(hidden_size=facts["hidden"], intermediate_size=facts["vision_mlp"],
                  num_hidden_layers=facts["layers"], num_attention_heads=facts["heads"], image_size=facts["image"],
                  patch_size=facts["patch"])
    abstractor = dict(hidden_size=facts["hidden"], intermediate_size=facts["abstractor_intermediate"],
                      num_hidden_layers=facts["abstractor_layers"], num_attention_heads=facts["heads"],
                      num_learnable_queries=facts["queries"], encoder_hidden_size=facts["hidden"],
                      grid_size=facts["grid"])
    decoder = dict(hidden_size=facts["lm_hidden"], intermediate_size=facts["lm_intermediate"],
                   num_hidden_layers=facts["lm_layers"], num_attention_heads=facts["lm_heads"],
                   num_key_value_heads=facts["lm_heads"], vocab_size=facts["lm_vocab"], max_position_embeddings=32)
    write_json(folder / "config.json", config_of(vision, abstractor, decoder), indent=1)
    write_safetensors(folder / "model.safetensors", [(n, v) for n, v in tensors.items() if not n.startswith("fixture")])
    write_tokenizer(folder / "tokenizer.model", facts["lm_vocab"], False)
    pixels = tensors["fixture.pixel_values"][0].transpose(1, 2, 0)
    ids = [-1 if i < 0 else i for i in facts["input_ids_with_image"]]
    write_json(folder / "expected.json", {
        "pictures": [{"pixel_values": numbers(pixels, 9), "post_ln": numbers(tensors["fixture.vision_last_hidden"], 9),
                      "image_tokens": numbers(tensors["fixture.visual_tokens"], 9)}],
        "prompts": [{"ids": ids, "pictures": [0], "rows": facts["expanded_length"],
                     "logits": numbers(tensors["fixture.logits"][-1], 9)}]}, separators=(",", ":"))


# ---- cases run by upstream ------------------------------------------------------------------------

def weights_of(model):
    """Parameters, and the abstractor's positions, which upstream keeps as buffers."""
    return list(model.named_parameters()) + [(n, b) for n, b in model.named_buffers() if "pos_embed" in n]


def set_weights(model, seed, stored_positions):
    import torch
    random = np.random.RandomState(seed)
    for name, tensor in weights_of(model):
        shape = tuple(tensor.shape)
        if "pos_embed" in name:
            values = tensor.numpy()
            if stored_positions:  # not those that could be computed
                values = np.round((values + random.uniform(-0.3, 0.3, shape)) * 64) / 64
        elif len(shape) >= 2:
            fan_in = np.prod(shape[1:])
            if any(part in name for part in ("embed_tokens", "query_embeds", "vit_eos", "cls_token", "position_emb")):
                fan_in = 1
            sharp = ("lm_head", "q_proj", "k_proj", "attention.query", "attention.key", "query_key_value")
            gain = 1.5 if any(part in name for part in sharp) else 1.0
            scale = 2.0 ** round(math.log2(gain / math.sqrt(fan_in) / 73.0))
            values = random.randint(-127, 128, size=shape) * scale
        elif name.endswith("bias"):
            values = random.randint(-100, 101, size=shape) / 512
        else:
            values = 1.0 + random.randint(-24, 25, size=shape) / 64
        with torch.no_grad():
            tensor.copy_(torch.from_numpy(np.asarray(values, np.float32)))


class Hub:
    """Upstream's model asks the hub for a tokenizer and a processor that are not needed here."""

    @staticmethod
    def from_pretrained(*_, **__):
        return lambda texts: {"input_ids": [[0, 0] for _ in texts]}


def make_model(upstream, case, config):
    sys.path.insert(0, str(Path(upstream) / "q_align"))
    import model.modeling_mplug_owl2 as modeling
    import torch
    modeling.AutoTokenizer = modeling.CLIPImageProcessor = Hub
    fields = {k: v for k, v in config.items() if k not in ("model_type", "architectures")}
    torch.manual_seed(case["seed"])
    hf = modeling.MPLUGOwl2Config(**fields)
    hf._attn_implementation = "eager"
    network = modeling.MPLUGOwl2LlamaForCausalLM(hf).eval()
    set_weights(network, case["seed"], case["stored_positions"])
    return network, modeling


def picture(case, modeling, file):
    import transformers
    from PIL import Image
    image = Image.open(ROOT / file).convert("RGB")
    side = case["vision"]["image_size"]
    processor = transformers.CLIPImageProcessor(size={"shortest_edge": side}, crop_size={"height": side, "width": side},
                                                image_mean=MEAN, image_std=STD)
    if case["fit"] == "pad":
        image = modeling.expand2square(image, tuple(int(x * 255) for x in processor.image_mean))
    return processor(image, return_tensors="pt")["pixel_values"]


def run_picture(network, pixels, file):
    """Stages by hooks on upstream's modules."""
    seen, hooks = {}, []

    def watch(name, module):
        hooks.append(module.register_forward_hook(
            lambda _, __, out: seen.__setitem__(name, out[0] if isinstance(out, tuple) else out)))
    tower, abstractor = network.model.vision_model, network.model.visual_abstractor
    watch("embeddings", tower.embeddings)
    for i, layer in enumerate(tower.encoder.layers):
        watch(f"tower {i}", layer)
    for i, layer in enumerate(abstractor.encoder.layers):
        watch(f"abstractor {i}", layer)
    post_ln = tower(pixels).last_hidden_state
    tokens = abstractor(encoder_hidden_states=post_ln).last_hidden_state
    for hook in hooks:
        hook.remove()
    return {"file": file, "pixel_values": numbers(pixels[0].permute(1, 2, 0)), "embeddings": numbers(seen["embeddings"]),
            "tower": [numbers(seen[f"tower {i}"]) for i in range(len(tower.encoder.layers))],
            "post_ln": numbers(post_ln),
            "abstractor": [numbers(seen[f"abstractor {i}"]) for i in range(len(abstractor.encoder.layers))],
            "image_tokens": numbers(tokens)}


def run_prompt(network, pixels, ids, shown):
    import torch
    upstream_ids = torch.tensor([[-200 if i < 0 else i for i in ids]])
    out = network(input_ids=upstream_ids, images=torch.cat([pixels[i] for i in shown]), output_hidden_states=True,
                  return_dict=True, use_cache=False)
    states = out.hidden_states
    logits = out.logits[0, -1]
    best = torch.topk(logits, 2).values
    print(f"{states[0].shape[1]} rows, best logit {best[0]:.3f}, next {best[1]:.3f}")
    return {"ids": ids, "pictures": shown, "rows": states[0].shape[1], "layers": [numbers(s) for s in states[1:-1]],
            "final_norm": numbers(states[-1][0, -1]), "logits": numbers(logits)}


def write_case(upstream, folder, case):
    import torch
    folder.mkdir(parents=True, exist_ok=True)
    config = config_of(case["vision"], case["abstractor"], case["decoder"])
    with torch.no_grad():
        network, modeling = make_model(upstream, case, config)
        kind = np.float16 if case["half"] else np.float32
        tensors = [(name, p.detach().numpy().astype(kind)) for name, p in weights_of(network)
                   if case["stored_positions"] or "pos_embed" not in name]
        pixels = [picture(case, modeling, file) for file in PICTURES]
        expected = {"fit": case["fit"],
                    "pictures": [run_picture(network, p, f) for p, f in zip(pixels, PICTURES)],
                    "prompts": [run_prompt(network, pixels, ids, shown) for ids, shown in case["prompts"]]}
    write_json(folder / "config.json", config, indent=1)
    write_safetensors(folder / "model.safetensors", tensors)
    write_tokenizer(folder / "tokenizer.model", 301, True)
    write_json(folder / "expected.json", expected, separators=(",", ":"))
    print(folder.name, {p.name: p.stat().st_size for p in sorted(folder.iterdir())})


def main():
    if sys.argv[1] == "--fixture":
        write_tiny(Path(sys.argv[2]), Path(sys.argv[3]) / "tiny")
        return
    for name, case in CASES.items():
        write_case(sys.argv[1], Path(sys.argv[2]) / name, case)


if __name__ == "__main__":
    main()
