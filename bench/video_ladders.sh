#!/bin/bash
# video_ladders.sh DIR [OPTION…]: does the score fall when a video is compressed harder? Cuts each clip of DIR to
# SECONDS at 640 pixels' width without loss, encodes that with H.264, HEVC, VP9 and AV1 in six steps of growing
# quantisers, and scores all with `qboost video OPTION…`. A table in Markdown: a row for each clip and codec, the
# source's score, the six scores, and how many of the five steps between them score lower; then the sums.
# Needs the ffmpeg program with libx264, libx265, libvpx and libsvtav1.
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
[ $# -ge 1 ] && [ -d "$1" ] || { echo "usage: bench/video_ladders.sh DIR [OPTION…]" >&2; exit 2; }
folder=$1
shift
QBOOST=${QBOOST:-build/qboost}
length=${LADDER_SECONDS:-4}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

encode() { # CODEC QUANTISER IN OUT
    local -a how
    case $1 in
        H.264) how=(-c:v libx264 -preset medium -crf "$2") ;;
        HEVC) how=(-c:v libx265 -preset medium -crf "$2" -x265-params log-level=none) ;;
        VP9) how=(-c:v libvpx-vp9 -deadline good -cpu-used 4 -row-mt 1 -b:v 0 -crf "$2") ;;
        AV1) how=(-c:v libsvtav1 -preset 8 -crf "$2") ;;
    esac
    SVT_LOG=-1 nice ffmpeg -v error -y -i "$3" "${how[@]}" "$4" </dev/null
}
quantisers() { # CODEC: the scale of H.264 and HEVC ends at 51, that of VP9 and AV1 at 63
    case $1 in H.264 | HEVC) echo 18 24 30 36 42 48 ;; *) echo 20 29 38 46 54 62 ;; esac
}
score() { "$QBOOST" video -q --json "${@:2}" "$1" | sed 's/.*"score":\([^,]*\),.*/\1/'; }

echo "| clip | codec | source | step 1 | 2 | 3 | 4 | 5 | 6 | lower |"
echo "|---|---|---|---|---|---|---|---|---|---|"
for clip in "$folder"/*; do
    case ${clip,,} in *.mp4 | *.mkv | *.webm | *.mov | *.avi | *.y4m) ;; *) continue ;; esac
    ffmpeg -v error -y -t "$length" -i "$clip" -an -vf "scale=640:-2:flags=lanczos,format=yuv420p" -c:v ffv1 "$work/source.mkv" </dev/null
    source=$(score "$work/source.mkv" "$@")
    for codec in H.264 HEVC VP9 AV1; do
        scores=
        for quantiser in $(quantisers $codec); do
            encode $codec $quantiser "$work/source.mkv" "$work/step.mkv"
            scores="$scores $(score "$work/step.mkv" "$@")"
        done
        echo "$codec $source $scores" >>"$work/scores"
        echo "$source $scores" | awk -v clip="$(basename "$clip")" -v codec=$codec '{
            printf "| %s | %s", clip, codec
            for (i = 1; i <= NF; i++) { printf " | %.3f", $i; n += i > 2 && $i < $(i - 1) }
            printf " | %d of 5 |\n", n }'
    done
done
[ -s "$work/scores" ] || { echo "no clips in $folder" >&2; exit 1; }
echo
awk '{ n[$1] += NF - 3; ends[$1]++; lowest[$1] += $NF < $3
       for (i = 4; i <= NF; i++) lower[$1] += $i < $(i - 1) }
     END { split("H.264 HEVC VP9 AV1", order, " ")
           print "| codec | steps | lower | step 6 below step 1 |\n|---|---|---|---|"
           for (i = 1; i <= 4; i++) { c = order[i]
               printf "| %s | %d | %d | %d of %d |\n", c, n[c], lower[c], lowest[c], ends[c]
               all += n[c]; all_lower += lower[c]; all_ends += ends[c]; all_lowest += lowest[c] }
           printf "| all | %d | %d | %d of %d |\n", all, all_lower, all_lowest, all_ends }' "$work/scores"
