import re
from collections import Counter
from dataclasses import fields
from pathlib import Path

import pytest

from backsight.collect.calibrate import count_loads
from backsight.collect.config import CollectConfig
from backsight.collect.kinds_in_words import AT_LEAST, AT_MOST, kinds_markdown, promise_in_words
from backsight.collect.splits import plan_splits
from backsight.records.kinds import GROUPS, KINDS, Bound
from backsight.records.measures import FocusMeasures, MotionMeasures, SceneMeasures

DOCUMENT = Path(__file__).parents[2] / "docs" / "collection.md"


def test_the_document_holds_the_table_of_the_kinds():
    assert kinds_markdown() in DOCUMENT.read_text(), "run scripts/write_plan_table.py"


def test_every_kind_has_a_line_and_its_number():
    text = kinds_markdown()
    numbers = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 7 and cells[0] not in ("kind", "---"):
            numbers[cells[0]] = int(cells[3].replace(",", ""))
    assert list(numbers) == [kind.name for kind in KINDS]
    for group, total in GROUPS.items():
        assert sum(numbers[kind.name] for kind in KINDS if kind.group == group) == total
    assert numbers["sharp turns"] == 909


def test_words_are_about_measures_that_there_are():
    known = {field.name for record in (MotionMeasures, FocusMeasures, SceneMeasures) for field in fields(record)}
    assert set(AT_LEAST) == known
    assert set(AT_MOST) <= known
    assert all(words.count("{}") == 1 for words in (*AT_LEAST.values(), *AT_MOST.values()))


def test_promises_are_read_out():
    bounds = (Bound("path_m", low=1.0), Bound("focus_share", low=0.25), Bound("path_m", low=2.5, high=3.0))
    assert promise_in_words(bounds) == (
        "2.5 m are walked; each followed thing is in 25% of the frames; no more than 3 m are walked"
    )
    assert promise_in_words((Bound("light_changes", low=1.0),)) == "the light changes once"
    assert promise_in_words((Bound("light_changes", low=2.0),)) == "the light changes 2 times"
    assert promise_in_words(()) == ""
    with pytest.raises(KeyError):
        promise_in_words((Bound("no_such_measure", low=1.0),))


def test_figures_in_the_document_are_those_of_the_plan(full_plan, thousand):
    text = re.sub(r"\s+", " ", DOCUMENT.read_text())
    places = len({plan.place_id for plan in full_plan})
    assert f"25,000 sequences are in {places:,} places and load {count_loads(full_plan):,} scenes" in text
    assert f"1,000 sequences load {count_loads(thousand)} scenes" in text
    of_place = plan_splits(thousand, CollectConfig(num_sequences=1_000))
    splits = Counter(of_place[plan.place_id] for plan in thousand)
    train, val, test = (round(splits[name] / 10) for name in ("train", "val", "test"))
    assert f"{train} / {val} / {test} at 1,000 sequences" in text
