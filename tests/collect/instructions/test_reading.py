"""What a reader stumbled over, mended: each sort of mend by an example, with the old words where they were wrong."""

import re

import pytest

from backsight.collect.instructions.bearings import DIRECTIONS, from_here_steps
from backsight.collect.instructions.own_walk import _from_words
from backsight.collect.instructions.phrases.routes import entering_clause
from backsight.collect.instructions.phrases.sentences import SENTENCES, asking_template
from backsight.collect.instructions.phrases.spatial import RECALL_FRAMES, relation_wordings
from backsight.quality import references_of_change
from backsight.quality.routes import told_in_order
from backsight.records.instruction import Step
from backsight.train.techniques.wording import paraphrases


def test_sentences_about_places_say_whose_front_and_back_it_is():
    said = {word: from_here_steps("the plant", 4, f"{word}, about 3 metres away")[0].text for word in DIRECTIONS}
    assert said["behind"] == "The plant is behind me."
    assert said["ahead to the left"] == "The plant is ahead of me to the left."
    assert said["to the right"] == "The plant is to my right."
    assert len(set(said.values())) == 8


def test_where_one_came_from_has_a_front_and_a_back():
    assert [_from_words(word) for word in ("ahead", "ahead to the right", "behind to the left", "to the left")] == [
        "from the front", "from the front on the right", "from behind on the left", "from the left",
    ]  # fmt: skip
    for word in DIRECTIONS:
        assert _from_words(word) == references_of_change._from_words(word)


def test_a_landing_is_stepped_onto():
    assert entering_clause("landing", True) == "go through the door onto the landing"
    assert entering_clause("kitchen", False) == "go on into the kitchen"
    step = Step("The way leads from the bedroom onto the landing.", "enters_room", word="landing")
    assert told_in_order("Go through the door onto the landing, then stop there.", [step], []) is None
    assert told_in_order("Go through the door into the landing, then stop there.", [step], []) == "onto the landing"


@pytest.mark.parametrize(
    ("relation", "anchor", "wordings"),
    [
        ("in front of", "blue picture", ("in front of",)),
        ("in front of", "sofa", ("in front of", "on the near side of")),
        ("behind", "picture that is left of the bed", ("behind",)),
        ("behind", "chair that is left of the picture", ("behind", "on the far side of")),
        ("on", "green rug", ("on",)),
        ("on", "table", ("on", "on top of")),
    ],
)
def test_what_hangs_has_no_far_side_and_what_is_flat_no_top(relation, anchor, wordings):
    assert relation_wordings(relation, anchor) == wordings


def test_paraphrases_keep_to_the_wordings_that_fit():
    found = paraphrases("Find the cup in front of the picture.")
    assert found
    assert not any("near side" in text for text in found)


def test_nobody_goes_back_to_what_is_in_view():
    assert not set(SENTENCES[asking_template(True)]) & set(RECALL_FRAMES)
    assert set(SENTENCES[asking_template(False)]) >= set(RECALL_FRAMES)
    recalled = paraphrases("Go back to the lamp.")
    assert "Where was the lamp?" in recalled
    assert "Find the lamp." in recalled
    assert not set(paraphrases("Find the lamp.")) & set(recalled) & {"Where was the lamp?", "Take me back to the lamp."}


def test_a_room_is_asked_for_by_in_which_room():
    for template, frames in SENTENCES.items():
        if template.startswith("room_"):
            assert all(re.search(r"\bin (which|what) room\b", frame.lower()) for frame in frames)


def test_the_middle_is_no_side():
    assert not any("side" in frame for frame in SENTENCES["what_if_where"])
