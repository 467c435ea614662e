# SPDX-License-Identifier: Apache-2.0
"""Every constant of the embedded model `compact` in one place: view, tower, projector, decoder, words, seeds.

The other files of this folder read them from here; docs/models/compact.md says what they mean.
"""
import os

SEED = 20261123

# Work files (photo cache, canvases, features, checkpoints). Nothing in it is committed.
WORK = os.environ.get("QBOOST_TRAIN_WORK", os.path.join(os.path.dirname(__file__), "work"))
GGUF = os.path.join(os.path.dirname(__file__), "..", "models", "qboost-compact-v0.gguf")
NAME, VERSION = "qboost-compact", "0"

# View (contract, section 1).
SHORT_SIDE, MAX_LONG_SIDE, MIN_SIDE = 448, 896, 64
IMAGE_MEAN = (127 / 255,) * 3     # the published weights were trained on (u8 - 127) / 128
IMAGE_STD = (128 / 255,) * 3

# Tower: EfficientNet-Lite0 (github.com/tensorflow/tpu, models/official/efficientnet/lite), head convolution dropped.
BN_EPS = 1e-3
STEM_OUT = 32
#                kernel stride expand out  repeats
TOWER_STAGES = [(3, 1, 1, 16, 1), (3, 2, 6, 24, 2), (5, 2, 6, 40, 2), (3, 2, 6, 80, 3),
                (5, 1, 6, 112, 3), (5, 2, 6, 192, 4), (3, 1, 6, 320, 1)]
STAT_BLOCKS = [-1, 0, 2, 4, 7, 10, 14, 15]   # the stem and the last block of every stage
STAT_EPS = 1e-5

# Projector. `quality` must stay first: the rating targets are a function of it.
ATTRIBUTES = ["quality", "blur", "motion", "noise", "compression", "dark", "bright", "haze", "cast",
              "oversaturated", "pixelated", "oversharpened", "banding", "smear", "night", "pristine",
              "ms_ssim", "gmsd", "vifp", "luma_mean", "luma_contrast", "colourfulness", "sharpness",
              "clipped"]
N_IMAGE_TOKENS = 8

# Decoder.
N_EMBD, N_LAYER, N_HEAD, N_HEAD_KV, N_FF = 128, 4, 4, 2, 384
CONTEXT = 256
RMS_EPS, ROPE_BASE = 1e-5, 10000.0
VOCAB_SIZE = 768
TEMPLATE = "USER: <image>{prompt} ASSISTANT:"
RATE_PROMPT = "Rate the quality of the image."

# Words a score may read, each one piece with its leading space: (word, mu, prior). The rating target of word w at
# quality q is proportional to exp(RATE_SLOPE * (mu * z - mu^2 / 2) + prior), z = 2 q - 1: log-linear in the quality,
# so that every group (TTI, MPE, binary, five levels) gives a score that grows with q and never saturates.
RATE_SLOPE = 5.0
RATE_WORDS = [("good", 0.8, 1.5), ("average", 0.0, 1.5), ("poor", -0.8, 1.5),
              ("high", 0.8, 0.0), ("medium", 0.0, 0.0), ("low", -0.8, 0.0),
              ("fine", 0.8, 0.0), ("acceptable", 0.0, 0.0), ("bad", -1.2, 0.0),
              ("excellent", 1.2, 0.0), ("fair", 0.0, 0.0)]
WHOLE_WORDS = [w for w, _, _ in RATE_WORDS] + ["Yes", "No"]
