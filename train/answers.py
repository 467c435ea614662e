# SPDX-License-Identifier: Apache-2.0
"""Questions about a picture and their answers, made from the picture's known degradations.

A picture's state is a dict: `quality` (0..1), one severity (0..1) for every family of ATTRIBUTES, and measured
values (`luma_mean`, `luma_contrast`, `colourfulness`; 0..1). Yes/no questions are answered with Yes or No first.
"""
import random

RATE = ["Rate the quality of the image.", "Rate the quality of the picture.", "Rate the quality of this photo.",
        "How is the quality of the image?", "How good is the quality of this image?",
        "How would you rate the quality of this image?", "What is the quality of the image?",
        "Rate this image.", "Rate the quality of the video.", "Rate the quality of the video frame.",
        "Can you rate the quality of the image?", "How would you rate this picture?",
        "Rate the visual quality of the image.", "What do you think of the quality of this photo?",
        "Assess the quality of the image."]
RATE_PREFIXED = ["The quality of the image is", "The quality is", "The quality of the picture is",
                 "It is"]

# name -> (adjective phrase, noun phrase, families whose worst severity decides)
FAULTS = {
    "blur": ("blurry", "blur", ["blur", "motion", "pixelated", "smear"]),
    "motion": ("blurred by motion", "motion blur", ["motion"]),
    "noise": ("noisy", "noise", ["noise"]),
    "compression": ("compressed", "compression artifacts", ["compression"]),
    "dark": ("underexposed", "underexposure", ["dark", "night"]),
    "bright": ("overexposed", "overexposure", ["bright"]),
    "haze": ("hazy", "haze", ["haze"]),
    "cast": ("tinted", "a colour cast", ["cast"]),
    "oversaturated": ("oversaturated", "oversaturated colours", ["oversaturated"]),
    "pixelated": ("pixelated", "low resolution", ["pixelated"]),
    "oversharpened": ("oversharpened", "oversharpening", ["oversharpened"]),
    "banding": ("banded", "banding", ["banding"]),
    "smear": ("smeared", "lost texture", ["smear"]),
}
SYNONYMS = {
    "blur": ["blurry", "blurred", "out of focus", "unsharp", "soft"],
    "motion": ["blurred by motion", "motion blurred", "shaky"],
    "noise": ["noisy", "grainy"],
    "compression": ["compressed", "blocky", "heavily compressed"],
    "dark": ["underexposed", "too dark", "dark", "dim"],
    "bright": ["overexposed", "too bright", "washed out"],
    "haze": ["hazy", "foggy", "low in contrast", "faded"],
    "cast": ["tinted", "off in colour", "badly white balanced"],
    "oversaturated": ["oversaturated", "too colourful"],
    "pixelated": ["pixelated", "low resolution", "upscaled"],
    "oversharpened": ["oversharpened", "too sharp"],
    "banding": ["banded", "posterised"],
    "smear": ["smeared", "over smoothed"],
}
NOUNS = {
    "blur": ["blur", "defocus"], "motion": ["motion blur", "camera shake"], "noise": ["noise", "grain"],
    "compression": ["compression artifacts", "JPEG artifacts", "blocking"],
    "dark": ["underexposure"], "bright": ["overexposure"], "haze": ["haze", "fog", "low contrast"],
    "cast": ["a colour cast", "a wrong white balance"], "oversaturated": ["oversaturated colours"],
    "pixelated": ["low resolution", "pixelation"], "oversharpened": ["oversharpening", "halos"],
    "banding": ["banding"], "smear": ["lost texture", "smearing"],
}
PICTURE = ["image", "picture", "photo"]
SLIGHT, CLEAR, STRONG = 0.15, 0.4, 0.7
FLAT = 0.12           # standard deviation of luma under which contrast is called low
REFUSAL = "I can only judge how a picture looks."
OFF_TOPIC = ["What is in the image?", "Who is in the picture?", "Where was this photo taken?", "Hello!",
             "What time is it?", "Tell me a story.", "How many people are there?", "What animal is this?",
             "Describe the scene.", "What is the text in the picture?", "Write a poem."]


def severity(state, fault):
    return max(state[f] for f in FAULTS[fault][2])


def degree(s):
    return "slightly" if s < CLEAR else "clearly" if s < STRONG else "very"


def yes_no(state, fault, rng):
    """A yes/no question about one fault."""
    adjective = FAULTS[fault][0]
    pic = rng.choice(PICTURE)
    if rng.random() < 0.6:
        q = rng.choice(["Is the %s %s?", "Is this %s %s?", "Does the %s look %s?"]) % (
            pic, rng.choice(SYNONYMS[fault]))
    else:
        q = rng.choice(["Is there %s in the %s?", "Do you see %s in this %s?", "Does it have %s in the %s?"]) % (
            rng.choice(NOUNS[fault]), pic)
    s = severity(state, fault)
    if s < SLIGHT:
        return q, "No, it is not %s." % adjective
    return q, "Yes, it is %s %s." % (degree(s), adjective)


def positive(state, rng):
    """A yes/no question about a good property."""
    pic = rng.choice(PICTURE)
    sharp = max(severity(state, "blur"), severity(state, "motion"))
    exposure = max(severity(state, "dark"), severity(state, "bright"))
    worst = max(severity(state, f) for f in FAULTS)
    case = rng.randrange(7)
    if case == 0:
        q = rng.choice(["Is the %s sharp?", "Is this %s sharp?", "Is the %s in focus?", "Is this %s clear?"]) % pic
        return q, "Yes, it is sharp." if sharp < SLIGHT else "No, it is %s blurry." % degree(sharp)
    if case == 1:
        q = rng.choice(["Is the %s well exposed?", "Is the exposure of the %s good?",
                        "Is the lighting of this %s good?"]) % pic
        fault = "underexposed" if severity(state, "dark") >= severity(state, "bright") else "overexposed"
        return q, ("Yes, it is well exposed." if exposure < SLIGHT
                   else "No, it is %s %s." % (degree(exposure), fault))
    if case == 2:
        q = rng.choice(["Is the %s colourful?", "Is this %s colorful?", "Are the colours of the %s vivid?"]) % pic
        c = state["colourfulness"]
        return q, "Yes, it is colourful." if c > 0.4 else "No, the colours are dull."
    if case == 3:
        q = rng.choice(["Is the contrast of the %s low?", "Does the %s have low contrast?"]) % pic
        low = state["luma_contrast"] < FLAT
        return q, "Yes, the contrast is low." if low else "No, the contrast is not low."
    if case == 4:
        q = rng.choice(["Is the %s clean?", "Is this %s free of noise?"]) % pic
        s = severity(state, "noise")
        return q, "Yes, it is clean." if s < SLIGHT else "No, it is %s noisy." % degree(s)
    if case == 5:
        q = rng.choice(["Is the quality of the %s good?", "Is this a good %s?", "Does this %s look good?",
                        "Is this a high quality %s?"]) % pic
        good = state["quality"] > 0.5
        return q, "Yes, the quality is good." if good else "No, the quality is %s." % level(state)
    q = rng.choice(["Is anything wrong with the %s?", "Is the %s distorted?", "Is this %s degraded?"]) % pic
    return q, "No, nothing is wrong." if worst < SLIGHT else "Yes, it is %s." % FAULTS[main_fault(state)][0]


def level(state):
    q = state["quality"]
    return ("bad" if q < 0.2 else "poor" if q < 0.4 else "average" if q < 0.6
            else "good" if q < 0.85 else "excellent")


def main_fault(state):
    """The fault of the highest severity; the specific one wins over plain blur when they tie."""
    return max(FAULTS, key=lambda f: (severity(state, f) - (0.01 if f == "blur" else 0)))


def faults_of(state):
    """Faults from the worst down, three at most; a special blur hides the general one."""
    found = sorted((f for f in FAULTS if severity(state, f) >= SLIGHT), key=lambda f: -severity(state, f))
    if {"motion", "pixelated", "smear"} & set(found) and state["blur"] < SLIGHT:
        found = [f for f in found if f != "blur"]
    return found[:3]


def joined(words):
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def open_question(state, rng):
    pic = rng.choice(PICTURE)
    found = faults_of(state)
    case = rng.randrange(5)
    if case == 0:
        q = rng.choice(["What is wrong with the %s?", "What is wrong with this %s?",
                        "What problems does the %s have?", "What distortions does this %s have?",
                        "Which faults do you see in the %s?"]) % pic
        a = joined([FAULTS[f][1] for f in found]) if found else ""
        return q, (a[0].upper() + a[1:] + ".") if found else "Nothing is wrong."
    if case == 1:
        q = rng.choice(["What is the main problem of the %s?", "What is the worst distortion of this %s?",
                        "What affects the quality of the %s most?"]) % pic
        a = FAULTS[main_fault(state)][1] if found else ""
        return q, (a[0].upper() + a[1:] + ".") if found else "Nothing is wrong."
    if case == 2:
        q, a = how_question(state, rng, pic)
        return q, a
    q = rng.choice(["Describe the quality of the %s.", "Describe the quality of this %s in detail.",
                    "Describe this %s.", "Describe and evaluate the quality of the %s.",
                    "Why is the quality of the %s so?", "Explain your rating of this %s."]) % pic
    return q, description(state, found)


def how_question(state, rng, pic):
    sharp, noise = severity(state, "blur"), severity(state, "noise")
    grade = lambda s, words: words[0] if s < SLIGHT else words[1] if s < CLEAR else words[2] if s < STRONG else words[3]
    case = rng.randrange(4)
    if case == 0:
        q = rng.choice(["How sharp is the %s?", "How blurry is this %s?", "How is the sharpness of the %s?",
                        "How clear is the %s?"]) % pic
        return q, "It is %s." % grade(sharp, ["sharp", "slightly blurry", "clearly blurry", "very blurry"])
    if case == 1:
        q = rng.choice(["How noisy is the %s?", "How much noise is in this %s?"]) % pic
        return q, "It is %s." % grade(noise, ["clean", "slightly noisy", "clearly noisy", "very noisy"])
    if case == 2:
        q = rng.choice(["How is the lighting of the %s?", "How is the exposure of this %s?",
                        "How bright is the %s?"]) % pic
        d, b = severity(state, "dark"), severity(state, "bright")
        word = "underexposed" if d >= b else "overexposed"
        return q, ("It is well exposed." if max(d, b) < SLIGHT
                   else "It is %s %s." % (degree(max(d, b)), word))
    q = rng.choice(["How are the colours of the %s?", "How colourful is this %s?"]) % pic
    if severity(state, "cast") >= SLIGHT:
        return q, "The colours are tinted."
    c = state["colourfulness"]
    return q, "The colours are %s." % ("vivid" if c > 0.4 else "natural" if c > 0.15 else "dull")


def description(state, found):
    parts = []
    if found:
        parts.append("The image is %s." % joined([FAULTS[f][0] for f in found]))
    else:
        parts.append("The image is sharp, clean and well exposed.")
    if state["luma_contrast"] < FLAT:
        parts.append("The contrast is low.")
    parts.append("The quality is %s." % level(state))
    return " ".join(parts)


def sample(state, rng):
    """One (question, answer) pair about a picture."""
    r = rng.random()
    if r < 0.45:
        present = [f for f in FAULTS if severity(state, f) >= SLIGHT]
        # half of the yes/no questions ask for a fault that is there, so that Yes and No are balanced
        fault = rng.choice(present) if present and rng.random() < 0.5 else rng.choice(list(FAULTS))
        return yes_no(state, fault, rng)
    if r < 0.65:
        return positive(state, rng)
    if r < 0.97:
        return open_question(state, rng)
    return rng.choice(OFF_TOPIC), REFUSAL


def random_state(rng):
    """A state as degradation makes them: one to three faults; for the tokenizer's corpus."""
    families = sorted({f for _, _, fs in FAULTS.values() for f in fs})
    state = dict.fromkeys(families, 0.0)
    for f in rng.sample(families, rng.randrange(4)):
        state[f] = rng.uniform(0.2, 1)
    state.update(quality=rng.random(), luma_contrast=rng.uniform(0, 0.4), luma_mean=rng.random(),
                 colourfulness=rng.random())
    return state


def corpus(count, seed):
    """Conversations as text lines."""
    rng = random.Random(seed)
    lines = []
    for _ in range(count):
        q, a = sample(random_state(rng), rng)
        lines.append("USER: %s ASSISTANT: %s" % (q, a))
    return lines
