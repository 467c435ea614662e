# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/compact/: input pictures and what the shipped GGUF makes of them in PyTorch.

`python3 golden.py` must be rerun whenever models/qboost-compact-v0.gguf changes. Inputs that exist are kept, so the
pictures stay bit for bit the same; expected values are computed in f64 on the stored weights.
"""
import json
import os
import zlib

import numpy as np
import torch
from PIL import Image, ImageFilter

import config as C
import vocab
from checkpoint import Compact
from decoder import embed, greedy, prompt_chunks
from view import decode_managed, make_view

HERE = os.path.join(os.path.dirname(__file__), "..", "tests", "golden", "compact")
QUESTIONS = ["Is the image blurry?", "What is wrong with the picture?", "Describe the quality of the image."]
TEXTS = [C.RATE_PROMPT, "USER: ", "The quality of the image is", "good", " good", "  two  spaces", "", "Yes", "No",
         "Is this picture blurry?", "How noisy is it? 10/10!", "naïve café", "画像の品質", "🙂", "tab\tnew\nline",
         "UPPER lower MiXeD", "qwertyuiop", "overexposed, underexposed and oversharpened", "a", "▁", "<s>", "</s>"]


def picture(name):
    """The synthetic inputs; integer arithmetic and a fixed generator, so they can be made anywhere."""
    rng = np.random.default_rng(C.SEED)
    grid = lambda w, h: np.meshgrid(np.arange(w), np.arange(h))
    if name == "noise_37x301":
        return rng.integers(0, 256, (301, 37, 3), dtype=np.uint8)
    if name == "gradient_1200x500":
        x, y = grid(1200, 500)
        return np.stack([x * 255 // 1199, y * 255 // 499, (x + y) * 255 // 1698], 2).astype(np.uint8)
    if name == "bars_300x2000":
        x, y = grid(300, 2000)
        return np.stack([(y // 13 % 2) * 255, (x // 7 % 2) * 200, (x + y) // 40 % 2 * 120], 2).astype(np.uint8)
    if name == "dark_65x63":
        x, y = grid(65, 63)
        return np.stack([x // 8, y // 8, (x + y) // 16], 2).astype(np.uint8)
    if name == "checker_448x448":
        x, y = grid(448, 448)
        return np.repeat(((x + y) % 2 * 255).astype(np.uint8)[..., None], 3, 2)
    x, y = grid(640, 480)      # shapes_640x480
    out = np.full((480, 640, 3), (90, 140, 200), np.uint8)
    out[(x - 200) ** 2 + (y - 240) ** 2 < 110 ** 2] = (230, 60, 40)
    out[(abs(x - 460) < 90) & (abs(y - 200) < 120)] = (250, 240, 120)
    out[(x + 2 * y > 1300)] = (30, 90, 50)
    return out


SYNTHETIC = ["noise_37x301", "gradient_1200x500", "bars_300x2000", "dark_65x63", "checker_448x448",
             "shapes_640x480"]


def make_inputs():
    for name in SYNTHETIC:
        path = os.path.join(HERE, name + ".png")
        if not os.path.exists(path):
            Image.fromarray(picture(name)).save(path, optimize=True)
    cat = Image.open(os.path.join(HERE, "cat.png"))
    derived = {"cat_blurred": lambda: cat.filter(ImageFilter.GaussianBlur(4)),
               "cat_enlarged": lambda: cat.resize((677, 450), Image.BILINEAR).filter(ImageFilter.GaussianBlur(3))}
    for name, make in derived.items():
        path = os.path.join(HERE, name + ".png")
        if not os.path.exists(path):
            make().save(path, optimize=True)
    return SYNTHETIC + ["cat"] + list(derived)


def number_list(t):
    return [float("%.9g" % v) for v in t.double().flatten().tolist()]


@torch.no_grad()
def expected(model, sp, name):
    im = decode_managed(os.path.join(HERE, name + ".png"))
    view = make_view(im)
    stats, attr = model.attributes(view)
    tokens = model.projector.tokens(attr[None])
    before, after = prompt_chunks(sp, C.RATE_PROMPT)
    logits = model.decoder.output(model.decoder(embed(model.decoder, before, tokens, after))[0, -1])
    answers = []
    for q in QUESTIONS:
        ids, text, margin = greedy(model.decoder, sp, tokens, q)
        answers.append({"prompt": q, "ids": ids, "text": text, "margin": float("%.9g" % margin)})
    return {"file": name + ".png", "width": im.width, "height": im.height,
            "view_width": view.shape[1], "view_height": view.shape[0], "view_crc32": zlib.crc32(view.tobytes()),
            "stats": number_list(stats), "attributes": number_list(attr), "image_tokens": number_list(tokens),
            "rate_logits": number_list(logits), "answers": answers}


def main():
    torch.manual_seed(C.SEED)
    torch.set_default_dtype(torch.float64)
    sp, model = vocab.load(), Compact(C.GGUF)
    before, after = prompt_chunks(sp, C.RATE_PROMPT)
    out = {"gguf_crc32": zlib.crc32(open(C.GGUF, "rb").read()),
           "tolerance": {"stats": 1e-3, "attributes": 1e-3, "image_tokens": 1e-3, "rate_logits": 1e-3},
           "prompt": C.RATE_PROMPT, "ids_before_image": before, "ids_after_image": after,
           "words": {w: sp.encode(w)[0] for w in C.WHOLE_WORDS},
           "tokenizer": [{"text": t, "ids": sp.encode(t)} for t in TEXTS],
           "pictures": [expected(model, sp, name) for name in make_inputs()]}
    with open(os.path.join(HERE, "expected.json"), "w") as f:
        json.dump(out, f, ensure_ascii=False, separators=(",", ":"))
        f.write("\n")
    for p in out["pictures"]:
        logits = p["rate_logits"]
        l = [logits[out["words"][w]] for w in ("good", "average", "poor")]
        e = np.exp(np.array(l) - max(l))
        print("%-18s %dx%d tti %.4f %s" % (p["file"], p["view_width"], p["view_height"],
                                          (e[0] + e[1] / 2) / e.sum(), [a["text"] for a in p["answers"]]))


if __name__ == "__main__":
    main()
