"""Other wordings of an instruction that mean the same."""

import itertools
import re
from functools import lru_cache

from backsight.collect.instructions.phrases.grammar import with_article
from backsight.collect.instructions.phrases.sentences import sentence
from backsight.collect.instructions.phrases.spatial import SPATIAL_SENTENCES, relation_wordings
from backsight.records.vocabulary import RELATION_WORDING

_SAME = {wording: relation for relation, wordings in RELATION_WORDING.items() for wording in wordings}
_WORDINGS = re.compile(
    # The longer wording first: it may hold the shorter one.
    rf" ({'|'.join(sorted(map(re.escape, _SAME), key=len, reverse=True))}) (?=the )"
)


def paraphrases(text: str) -> tuple[str, ...]:
    """Return all other sentences that collection could have said the same thing with; none for other sentences.

    The sentence frame is exchanged, and the wording of each relation; category, colour, anchor and room stay. Upper
    and lower case, and blanks before punctuation, do not matter. Sentences about things and their relations have
    other wordings; those about changes, ways and imagined views have none here. A sentence that recalls a thing out of
    view may become one that does not, but not the other way round.

    Args:
        text: an instruction.
    """
    plain = re.sub(r"\s+([.?:,])", r"\1", text.strip()).lower()
    # Questions with a choice and rows also fit the looser frames of things.
    for template in ("choice", "row", "find", "recall"):
        frames = SPATIAL_SENTENCES[template]
        slots = next((found for frame in frames if (found := _slots(frame, plain)) is not None), None)
        if slots is not None:
            sentences = [sentence(frame, reworded) for frame in frames for reworded in _reworded(slots)]
            return tuple(one for one in sentences if one.lower() != plain)
    return ()


def _slots(frame: str, plain: str) -> dict[str, str] | None:
    """Return what fills the slots of a sentence frame; a thing without its article is `thing`."""
    match = _pattern(frame).fullmatch(plain)
    return None if match is None else {name: words for name, words in match.groupdict().items() if words is not None}


@lru_cache(maxsize=256)
def _pattern(frame: str) -> re.Pattern[str]:
    pattern = re.escape(frame.lower())
    pattern = pattern.replace(r"\{the\}", "the (?P<thing>.+)").replace(r"\{a\}", "an? (?P<thing>.+)")
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", pattern))


def _reworded(slots: dict[str, str]) -> list[dict[str, str]]:
    """Return the slots with every wording of the relations that the thing is told apart by."""
    parts = _WORDINGS.split(slots["thing"])
    choices = [
        relation_wordings(_SAME[part], parts[index + 1]) if index % 2 else (part,) for index, part in enumerate(parts)
    ]
    things = [
        "".join(f" {part} " if index % 2 else part for index, part in enumerate(chosen))
        for chosen in itertools.product(*choices)
    ]
    return [{**slots, "the": f"the {thing}", "a": with_article(thing)} for thing in things]
