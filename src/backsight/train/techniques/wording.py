"""Other wordings of an instruction that mean the same."""

import re

from backsight.collect.instructions.phrases.grammar import with_article
from backsight.collect.instructions.phrases.spatial import RELATION_WORDING, SENTENCE_FRAMES


def paraphrases(text: str) -> tuple[str, ...]:
    """Return all other sentences that collection could have said the same thing with; none for other sentences.

    The sentence frame is exchanged, and the wording of the relation; category, colour, anchor and room stay. Upper and
    lower case, and blanks before punctuation, do not matter.

    Args:
        text: an instruction.
    """
    plain = re.sub(r"\s+([.?])", r"\1", text.strip()).lower()
    named = {match[1] for frame in SENTENCE_FRAMES if (match := _pattern(frame).fullmatch(plain))}
    if not named:
        return ()
    # "the" and "a" in one frame cannot both fit, so there is one thing that is named.
    things = _reworded(min(named))
    sentences = [
        frame.format(the=f"the {thing}", a=with_article(thing)) for frame in SENTENCE_FRAMES for thing in things
    ]
    return tuple(sentence for sentence in sentences if sentence.lower() != plain)


def _pattern(frame: str) -> re.Pattern[str]:
    thing = re.escape(frame.lower())
    return re.compile(thing.replace(r"\{the\}", "the (.+)").replace(r"\{a\}", "an? (.+)"))


def _reworded(thing: str) -> tuple[str, ...]:
    for wordings in RELATION_WORDING.values():
        # The longer wording first: it may hold the shorter one.
        for wording in sorted(wordings, key=len, reverse=True):
            before, found, after = thing.partition(f" {wording} the ")
            if found:
                return tuple(f"{before} {other} the {after}" for other in wordings)
    return (thing,)
