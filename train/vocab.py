# SPDX-License-Identifier: Apache-2.0
"""The decoder's vocabulary: SentencePiece BPE with byte fallback, trained on the questions and answers themselves.

`python3 vocab.py` writes vocab.model here. The committed file is the shipped model's: it was trained before the last
change of answers.py, and a new one gives other ids, so `make vocab` is for a new model only. Every word a score reads must be one piece with its
leading space; training stops with an error when one is not.
"""
import os
import random
import shutil
import string

import sentencepiece as spm

import answers
import config as C

MODEL = os.path.join(os.path.dirname(__file__), "vocab.model")

# Ordinary words of questions about pictures, so that free questions are not spelt letter by letter.
COMMON = """the a an is are was be of in on at to for with and or not no yes it its this that these those there here
what which who how why when where do does did can could would should you your me my I we they more less most least very
much many some any all one two three picture image photo photograph video frame quality score rating rate sharp sharpness
blur blurry noise noisy grain dark bright light lighting exposure contrast colour color colours colors saturated detail
details texture focus foreground background subject sky face people scene edge edges compression artifact artifacts
resolution pixel pixels camera lens motion shake look looks like see seen describe explain tell give compare better worse
best worst good average poor high medium low fine acceptable bad excellent fair great terrible nice clear clean natural
realistic beautiful please think about overall level aesthetic visual perceptual low-level human eye 0 1 2 3 4 5 6 7 8 9
""".split()


def corpus_lines():
    rng = random.Random(C.SEED)
    lines = answers.corpus(20000, C.SEED)
    lines += ["USER: %s ASSISTANT: %s" % (q, w) for q in answers.RATE for w in C.WHOLE_WORDS for _ in range(40)]
    lines += ["USER: %s ASSISTANT: %s %s" % (q, p, w) for q in answers.RATE for p in answers.RATE_PREFIXED
              for w in C.WHOLE_WORDS]
    for _ in range(12000):
        lines.append(" ".join(rng.choice(COMMON) for _ in range(8)) + rng.choice(".?!,:"))
    lines.append(string.printable.strip())
    return lines


def load():
    return spm.SentencePieceProcessor(model_file=MODEL)


def train():
    os.makedirs(C.WORK, exist_ok=True)
    text = os.path.join(C.WORK, "vocab.txt")
    with open(text, "w") as f:
        f.write("\n".join(corpus_lines()) + "\n")
    spm.SentencePieceTrainer.train(
        input=text, model_prefix=os.path.join(C.WORK, "vocab"), model_type="bpe", vocab_size=C.VOCAB_SIZE, byte_fallback=True,
        character_coverage=1.0, normalization_rule_name="identity", remove_extra_whitespaces=False,
        add_dummy_prefix=True, split_digits=True, num_threads=1, shuffle_input_sentence=False,
        unk_id=0, bos_id=1, eos_id=2, pad_id=-1)
    shutil.copyfile(os.path.join(C.WORK, "vocab.model"), MODEL)
    sp = load()
    for word in C.WHOLE_WORDS:
        if len(sp.encode(word)) != 1:
            raise SystemExit("%s is not one piece: %s" % (word, sp.encode(word, out_type=str)))
    return sp


if __name__ == "__main__":
    sp = train()
    print({w: sp.encode(w)[0] for w in C.WHOLE_WORDS})
    print(sp.encode("USER: ", out_type=str), sp.encode(C.RATE_PROMPT + " ASSISTANT:", out_type=str))
