/* variant_list.c: the published ways of asking, one entry each, from the code of their authors
 * (Q-Future/Q-Instruct 2a78134, Q-Future/Q-Align 14dfdff, Q-Future/Co-Instruct, haotian-liu/LLaVA
 * c121f04). Upstream's picture mark <|image|> is <image> here. A space or a line end more or less
 * changes token ids, and with them scores: tests/unit/score/test_variant.c holds the ids. */
// SPDX-License-Identifier: Apache-2.0
#include "score/variant.h"

#include <string.h>

#define RATE "Rate the quality of the image."
#define HOW(what) "How would you rate the " what " of this image?"
#define STEM(what) "The " what " of the image is"
#define CLIP_STEM "The quality of the video is"
#define CLIP_PROMPT "How would you rate the quality of this video?"

/* mPLUG-Owl2's conversation has no system text; LLaVA's llava_v1 says "human" where its vicuna_v1
 * says "user" (llava/conversation.py). */
#define OWL2_ASK "USER: {images}{prompt} ASSISTANT:"
#define LLAVA_SYSTEM(who)                                                             \
    "A chat between a curious " who " and an artificial intelligence assistant. The " \
    "assistant gives helpful, detailed, and polite answers to the " who "'s questions. "

/* Q-Align puts the picture behind the question, and was taught so. */
#define ALIGN_ASK                                                                  \
    .ask_template = "USER: {prompt}\n{images} ASSISTANT:", .ask_image = "<image>", \
    .ask_images = "<image>", .ask_join = ""
#define PICTURES_FIRST .ask_image = "<image>", .ask_images = "<image>", .ask_join = ""
#define PICTURE_LINES .ask_image = "<image>\n", .ask_images = "<image>\n", .ask_join = ""

static const QbVariant list[] = {
    {
        /* eval_scripts/mplug_owl_2/eval_image_quality.py and its boosted form */
        .name = "q-instruct-eval",
        .help = "Q-Instruct's evaluation on mPLUG-Owl2: centre crop",
        .architectures = "mplug_owl2",
        .prompt_template = "USER: <image>{prompt} ASSISTANT:",
        .rate_prompt = RATE,
        .method = "tti",
        .fit = "crop",
        .ask_template = OWL2_ASK,
        PICTURES_FIRST,
    },
    {
        /* boost_qa/model.py; boost=False reads one triad of words */
        .name = "q-instruct-scorer",
        .help = "Q-Instruct's Python scorer: a line end and a space more",
        .architectures = "mplug_owl2",
        .prompt_template = "USER: <image>{prompt}\nASSISTANT: ",
        .rate_prompt = RATE,
        .method = "tti",
        .fit = "crop",
        .ask_template = OWL2_ASK,
        PICTURES_FIRST,
    },
    {
        /* q_align/evaluate/scorer.py */
        .name = "q-align-scorer",
        .help = "Q-Align's public scorer: five levels, padded; clips as a whole",
        .architectures = "mplug_owl2",
        .prompt_template = "USER: {prompt}\n<image>\nASSISTANT: " STEM("quality"),
        .rate_prompt = HOW("quality"),
        .method = "levels",
        .fit = "pad",
        ALIGN_ASK,
        .clip_template = "USER: {prompt}\n<image>\nASSISTANT: " CLIP_STEM,
        .clip_prompt = CLIP_PROMPT,
    },
    {
        /* q_align/evaluate/iqa_eval.py and vqa_eval.py: the published tables */
        .name = "q-align-eval",
        .help = "Q-Align's evaluation on data sets: padded; clips as a whole",
        .architectures = "mplug_owl2",
        .prompt_template = "USER: {prompt}\n<image> ASSISTANT: " STEM("quality"),
        .rate_prompt = HOW("quality"),
        .method = "levels",
        .fit = "pad",
        ALIGN_ASK,
        .clip_template = "USER: {prompt}\n<image> ASSISTANT: " CLIP_STEM,
        .clip_prompt = CLIP_PROMPT,
    },
    {
        /* as q-align-scorer, but taught with pictures alone */
        .name = "deqa",
        .help = "DeQA-Score: asked as Q-Align's public scorer asks, about pictures",
        .architectures = "mplug_owl2",
        .prompt_template = "USER: {prompt}\n<image>\nASSISTANT: " STEM("quality"),
        .rate_prompt = HOW("quality"),
        .method = "levels",
        .fit = "pad",
        ALIGN_ASK,
    },
    {
        /* q_align/evaluate/scorer.py, QAlignAestheticScorer */
        .name = "q-align-scorer-aesthetics",
        .help = "Q-Align's public scorer, for aesthetics",
        .architectures = "mplug_owl2",
        .prompt_template = "USER: {prompt}\n<image>\nASSISTANT: " STEM("aesthetics"),
        .rate_prompt = HOW("aesthetics"),
        .method = "levels",
        .fit = "pad",
        ALIGN_ASK,
    },
    {
        /* q_align/evaluate/iaa_eval.py, which has the picture in front of the question */
        .name = "q-align-eval-aesthetics",
        .help = "Q-Align's evaluation on data sets, for aesthetics",
        .architectures = "mplug_owl2",
        .prompt_template = "USER: <image>{prompt} ASSISTANT: " STEM("aesthetics"),
        .rate_prompt = HOW("aesthetics"),
        .method = "levels",
        .fit = "pad",
        .ask_template = OWL2_ASK,
        PICTURES_FIRST,
    },
    {
        /* README: "USER: The image: <|image|> QUESTION ASSISTANT:" and, without a space behind the
         * last picture, "USER: The first image: <|image|>\nThe second image: <|image|>QUESTION …"
         */
        .name = "co-instruct",
        .help = "Co-Instruct: one picture, or several by number; padded",
        .architectures = "mplug_owl2",
        .prompt_template = "USER: The image: <image> {prompt} ASSISTANT:",
        .rate_prompt = RATE,
        .method = "tti",
        .fit = "pad",
        .ask_template = OWL2_ASK,
        .ask_image = "The image: <image> ",
        .ask_images = "The {nth} image: <image>",
        .ask_join = "\n",
        .pair_template = OWL2_ASK " The",
        .pair_prompt = "Which image has better quality?",
    },
    {
        /* eval_scripts/llava_v1.5/eval_image_quality.py: conv_mode llava_v1 */
        .name = "llava-eval",
        .help = "Q-Instruct's evaluation on LLaVA-1.5: \"curious human\", centre crop",
        .architectures = "llava",
        .prompt_template = LLAVA_SYSTEM("human") "USER: <image>\n{prompt} ASSISTANT:",
        .rate_prompt = RATE,
        .method = "tti",
        .fit = "crop",
        .ask_template = LLAVA_SYSTEM("human") "USER: {images}{prompt} ASSISTANT:",
        PICTURE_LINES,
    },
    {
        /* llava/eval/run_llava.py and image_aspect_ratio "pad" */
        .name = "llava",
        .help = "LLaVA-1.5's own pipeline: \"curious user\", padded",
        .architectures = "llava",
        .prompt_template = LLAVA_SYSTEM("user") "USER: <image>\n{prompt} ASSISTANT:",
        .rate_prompt = RATE,
        .method = "tti",
        .fit = "pad",
        .ask_template = LLAVA_SYSTEM("user") "USER: {images}{prompt} ASSISTANT:",
        PICTURE_LINES,
    },
};

const QbVariant *qb_variant_at(int index)
{
    return index >= 0 && index < (int)(sizeof list / sizeof *list) ? &list[index] : NULL;
}

const QbVariant *qb_variant_find(const char *name)
{
    for (int i = 0; qb_variant_at(i); i++)
        if (!strcmp(list[i].name, name))
            return &list[i];
    return NULL;
}

bool qb_variant_suits(const QbVariant *variant, const char *architecture)
{
    size_t length = strlen(architecture);
    for (const char *at = variant->architectures; (at = strstr(at, architecture)); at += length) {
        bool starts = at == variant->architectures || at[-1] == ' ';
        if (length && starts && (at[length] == 0 || at[length] == ' '))
            return true;
        if (!length)
            return false;
    }
    return false;
}
