"""Fourteen defects in sequences of the real simulator: each is rejected, and for the right reason.

How small each may be before it goes unseen is what `benchmarks/quality_control.py` prints.
"""

import importlib.util
import sys
from pathlib import Path

import pytest

from backsight.collect.config import CollectConfig
from backsight.collect.plan import SequencePlan
from backsight.collect.sequence import collect_sequence
from backsight.quality.check import check_sequence, rejection_reason
from backsight.sim.embedded.simulator import EmbeddedSimulator

PATH = Path(__file__).parents[2] / "benchmarks" / "quality_defects.py"
SPEC = importlib.util.spec_from_file_location("quality_defects", PATH)
quality_defects = importlib.util.module_from_spec(SPEC)
sys.modules["quality_defects"] = quality_defects
SPEC.loader.exec_module(quality_defects)
DEFECTS = {defect.name: defect for defect in quality_defects.DEFECTS}
FOURTEEN = {
    "pose jump": ["pose jump"],
    "frozen frames": ["frozen frames", "frozen video"],
    "depth in wrong scale": ["depth in wrong scale"],
    "inverted poses": ["inverted poses"],
    "swapped intrinsics": ["swapped intrinsics: centre", "swapped intrinsics: focal length"],
    "all-black frames": ["all-black frames"],
    "blur": ["blur"],
    "holes": ["holes"],
    "wrong instance ids": ["wrong ids, all frames", "wrong ids, one frame"],
    "a relation that is false": ["false relation"],
    "an ambiguous instruction": ["ambiguous instruction"],
    "a missing frame": ["missing frame", "missing frame, unsaid"],
    "NaN": ["NaN in depth", "NaN in a pose"],
    "camera inside furniture": ["camera inside furniture"],
}
SEEN = {
    "pose jump": 0.03,
    "depth in wrong scale": 1.01,
    "swapped intrinsics: focal length": 1.05,
    "blur": 0.7,
    "holes": 0.003,
    "wrong ids, all frames": 0.01,
    "wrong ids, one frame": 0.02,
}
"""Smallest size that every sequence here must be rejected at, where the list goes below what can be seen."""

WALKS = (
    ("smooth", "room_transition", "", "flat-3", 17),
    ("same place different angles", "circular", "", "living_room-1", 19),
    ("rotation in place", "forward_backward", "rotation", "study-2", 23),
)


@pytest.fixture(scope="module")
def simulator():
    found = EmbeddedSimulator()
    found.load_scene(WALKS[0][3])
    return found


def collect(simulator, size, walk, number):
    kind, pattern, variant, scene_id, frames = walk
    for seed in range(20):
        plan = SequencePlan(
            sequence_id=f"walk-{number}",
            place_id=scene_id,
            scene_id=scene_id,
            scene_type=scene_id.split("-")[0],
            kind=kind,
            pattern=pattern,
            seed=100 * number + seed,
            num_frames=frames,
            variant=variant,
        )
        sequence = collect_sequence(plan, simulator, CollectConfig(size=size))
        told = any(stated.colour and stated.distractor_ids for stated in sequence.annotations.instructions)
        # A walk that is not what its kind promises is no clean one; collection rejects it as well.
        if told and "promise." not in rejection_reason(check_sequence(sequence)):
            return sequence
    raise AssertionError("no walk with an instruction that a colour decides")


@pytest.fixture(scope="module")
def small(simulator):
    return [collect(simulator, "94x82", walk, number) for number, walk in enumerate(WALKS)]


def test_the_list_is_whole():
    assert len(FOURTEEN) == 14
    assert sorted(name for names in FOURTEEN.values() for name in names) == sorted(DEFECTS)


def test_the_clean_sequences_are_accepted(small):
    for sequence in small:
        report = check_sequence(sequence)
        assert report.accepted, rejection_reason(report)
        assert report.recommendation.startswith("keep")
        assert len(report.scores) == 5


@pytest.mark.parametrize("name", list(DEFECTS))
def test_each_defect_is_rejected_for_the_right_reason(small, simulator, name):
    check_defect(small, simulator, DEFECTS[name])


def check_defect(sequences, simulator, defect):
    sizes = defect.sizes
    if defect.name in SEEN:
        sizes = sizes[: sizes.index(SEEN[defect.name]) + 1]
    spoilt = 0
    for sequence in sequences:
        for size in {sizes[0], sizes[-1]}:
            copy = defect.spoil(sequence, size, simulator)
            if copy is None:
                continue
            spoilt += 1
            report = check_sequence(copy)
            assert quality_defects.matches(defect, report), (defect.name, size, report.scores, report.failures[:4])
            assert report.recommendation.startswith("collect again: ")
    assert spoilt


@pytest.mark.slow
def test_at_the_size_of_a_data_set_too(simulator):
    large = [collect(simulator, "256x192", walk, number) for number, walk in enumerate(WALKS)]
    for sequence in large:
        assert check_sequence(sequence).accepted
    for defect in DEFECTS.values():
        check_defect(large, simulator, defect)
