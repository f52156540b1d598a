import pytest

from backsight.collect.instructions.phrases import grammar, steps
from backsight.collect.instructions.phrases.sentences import SENTENCES, sentence, thing_slots
from backsight.collect.instructions.phrases.spatial import noun_phrase, place_phrase
from backsight.quality.claims import CLAIMS


def test_plurals_and_articles():
    words = ("chair", "box", "bookshelf", "bin", "weight bench", "teddy bear", "dish")
    assert [grammar.plural(word) for word in words] == [
        "chairs", "boxes", "bookshelves", "bins", "weight benches", "teddy bears", "dishes",
    ]  # fmt: skip
    assert grammar.with_article("orange chair") == "an orange chair"
    assert grammar.with_article("red armchair") == "a red armchair"
    assert grammar.with_article("exercise ball") == "an exercise ball"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "first"),
        (2, "second"),
        (10, "tenth"),
        (11, "11th"),
        (12, "12th"),
        (13, "13th"),
        (21, "21st"),
        (112, "112th"),
    ],
)
def test_ordinals(number, words):
    assert grammar.ordinal(number) == words


def test_counts_and_lists():
    assert [grammar.counted(n, "shelf") for n in (0, 1, 2, 12, 13)] == [
        "no shelves", "one shelf", "two shelves", "twelve shelves", "13 shelves",
    ]  # fmt: skip
    assert grammar.listed(["a"]) == "a"
    assert grammar.listed(["a", "b", "c"]) == "a, b and c"


@pytest.mark.parametrize(
    ("frame", "noun", "place", "text"),
    [
        ("Where is {the}?", ("chair", "red"), ("on the near side of", "sofa", None),
         "Where is the red chair on the near side of the sofa?"),
        ("Is there {a}?", ("armchair", "orange"), (None, None, "landing"),
         "Is there an orange armchair on the landing?"),
        ("Did we pass {a}?", ("exercise bike", None), (None, None, "gym"), "Did we pass an exercise bike in the gym?"),
        ("Find {the}.", ("cup", None), ("on", "table that is beside the blue sofa", None),
         "Find the cup on the table that is beside the blue sofa."),
    ],
)  # fmt: skip
def test_sentences_read_like_english(frame, noun, place, text):
    assert sentence(frame, thing_slots(noun_phrase(*noun), place_phrase(*place))) == text


def test_every_template_has_twelve_sentences_that_end():
    for frames in SENTENCES.values():
        assert len(set(frames)) == len(frames) >= 12
        assert all(frame[-1] in ".?" for frame in frames)


def test_each_claim_is_said_in_its_own_words():
    said = [
        steps.in_room("red chair", 7, "landing"),
        steps.colour_of("chair", 7, "red"),
        steps.seen_in_frames(7, 1),
        steps.last_seen("the red chair", 7, 12),
        steps.visible_now("chair", 7, False),
        steps.count_of_category_seen("bookshelf", 3),
        steps.relation("cup", 7, "on", "the table", (3,)),
        steps.only_one_related("table", (3, 4), "next to", "sofa", False),
        steps.order("chair", 7, (2, "left"), "second chair from the left"),
        steps.none_fits("red chair", " in the kitchen"),
    ]
    assert [step.text for step in said] == [
        "The red chair is on the landing.",
        "The chair is red.",
        "1 frame shows it well.",
        "Frame 12 is the last that shows the red chair well.",
        "The chair is not visible now.",
        "Three bookshelves were seen.",
        "The cup is on the table.",
        "Only one table is next to the sofa.",
        "The chair is the second chair from the left in view.",
        "No red chair in the kitchen was seen.",
    ]
    assert {step.claim for step in said} <= set(CLAIMS)
