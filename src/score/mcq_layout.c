/* mcq_layout.c: the public evaluations of Q-Bench's questions (arXiv 2309.14181, task A1), one
 * entry each. They differ in where the request for a letter stands; docs/prompts.md has them in
 * full. */
// SPDX-License-Identifier: Apache-2.0
#include "score/mcq_layout.h"

#include <stddef.h>
#include <string.h>

#define LETTER "Answer with the option's letter from the given choices directly.\n"

static const QbMcqLayout list[] = {
    {
        /* Q-Future/Q-Instruct 2a78134, eval_scripts/mplug_owl_2/eval_qbench_mcq.py; the same text
         * in Q-Future/Q-Align 14dfdff, q_align/evaluate/eval_qbench_mcq.py */
        .name = "q-instruct-owl2",
        .help = "question, options, request for the letter",
        .architecture = "mplug_owl2",
        .between = "\n",
        .after = LETTER,
    },
    {
        /* Q-Future/Q-Instruct 2a78134, eval_scripts/llava_v1.5/eval_qbench_mcq.py */
        .name = "q-instruct-llava",
        .help = "question, request for the letter, options",
        .architecture = "llava",
        .between = "\n" LETTER,
        .after = "",
    },
    {
        /* Q-Future/Q-Bench f19783e, example_code_for_idefics/a1_perception_demo.py, and the script
         * for LLaVA that its README names, llava/eval/model_vqa_qbench.py */
        .name = "q-bench",
        .help = "question, \"Choose between one of the options as follows:\", options",
        .architecture = "",
        .between = "\nChoose between one of the options as follows:\n",
        .after = "",
    },
};

enum { N_LAYOUTS = sizeof list / sizeof *list };

const QbMcqLayout *qb_mcq_layout_at(int index)
{
    return index >= 0 && index < N_LAYOUTS ? &list[index] : NULL;
}

const QbMcqLayout *qb_mcq_layout_find(const char *name)
{
    for (int i = 0; i < N_LAYOUTS; i++)
        if (!strcmp(list[i].name, name))
            return &list[i];
    return NULL;
}

const QbMcqLayout *qb_mcq_layout_for(const char *architecture)
{
    for (int i = 0; i < N_LAYOUTS; i++)
        if (!strcmp(list[i].architecture, architecture))
            return &list[i];
    return &list[N_LAYOUTS - 1];
}

const char *qb_mcq_layout_name(int index)
{
    const QbMcqLayout *layout = qb_mcq_layout_at(index);
    return layout ? layout->name : NULL;
}

const char *qb_mcq_layout_help(int index)
{
    const QbMcqLayout *layout = qb_mcq_layout_at(index);
    return layout ? layout->help : NULL;
}
