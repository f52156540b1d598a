import pytest

from backsight.collect.instructions.phrases import (
    RELATION_WORDING,
    SENTENCE_FRAMES,
    noun_phrase,
    place_phrase,
    sentence,
)
from backsight.train.techniques.wording import paraphrases

THINGS = [
    ("armchair", None, None, None, None),
    ("chair", "red", None, None, "kitchen"),
    ("box", "orange", "on", "blue table", None),
    ("lamp", None, "left of", "sofa", "living room"),
    ("plant", "green", "next to", "white bookshelf", "study"),
]


def all_sentences(category, colour, relation, anchor, room) -> set[str]:
    noun = noun_phrase(category, colour)
    wordings = RELATION_WORDING[relation] if relation else (None,)
    return {sentence(frame, noun, place_phrase(w, anchor, room)) for frame in SENTENCE_FRAMES for w in wordings}


@pytest.mark.parametrize("thing", THINGS)
def test_every_sentence_has_all_others_of_the_same_meaning_and_no_more(thing):
    everything = all_sentences(*thing)
    for text in everything:
        assert set(paraphrases(text)) == everything - {text}


def test_case_and_blanks_do_not_matter():
    assert set(paraphrases("where is the red chair ?")) == set(paraphrases("Where is the red chair?"))


@pytest.mark.parametrize("text", ["", "Turn left at the door and stop.", "Where is", "Where is the?"])
def test_other_sentences_stay_as_they_are(text):
    assert paraphrases(text) == ()
