"""A kind's promise is held against what was measured."""

import dataclasses
import math

import msgspec
import pytest

from backsight.quality.promises import broken_promises
from backsight.records.kinds import KINDS, kind_named, promise_of
from backsight.records.measures import FocusMeasures, MotionMeasures, SceneMeasures, WalkMeasures


def measures_of(**changes):
    """Everything zero but what is named."""
    records = []
    for record in (MotionMeasures, FocusMeasures, SceneMeasures):
        names = [field.name for field in dataclasses.fields(record)]
        records.append(record(**{name: float(changes.get(name, 0.0)) for name in names}))
    return WalkMeasures(*records)


@pytest.fixture(scope="module")
def walk(make_sequence):
    sequence = make_sequence(frames=3)

    def of_kind(kind, challenges=(), scene_id="flat-1"):
        changes = {"kind": kind, "challenges": challenges, "scene_id": scene_id}
        return dataclasses.replace(sequence, annotations=msgspec.structs.replace(sequence.annotations, **changes))

    return of_kind


def keeping(kind, challenges):
    """Measures that lie on the bounds of a promise."""
    values = {}
    for bound in promise_of(kind, challenges):
        values[bound.measure] = max(values.get(bound.measure, 0.0), bound.low if math.isfinite(bound.low) else 0.0)
    return values


def scene_of(kind, challenges):
    options = dict(kind.scene_options)
    if "clutter" in challenges:
        options["clutter"] = "0.9"
    return "shop-3" + "".join(f"+{name}={value}" for name, value in sorted(options.items()))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_bound_of_every_kind_is_held(walk, kind):
    challenges = kind.challenges or ("clutter", "changing_light", "motion_blur")[: kind.mixes]
    values = keeping(kind, challenges)
    sequence = walk(kind.name, challenges, scene_of(kind, challenges))
    assert broken_promises(sequence, measures_of(**values)) == []
    for bound in promise_of(kind, challenges):
        wrong = bound.low - 0.01 if math.isfinite(bound.low) else bound.high + 0.01
        found = broken_promises(sequence, measures_of(**(values | {bound.measure: wrong})))
        assert found
        assert {finding.field for finding in found} == {f"promise.{bound.measure}"}
        limit = bound.low if math.isfinite(bound.low) else bound.high
        assert f"{limit:g}" in found[0].problem
        assert f"{wrong:.3g}" in found[0].problem


def test_unknown_kinds_promise_nothing(walk):
    assert broken_promises(walk("viewpoint", ("motion_blur",)), measures_of()) == []


@pytest.mark.parametrize(
    ("scene_id", "right"),
    [("shop-3+textures=distinctive", True), ("shop-3", False), ("shop-3+textures=plain", False), ("hall.glb", False)],
)
def test_the_scene_has_the_options_that_the_kind_asks_for(walk, scene_id, right):
    kind = kind_named("distinctive patterns")
    found = broken_promises(walk(kind.name, (), scene_id), measures_of(**keeping(kind, ())))
    assert [finding.field for finding in found] == ([] if right else ["promise.scene_id"])


@pytest.mark.parametrize(("scene_id", "right"), [("shop-3+clutter=0.9", True), ("shop-3", False)])
def test_clutter_is_in_the_scene_and_not_only_in_the_words(walk, scene_id, right):
    found = broken_promises(walk("clutter", ("clutter",), scene_id), measures_of(things_per_frame=60.0))
    assert bool(found) != right


def test_a_measure_that_is_no_number_breaks_its_promise(walk):
    found = broken_promises(walk("smooth"), measures_of(path_m=math.nan))
    assert [finding.field for finding in found] == ["promise.path_m"]
