"""Whether a sequence is what its kind promises."""

import math

from backsight.records.errors import UsageError
from backsight.records.kinds import Bound, kind_named, promise_of
from backsight.records.measures import WalkMeasures
from backsight.records.quality import Finding
from backsight.records.sequence import Sequence, SequenceAnnotations
from backsight.sim.embedded.scenes.scene_id import parse_scene_id
from backsight.storage.layout import ANNOTATIONS_FILE, path_in_dataset

CLUTTERED = 0.7
"""A scene of a walk that promises clutter has at least this level."""


def broken_promises(sequence: Sequence, measures: WalkMeasures) -> list[Finding]:
    """Return every measure that lies outside what the kind and its challenges promise, and options its scene lacks.

    Kinds that the plan does not know (imported walks, old data sets) promise nothing.

    Args:
        sequence: With sound annotations.
        measures: Of the sequence.
    """
    annotations = sequence.annotations
    kind = kind_named(annotations.kind)
    if kind is None:
        return []
    path = path_in_dataset(annotations.sequence_id, ANNOTATIONS_FILE)
    findings = [
        Finding(path, f"promise.{bound.measure}", problem)
        for bound in promise_of(kind, annotations.challenges)
        if (problem := _broken(bound, measures.value(bound.measure), kind.name)) is not None
    ]
    return findings + [Finding(path, "promise.scene_id", problem) for problem in _scene_problems(annotations)]


def _broken(bound: Bound, value: float, kind: str) -> str | None:
    # Sums of rounded shares may miss a bound by the last bit.
    slack = 1e-9 * max(1.0, abs(value))
    if bound.low - slack <= value <= bound.high + slack:
        return None
    sides = []
    if math.isfinite(bound.low):
        sides.append(f"at least {bound.low:g}")
    if math.isfinite(bound.high):
        sides.append(f"at most {bound.high:g}")
    return f"{bound.measure} is {value:.3g}, {kind!r} promises {' and '.join(sides)}"


def _scene_problems(annotations: SequenceAnnotations) -> list[str]:
    """Return options that the kind asks of its scene and that the scene's id does not have."""
    kind = kind_named(annotations.kind)
    wanted = dict(kind.scene_options) if kind is not None else {}
    clutter = "clutter" in annotations.challenges
    if not wanted and not clutter:
        return []
    try:
        scene = parse_scene_id(annotations.scene_id)
    except UsageError:
        return [f"scene {annotations.scene_id!r} is none that is made with options"]
    has = {"lighting": scene.lighting, "textures": scene.textures, "clutter": f"{scene.clutter:g}"}
    problems = [
        f"scene {annotations.scene_id!r} has {name} {has[name]}, {value} is promised"
        for name, value in wanted.items()
        if has[name] != value
    ]
    if clutter and scene.clutter < CLUTTERED:
        problems.append(f"scene {annotations.scene_id!r} has clutter {scene.clutter:g}, {CLUTTERED} is promised")
    return problems
