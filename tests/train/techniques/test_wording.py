import pytest

from backsight.collect.instructions.phrases.sentences import sentence, thing_slots
from backsight.collect.instructions.phrases.spatial import (
    CHOICE_FRAMES,
    ROW_FRAMES,
    SENTENCE_FRAMES,
    noun_phrase,
    place_phrase,
)
from backsight.records.vocabulary import RELATION_WORDING
from backsight.train.techniques.wording import paraphrases

THINGS = [
    ("armchair", None, None, None, None),
    ("chair", "red", None, None, "kitchen"),
    ("box", "orange", "on", "blue table", None),
    ("lamp", None, "left of", "sofa", "living room"),
    ("plant", "green", "next to", "white bookshelf", "study"),
    ("cup", None, "between", "sink and the kettle", None),
    ("picture", "teal", "far from", "bed", None),
    ("mat", None, "among", "dumbbells", None),
]


def all_sentences(category, colour, relation, anchor, room) -> set[str]:
    noun = noun_phrase(category, colour)
    wordings = RELATION_WORDING[relation] if relation else (None,)
    slots = [thing_slots(noun, place_phrase(w, anchor, room)) for w in wordings]
    return {sentence(frame, one) for frame in SENTENCE_FRAMES for one in slots}


@pytest.mark.parametrize("thing", THINGS)
def test_every_sentence_has_all_others_of_the_same_meaning_and_no_more(thing):
    everything = all_sentences(*thing)
    for text in everything:
        assert set(paraphrases(text)) == everything - {text}


def test_both_relations_of_a_chain_are_reworded():
    found = paraphrases("Find the cup on the table that is next to the sofa.")
    assert "Where is the cup on top of the table that is beside the sofa?" in found
    assert len(found) == len(SENTENCE_FRAMES) * 4 - 1


def test_questions_with_a_choice_and_rows_keep_their_meaning():
    slots = {"the": "the red chair", "first": "left", "second": "right of", "anchor": "the sofa"}
    choices = {sentence(frame, slots) for frame in CHOICE_FRAMES}
    rows = {sentence(frame, {"the": "the second chair from the left"}) for frame in ROW_FRAMES}
    for everything in (choices, rows):
        for text in everything:
            assert set(paraphrases(text)) == everything - {text}


def test_case_and_blanks_do_not_matter():
    assert set(paraphrases("where is the red chair ?")) == set(paraphrases("Where is the red chair?"))


@pytest.mark.parametrize("text", ["", "Turn left at the door and stop.", "Where is", "Where is the?"])
def test_other_sentences_stay_as_they_are(text):
    assert paraphrases(text) == ()
