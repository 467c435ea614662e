#!/usr/bin/env python3
"""llava_hf.py: a tiny LLaVA-1.5 with random weights in every layout it is published in, as a golden case.

Usage: llava_hf.py OUTPUT_DIR      writes the folders below and expected.json (tests/golden/llava_hf)

  hf_old/    Hugging Face names up to transformers 4.51, safetensors shards by save_pretrained, all f16
  hf_new/    names from transformers 4.52 on, safetensors, matrices f16, embedding and vectors bf16
  original/  liuhaotian's names and config, two PyTorch .bin shards by torch.save, f16 with some f32; no tower
  tower/     the tower that `original` goes with: a whole CLIPModel (its text side is to be ignored)
  inside/    index, config and third shard that make `original` a checkpoint with the tower inside

All hold the same numbers. Each fits f16 exactly; the embedding and all vectors fit bf16 as well. The
tokenizer is a real SentencePiece BPE model trained here on a text of our own.
"""
# SPDX-License-Identifier: Apache-2.0
import collections
import copy
import io
import json
import sys
from pathlib import Path

import numpy as np
import sentencepiece
import torch
from PIL import Image
from safetensors.torch import save_file
from transformers import (CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTextConfig, CLIPVisionConfig, LlamaConfig,
                          LlavaConfig, LlavaForConditionalGeneration)

SEED = 1
IMAGE, PATCH, V_WIDTH, V_HEADS, V_LAYERS, V_FF = 42, 14, 40, 4, 3, 72
WIDTH, HEADS, KV_HEADS, LAYERS, FF, CONTEXT = 96, 4, 2, 2, 104, 512
PIECES, FILLER = 320, 64
RMS_EPS, ROPE_BASE = 1e-5, 10000.0
MEAN, STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
SYSTEM = ("A chat between a curious human and an artificial intelligence assistant. The assistant gives helpful, "
          "detailed, and polite answers to the human's questions. ")
BEFORE, AFTER = SYSTEM + "USER: ", "\nRate the quality of the image. ASSISTANT:"
TONES = {"tti": ("good", "average", "poor"),
         "mpe": ("good high fine", "average medium acceptable", "poor low bad")}

# What the tokenizer learns from. Letters that are missing here become bytes.
TEXT = """the picture is good and the light is fine
the picture is poor and the noise is high
a low contrast makes a bad picture
an average photo has acceptable colour and medium sharpness
good average poor high medium low fine acceptable bad
good light and fine colour make a good photo
poor light and high noise make a bad photo
the human asks about the image and the assistant answers
the quality of the image is good average or poor
the quality of the photo is high medium or low
the colour is fine acceptable or bad
low low medium medium light low medium
fine fair fine far from bad but better
bad bad blur before a fine but bad border"""


def train_tokenizer():
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXT.split("\n") * 4), model_writer=model, model_type="bpe", vocab_size=PIECES,
        byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False,
        character_coverage=1.0, num_threads=1, minloglevel=2)
    return model.getvalue()


def plain_half(values):
    """The nearest halves; where they would be subnormal, zero."""
    values = torch.from_numpy(values.astype(np.float32)).half().float()
    return torch.where(values.abs() < 2.0 ** -13, torch.zeros(()), values)


def short(name):
    """Tensors whose numbers fit bf16 as well: the embedding and everything that is no matrix."""
    return name.endswith(("norm.weight", "bias", "embed_tokens.weight", "class_embedding")) or "norm1" in name \
        or "norm2" in name or "layernorm" in name or "layrnorm" in name


def set_weights(model):
    random = np.random.RandomState(SEED)
    for name, tensor in model.named_parameters():
        values = random.standard_normal(tuple(tensor.shape))
        if tensor.dim() >= 2 and "embed_tokens" not in name:
            gain = 2.0 if "lm_head" in name or "q_proj" in name or "k_proj" in name else 1.0
            values *= gain / np.sqrt(tensor[0].numel())
        elif tensor.dim() == 1 and name.endswith("weight"):
            values = 1.0 + 0.1 * values
        elif tensor.dim() == 1:
            values *= 0.1
        values = plain_half(values)
        with torch.no_grad():
            tensor.copy_(values.bfloat16().float() if short(name) else values)


def vision_config():
    return CLIPVisionConfig(hidden_size=V_WIDTH, intermediate_size=V_FF, num_hidden_layers=V_LAYERS,
                            num_attention_heads=V_HEADS, image_size=IMAGE, patch_size=PATCH, projection_dim=24)


def make_model():
    rows = PIECES + FILLER
    text = LlamaConfig(vocab_size=rows, hidden_size=WIDTH, intermediate_size=FF, num_hidden_layers=LAYERS,
                       num_attention_heads=HEADS, num_key_value_heads=KV_HEADS, rms_norm_eps=RMS_EPS,
                       rope_theta=ROPE_BASE, max_position_embeddings=CONTEXT, architectures=["LlamaForCausalLM"])
    config = LlavaConfig(vision_config=vision_config(), text_config=text, image_token_index=PIECES, vocab_size=rows,
                         vision_feature_layer=-2, vision_feature_select_strategy="default",
                         projector_hidden_act="gelu")
    config.pad_token_id = PIECES + 1
    torch.manual_seed(SEED)
    model = LlavaForConditionalGeneration(config).eval()
    set_weights(model)
    return model


# ---- layouts -----------------------------------------------------------------------------------------------------

def renamed(state, rules):
    """The first rule (beginning, new beginning) that fits a name rewrites it."""
    out = collections.OrderedDict()
    for name, tensor in state.items():
        for old, new in rules:
            if name.startswith(old):
                out[new + name[len(old):]] = tensor
                break
        else:
            raise SystemExit(f"no rule for {name}")
    return out


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2) + "\n")


def write_index(path, shards):
    names = {name: file for file, tensors in shards.items() for name in sorted(tensors)}
    size = sum(t.numel() * t.element_size() for tensors in shards.values() for t in tensors.values())
    write_json(path, {"metadata": {"total_size": size}, "weight_map": names})


def split(state, parts):
    """Parts of about the same size, in order."""
    total = sum(t.numel() for t in state.values())
    shards, done = [collections.OrderedDict() for _ in range(parts)], 0
    for name, tensor in state.items():
        shards[min(parts - 1, done * parts // total)][name] = tensor
        done += tensor.numel()
    return shards


def write_preprocessor(folder):
    processor_for(IMAGE).save_pretrained(folder)


def write_hf_old(folder, model, tokenizer):
    half = copy.deepcopy(model).half()
    half.config.torch_dtype = "float16"
    half.save_pretrained(folder, safe_serialization=True, max_shard_size="390KB")
    write_preprocessor(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    (folder / "tokenizer.model").write_bytes(tokenizer)


def write_hf_new(folder, model, tokenizer, config):
    state = renamed(model.state_dict(), [
        ("language_model.model.", "model.language_model."), ("language_model.lm_head.", "lm_head."),
        ("vision_tower.", "model.vision_tower."), ("multi_modal_projector.", "model.multi_modal_projector.")])
    state = {name: (t.bfloat16() if short(name) else t.half()).contiguous() for name, t in state.items()
             if not name.endswith("position_ids")}
    shards = {f"model-{i + 1:05d}-of-00002.safetensors": part for i, part in enumerate(split(state, 2))}
    for name, part in shards.items():
        save_file(part, folder / name, metadata={"format": "pt"})
    write_index(folder / "model.safetensors.index.json", shards)
    config = dict(config, transformers_version="4.52.0")
    write_json(folder / "config.json", config)
    write_preprocessor(folder)
    (folder / "tokenizer.model").write_bytes(tokenizer)


def original_config():
    return {"architectures": ["LlavaLlamaForCausalLM"], "model_type": "llava", "bos_token_id": 1, "eos_token_id": 2,
            "pad_token_id": 0, "hidden_act": "silu", "hidden_size": WIDTH, "intermediate_size": FF,
            "max_position_embeddings": CONTEXT, "num_attention_heads": HEADS, "num_hidden_layers": LAYERS,
            "num_key_value_heads": KV_HEADS, "rms_norm_eps": RMS_EPS, "rope_scaling": None, "vocab_size": PIECES,
            "tie_word_embeddings": False, "torch_dtype": "float16", "use_cache": True, "pretraining_tp": 1,
            "mm_vision_tower": "openai/clip-vit-large-patch14-336", "mm_vision_select_layer": -2,
            "mm_vision_select_feature": "patch", "mm_projector_type": "mlp2x_gelu", "mm_hidden_size": V_WIDTH,
            "mm_use_im_start_end": False, "mm_use_im_patch_token": False, "image_aspect_ratio": "pad",
            "freeze_mm_mlp_adapter": False, "tune_mm_mlp_adapter": False, "use_mm_proj": True,
            "tokenizer_model_max_length": CONTEXT}


def original_state(model):
    """The vocabulary without filler rows; the projector's biases in f32, and rotary frequencies as old files have."""
    state = collections.OrderedDict()
    for name, tensor in model.state_dict().items():
        if not name.startswith("vision_tower."):
            state[name] = tensor
    state = renamed(state, [
        ("language_model.model.", "model."), ("language_model.lm_head.", "lm_head."),
        ("multi_modal_projector.linear_1.", "model.mm_projector.0."),
        ("multi_modal_projector.linear_2.", "model.mm_projector.2.")])
    for name in "model.embed_tokens.weight", "lm_head.weight":
        state[name] = state[name][:PIECES]
    halves = collections.OrderedDict(
        (name, t if name.startswith("model.mm_projector") and name.endswith("bias") else t.half())
        for name, t in state.items())
    for i in range(LAYERS):
        steps = torch.arange(0, WIDTH // HEADS, 2).float() / (WIDTH // HEADS)
        halves[f"model.layers.{i}.self_attn.rotary_emb.inv_freq"] = 1.0 / ROPE_BASE ** steps
    return collections.OrderedDict((name, t.clone().contiguous()) for name, t in halves.items())


def tower_state(model):
    """The vision tower as a CLIPModel holds it, with a text side nobody reads."""
    text = CLIPTextConfig(vocab_size=50, hidden_size=16, intermediate_size=24, num_hidden_layers=1,
                          num_attention_heads=2, max_position_embeddings=8, projection_dim=24)
    torch.manual_seed(SEED + 1)
    clip = CLIPModel(CLIPConfig.from_text_vision_configs(text, vision_config(), projection_dim=24))
    vision = {name[len("vision_tower.vision_model."):]: t for name, t in model.state_dict().items()
              if name.startswith("vision_tower.vision_model.")}
    clip.vision_model.load_state_dict(vision, strict=False)
    state = collections.OrderedDict((name, t.half()) for name, t in clip.state_dict().items())
    positions = (IMAGE // PATCH) ** 2 + 1
    state["vision_model.embeddings.position_ids"] = torch.arange(positions)[None]  # int64, as early files have it
    return clip.config, state


def write_original(base, model, tokenizer):
    folder, tower, inside = base / "original", base / "tower", base / "inside"
    shards = {f"pytorch_model-{i + 1:05d}-of-00002.bin": part
              for i, part in enumerate(split(original_state(model), 2))}
    for name, part in shards.items():
        torch.save(part, folder / name)
    write_index(folder / "pytorch_model.bin.index.json", shards)
    write_json(folder / "config.json", original_config())
    (folder / "tokenizer.model").write_bytes(tokenizer)

    config, state = tower_state(model)
    torch.save(state, tower / "pytorch_model.bin")
    plain = {"architectures": ["CLIPModel"], "model_type": "clip", "projection_dim": 24, "text_config": {},
             "vision_config": config.vision_config.to_diff_dict(), "torch_dtype": "float16"}
    plain["vision_config"].pop("transformers_version", None)
    write_json(tower / "config.json", plain)
    write_preprocessor(tower)

    vision = collections.OrderedDict((name, t) for name, t in state.items() if name.startswith("vision_model."))
    third = renamed(vision, [("vision_model.", "model.vision_tower.vision_tower.vision_model.")])
    torch.save(third, inside / "pytorch_model-tower.bin")
    write_index(inside / "pytorch_model.bin.index.json", dict(shards, **{"pytorch_model-tower.bin": third}))
    # Published checkpoints have CLIP-L inside and need not say so; this tower is another.
    write_json(inside / "config.json", dict(original_config(), vision_config=plain["vision_config"]))


# ---- expected ----------------------------------------------------------------------------------------------------

def numbers(tensor):
    return [float(f"{v:.7g}") for v in tensor.detach().numpy().astype(np.float64).reshape(-1)]


def padded(image):
    """LLaVA's expand2square (llava/mm_utils.py) with int(255 * mean)."""
    side = max(image.size)
    square = Image.new("RGB", (side, side), tuple(int(255 * m) for m in MEAN))
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return square


def score(logits, words, tones):
    means = torch.tensor([np.mean([float(logits[words[w]]) for w in tone.split()]) for tone in tones]).double()
    p = torch.softmax(means, 0)
    print("tones", [round(float(x), 3) for x in p])
    return float(p[0] + 0.5 * p[1])


def processor_for(side):
    return CLIPImageProcessor(size={"shortest_edge": side}, crop_size={"height": side, "width": side},
                              image_mean=MEAN, image_std=STD)


class Prompt:
    """Q-Instruct's question, as ids around a picture of so many patches, and the rows that are shown of a layer."""

    def __init__(self, pieces, patches):
        self.before, self.after = [1] + pieces.encode(BEFORE), pieces.encode(AFTER)
        self.ids = torch.tensor([self.before + [PIECES] + self.after])
        start = len(self.before)
        self.rows = start + patches + len(self.after)
        # BOS, some text, all of the picture, text behind it, the last one.
        self.seen = sorted({0, 1, start // 2, start - 1, *range(start, start + patches + 1), self.rows - 2,
                            self.rows - 1})
        self.words = {w: pieces.encode(w)[0] for tones in TONES.values() for tone in tones for w in tone.split()}

    def expected(self):
        return {"ids_before_image": self.before, "ids_after_image": self.after, "rows": self.rows,
                "layer_rows": self.seen, "words": self.words}


def expect(model, image, prompt):
    ids = prompt.ids
    processor = processor_for(model.config.vision_config.image_size)
    raw = processor(image, return_tensors="np", do_rescale=False, do_normalize=False)["pixel_values"][0]
    values = processor(image, return_tensors="pt")["pixel_values"]
    tower = model.vision_tower(values, output_hidden_states=True).hidden_states
    out = model(input_ids=ids, pixel_values=values, attention_mask=torch.ones_like(ids), output_hidden_states=True)
    states, logits = out.hidden_states, out.logits[0, -1]
    scores = {name: score(logits, prompt.words, tones) for name, tones in TONES.items()}
    print("rows", states[0].shape[1], "scores", scores, "largest logit", float(logits.abs().max()))
    return {"pixels": raw.astype(np.uint8).transpose(1, 2, 0).tobytes().hex(), "tower_embeddings": numbers(tower[0][0]),
            "tower_layers": [numbers(t[0]) for t in tower[1:-1]],
            "image_tokens": numbers(model.multi_modal_projector(tower[-2][:, 1:])[0]),
            "layers": [numbers(s[0, prompt.seen]) for s in states[1:-1]], "final_norm": numbers(states[-1][0, -1]),
            "logits": numbers(logits), "scores": scores}


def main():
    base = Path(sys.argv[1])
    for name in "hf_old", "hf_new", "original", "tower", "inside":
        (base / name).mkdir(parents=True, exist_ok=True)
    tokenizer = train_tokenizer()
    pieces = sentencepiece.SentencePieceProcessor(model_proto=tokenizer)
    model = make_model()
    write_hf_old(base / "hf_old", model, tokenizer)
    config = json.loads((base / "hf_old/config.json").read_text())
    write_hf_new(base / "hf_new", model, tokenizer, config)
    write_original(base, model, tokenizer)

    photo = Image.open("examples/cat.jpg").convert("RGB").resize((61, 47), Image.LANCZOS)
    photo.save(base / "photo.png", optimize=True)
    shapes = Image.open("tests/golden/compact/shapes_640x480.png").convert("RGB")
    prompt = Prompt(pieces, (IMAGE // PATCH) ** 2)
    print(len(prompt.before), len(prompt.after), {w: pieces.id_to_piece(i) for w, i in prompt.words.items()})
    with torch.no_grad():
        cases = [("tests/golden/llava_hf/photo.png", "crop", photo),
                 ("tests/golden/compact/shapes_640x480.png", "crop", shapes),
                 ("tests/golden/llava_hf/photo.png", "pad", padded(photo))]
        expected = dict(prompt.expected(), pictures=[dict(file=file, fit=fit, **expect(model, image, prompt))
                                                     for file, fit, image in cases])
    (base / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")
    for file in base.glob("*/*"):
        file.chmod(0o644)


if __name__ == "__main__":
    main()
