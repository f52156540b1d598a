"""Counts of data sets against counting by hand; page and card."""

import json
import re
from collections import Counter

import msgspec
import numpy as np
import pytest

from backsight.cli import stats
from backsight.evaluate.dataset_counts import count_dataset, statistics_bytes
from backsight.evaluate.report.bars import bars, histogram
from backsight.evaluate.report.dataset_card import dataset_card
from backsight.evaluate.report.dataset_page import dataset_page, kind_samples
from backsight.records.dataset_statistics import DatasetStatistics
from backsight.records.errors import DataError
from backsight.records.instruction import Place, RouteInstruction
from backsight.records.kinds import KINDS, kind_named, losses_fed
from backsight.records.sequence import SceneEvent
from backsight.storage.dataset import DatasetInfo, write_dataset_info, write_splits
from backsight.storage.write import write_sequence
from factories import good_report, make_sequence

WALKS = (  # id, place, kind, pattern, challenges, frames, attempt
    ("a-0", "flat-0", "sharp turns", "random_exploration", (), 5, 0),
    ("a-1", "flat-0", "furniture", "systematic_sweep", (), 7, 2),
    ("b-0", "gym-1", "mixture of two", "challenge", ("clutter", "motion_blur"), 7, 0),
    ("b-1", "gym-1", "from elsewhere", "recorded", (), 3, 1),
)


def build(root, walks=WALKS):
    info = DatasetInfo("collected", 7, 11, 34, 22, 79.0, 2.0, "embedded", "2", "0.1.0")
    write_dataset_info(root, info)
    write_splits(root, {"flat-0": "train", "gym-1": "test", "gym-9": "val"})
    for name, place, kind, pattern, challenges, frames, attempt in walks:
        sequence = make_sequence(name, frames=frames, place_id=place, imagined=1)
        there = sequence.annotations
        asked = list(there.instructions)
        asked[0] = msgspec.structs.replace(
            asked[0], target_instance_ids=(), target_place=Place(((2.0, 0.0, 2.0),), 0.3), reasoning_type="route",
            complexity="complex", imagined_view=0,
        )  # fmt: skip
        changed = msgspec.structs.replace(
            there,
            kind=kind,
            pattern=pattern,
            challenges=challenges,
            attempt=attempt,
            scene_type=place.split("-")[0],
            instructions=tuple(asked),
            events=(SceneEvent("light_changed", 0, 1),),
            routes=(RouteInstruction("Go on.", 0, 2, (), ()),),
        )
        object.__setattr__(sequence, "annotations", changed)
        write_sequence(root, sequence, good_report(name))
    return root


@pytest.fixture(scope="module")
def statistics(tmp_path_factory) -> DatasetStatistics:
    return count_dataset(build(tmp_path_factory.mktemp("stats") / "data"))


def test_every_table_adds_up_to_all_sequences(statistics):
    total = statistics.total
    assert (total.sequences, total.frames) == (4, 22)
    for tallies in (
        statistics.splits, statistics.groups, statistics.kinds, statistics.scene_types, statistics.patterns,
        statistics.by_place,
    ):  # fmt: skip
        assert sum(tally.sequences for tally in tallies.values()) == total.sequences
        assert sum(tally.frames for tally in tallies.values()) == total.frames
        assert sum(tally.size_bytes for tally in tallies.values()) == total.size_bytes
    assert sum(statistics.files.values()) == total.size_bytes
    assert sum(count * frames for frames, count in statistics.lengths.items()) == total.frames
    assert statistics.lengths == {3: 1, 5: 1, 7: 2}
    assert statistics.attempts == {0: 2, 1: 1, 2: 1}


def test_names_get_what_is_theirs(statistics):
    assert list(statistics.kinds)[: len(KINDS)] == [kind.name for kind in KINDS]
    assert statistics.kinds["sharp turns"].frames == 5
    assert statistics.kinds["from elsewhere"].sequences == statistics.groups["other"].sequences == 1
    assert statistics.splits["val"].sequences == 0
    assert statistics.splits["test"].frames == 10
    assert {name: tally.sequences for name, tally in statistics.challenges.items()} == {"clutter": 1, "motion_blur": 1}
    fed = {name: tally.sequences for name, tally in statistics.losses.items()}
    assert fed == {"geometric": 1, "correspondence": 1, "coherence": 1, "reasoning": 1, "discrimination": 1}
    assert statistics.events == {"light_changed": 4}
    assert statistics.routes == 4
    assert statistics.targets == {"thing": 4, "place": 4, "nothing": 4, "imagined view": 4}
    assert statistics.instructions["route"] == {"complex": 4}


def test_categories_are_counted_from_what_frames_show(statistics):
    walks = [make_sequence(name, frames=frames, place_id=place).annotations for name, place, *_, frames, _ in WALKS]
    category = {thing.instance_id: thing.category for thing in walks[0].objects}
    views = Counter(category[item.instance_id] for walk in walks for shown in walk.visible_objects for item in shown)
    assert {name: count.views for name, count in statistics.categories.items()} == dict(views)
    assert list(statistics.categories) == sorted(statistics.categories, key=lambda name: (-views[name], name))
    chairs = statistics.categories["chair"]
    assert chairs.sequences <= 4 < chairs.things
    assert chairs.targets == 4


def test_every_kind_feeds_a_loss_and_every_loss_is_fed():
    fed = {loss for kind in KINDS for way in kind.ways for loss in losses_fed(kind.name, way.trajectory)}
    assert fed == {"geometric", "correspondence", "coherence", "reasoning", "discrimination"}
    assert all(losses_fed(kind.name, "") for kind in KINDS)
    assert losses_fed("from elsewhere", "recorded") == ()
    assert kind_named("from elsewhere") is None


def test_counts_survive_json(statistics):
    assert msgspec.json.decode(statistics_bytes(statistics), type=DatasetStatistics) == statistics


def test_a_data_set_without_sequences_is_refused(tmp_path):
    with pytest.raises(DataError, match="holds no sequence"):
        count_dataset(build(tmp_path, ()))


def test_the_command_prints_and_writes(tmp_path, capsys):
    root, out = build(tmp_path / "data"), tmp_path / "out"
    assert stats.run([str(root)]) == 0
    assert not out.exists()
    printed = capsys.readouterr().out
    assert "4 of 11 sequences, 22 frames" in printed
    assert "mixture of two" in printed
    assert stats.run([str(root), "--out", str(out), "--title", "Walks <b>", "--licence", "cc-by-4.0"]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["README.md", "index.html", "statistics.json"]
    page = (out / "index.html").read_text()
    assert "Walks &lt;b&gt;" in page
    assert "<b>" not in page.split("<main>")[1].split("</h1>")[0]
    assert page.count('<div class="strip">') == 4
    assert not re.search(r'(src|href)="(?!data:)', page)
    card = (out / "README.md").read_text()
    assert card.startswith("---\nlicense: cc-by-4.0\n")
    assert "| sharp turns | geometric | 1 | 5 |" in card
    assert "n<1K" in card
    assert json.loads((out / "statistics.json").read_text())["total"]["sequences"] == 4


@pytest.mark.parametrize(("option", "value"), [("--licence", "free\nfor all"), ("--title", "a: b")])
def test_words_that_would_break_the_card_are_refused(tmp_path, option, value, capsys):
    root = build(tmp_path / "data", WALKS[:1])
    with pytest.raises(SystemExit, match="2"):
        stats.run([str(root), option, value])
    assert option.removeprefix("--") in capsys.readouterr().err


def test_a_card_says_whose_scenes_they_are(statistics):
    assert "made by a program" in dataset_card(statistics, "Walks", "other")
    scans = msgspec.structs.replace(statistics, scene_types={"scan": statistics.total})
    assert "own licences" in dataset_card(scans, "Walks", "other")


def test_bars_and_columns_are_as_long_as_their_values():
    found = bars([("one <", (3.0, 1.0), "4"), ("two", (2.0,), "2")])
    assert [float(width) for width in re.findall(r"width:([0-9.]+)%", found)] == [75.0, 25.0, 50.0]
    assert "one &lt;" in found
    heights = [float(h) for h in re.findall(r'height="([0-9.]+)" rx', histogram([0, 5, 10, 0, 1], "0", "1"))]
    np.testing.assert_allclose(heights, [45.0, 90.0, 9.0])


def test_a_page_without_pictures_still_shows_counts(statistics):
    assert "A look at every kind" in dataset_page(statistics, "Walks", [])


def test_samples_come_in_the_order_of_the_plan(tmp_path):
    samples = kind_samples(build(tmp_path / "data"))
    assert [sample.kind for sample in samples] == ["sharp turns", "furniture", "mixture of two", "from elsewhere"]
    assert all(len(sample.frames) == 6 for sample in samples)
