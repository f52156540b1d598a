"""The kinds of sequences: what each is collected for, how often, how it is walked, and what it promises.

A promise is a set of bounds on measures (`records.measures`). Collection plans walks that keep it, quality control
measures the finished sequence and rejects one that does not.
"""

import math
from dataclasses import dataclass
from typing import Literal

from backsight.records.vocabulary import CHALLENGES

Need = Literal["made scene", "labels", "moving things", "lamps"]
"""What a simulator or its scenes must have: scene ids with options, things with ids and categories, things that can be
moved, lamps that can be dimmed."""
Change = Literal["seen", "unseen"]
"""Whether a thing is moved while the walk looks at it, or while it is out of view."""


@dataclass(frozen=True)
class Bound:
    """A range that a measure must lie in."""

    measure: str
    """A field of one of the records in `records.measures`."""
    low: float = -math.inf
    high: float = math.inf


@dataclass(frozen=True)
class Way:
    """How a walk goes."""

    trajectory: str
    """A name of `vocabulary.TRAJECTORIES`."""
    variant: str = ""
    """What the trajectory's planner makes of it; empty is its usual form."""
    frames: tuple[int, int] | None = None
    """Shortest and longest, where this way needs other lengths than its kind."""


@dataclass(frozen=True)
class Kind:
    """One kind of sequence."""

    name: str
    group: str
    topic: str
    """What its neighbours in the table are about."""
    weight: int
    """Inside its group."""
    ways: tuple[Way, ...]
    """Used in turn."""
    promise: tuple[Bound, ...]
    """Beside those of its challenges."""
    scene_types: tuple[str, ...] = ()
    """Made scenes that can host it; empty: all."""
    scene_options: tuple[tuple[str, str], ...] = ()
    """Options of the scene's id."""
    reasoning_type: str | None = None
    """Reasoning type that its instructions are mostly about."""
    challenges: tuple[str, ...] = ()
    mixes: int = 0
    """So many different challenges are drawn for each sequence."""
    change: Change | None = None
    needs: tuple[Need, ...] = ()
    frames: tuple[int, int] | None = None
    """Shortest and longest, where they are not those of the configuration."""


GEOMETRIC, CORRESPONDENCE, REASONING, CHALLENGE = "geometric", "correspondence", "reasoning", "challenge"
GROUPS: dict[str, int] = {GEOMETRIC: 10_000, CORRESPONDENCE: 8_000, REASONING: 5_000, CHALLENGE: 2_000}
"""Groups and their sequences of 25,000; the weights of a group's kinds share these out."""

_REASONING_FRAMES = (24, 48)
_COVERAGE = Way("coverage", frames=(48, 64))
"""In less time hardly a room can be seen from floor to ceiling: 32 frames show 65 to 80 % of 15 square metres."""
_COVERED = Bound("coverage_share", low=0.85)
"""Of walks that planned no coverage the share is 1."""
_HOUSE = ("two_storey_house",)
_SEVERAL_ROOMS = ("two_storey_house", "flat")
_ASKED = (Bound("kind_instructions", low=2.0),)


def _reasoning(name: str, topic: str, weight: int, reasoning_type: str, *ways: Way) -> Kind:
    return Kind(
        name,
        REASONING,
        topic,
        weight,
        ways,
        _ASKED,
        reasoning_type=reasoning_type,
        needs=("labels",),
        frames=_REASONING_FRAMES,
    )


_GEOMETRIC_KINDS = (
    Kind(
        "smooth",
        GEOMETRIC,
        "camera poses",
        3000,
        (Way("temporally_coherent"), Way("room_transition")),
        (Bound("path_m", low=1.0),),
    ),
    Kind(
        "sharp turns",
        GEOMETRIC,
        "camera poses",
        2000,
        (Way("random_exploration", "sharp turns"),),
        (Bound("sharp_turns", low=2.0),),
    ),
    Kind(
        "vertical motion",
        GEOMETRIC,
        "camera poses",
        1500,
        (Way("room_transition", "stairs"),),
        (Bound("height_range_m", low=1.0),),
        scene_types=_HOUSE,
        frames=(24, 64),
    ),
    Kind(
        "complex 3d paths",
        GEOMETRIC,
        "camera poses",
        1500,
        (_COVERAGE, Way("random_exploration", "complex")),
        (Bound("pitch_range_deg", low=30.0), Bound("turn_deg", low=180.0), _COVERED),
    ),
    Kind(
        "forward",
        GEOMETRIC,
        "depth consistency",
        2000,
        (Way("forward_backward", "forward"),),
        (Bound("forward_share", low=0.8), Bound("path_m", low=1.0)),
    ),
    Kind(
        "backward",
        GEOMETRIC,
        "depth consistency",
        2000,
        (Way("forward_backward", "backward"),),
        (Bound("backward_share", low=0.8), Bound("path_m", low=1.0)),
    ),
    Kind(
        "lateral",
        GEOMETRIC,
        "depth consistency",
        2000,
        (Way("forward_backward", "lateral"),),
        (Bound("sideways_share", low=0.8), Bound("path_m", low=1.0)),
    ),
    Kind(
        "rotation in place",
        GEOMETRIC,
        "depth consistency",
        1000,
        (Way("forward_backward", "rotation"),),
        (Bound("path_m", high=0.5), Bound("turn_deg", low=180.0)),
    ),
    Kind(
        "same place different angles",
        GEOMETRIC,
        "viewpoint change",
        3000,
        (Way("circular"), Way("viewpoint_diverse")),
        (Bound("view_spread_deg", low=60.0),),
    ),
    Kind(
        "same object different distances",
        GEOMETRIC,
        "viewpoint change",
        2000,
        (Way("object_focused", "distances"),),
        (Bound("focus_share", low=0.6), Bound("focus_distance_ratio", low=1.8)),
        needs=("labels",),
    ),
    Kind(
        "occlusion",
        GEOMETRIC,
        "viewpoint change",
        2000,
        (Way("object_focused", "occlusion"),),
        (Bound("focus_share", low=0.25), Bound("focus_hidden_share", low=0.1)),
        needs=("labels",),
    ),
)

_CORRESPONDENCE_KINDS = (
    Kind(
        "single object",
        CORRESPONDENCE,
        "object tracking",
        2000,
        (Way("object_focused"),),
        (Bound("focus_share", low=0.8), Bound("view_spread_deg", low=30.0)),
        needs=("labels",),
    ),
    Kind(
        "several objects",
        CORRESPONDENCE,
        "object tracking",
        1500,
        (Way("relation_focused", "several"),),
        (Bound("focus_count", low=3.0), Bound("focus_share", low=0.4)),
        needs=("labels",),
    ),
    Kind(
        "appearing and disappearing",
        CORRESPONDENCE,
        "object tracking",
        1000,
        (Way("object_focused", "reappearing"),),
        (Bound("focus_returns", low=1.0), Bound("focus_share", low=0.2)),
        needs=("labels",),
    ),
    Kind(
        "wall corners",
        CORRESPONDENCE,
        "scene elements",
        1000,
        (Way("systematic_sweep", "corners"),),
        (Bound("corner_share", low=0.5),),
    ),
    Kind(
        "doors and windows",
        CORRESPONDENCE,
        "scene elements",
        1000,
        (Way("systematic_sweep", "openings"), Way("room_transition")),
        (Bound("opening_share", low=0.4),),
        needs=("labels",),
    ),
    Kind(
        "furniture",
        CORRESPONDENCE,
        "scene elements",
        1500,
        (Way("systematic_sweep"), _COVERAGE),
        (Bound("furniture_per_frame", low=2.0), _COVERED),
        needs=("labels",),
    ),
    Kind(
        "distinctive patterns",
        CORRESPONDENCE,
        "texture",
        1000,
        (Way("systematic_sweep"), Way("circular")),
        (Bound("overlap_next", low=0.4),),
        scene_options=(("textures", "distinctive"),),
        needs=("made scene",),
    ),
    Kind(
        "repetitive patterns",
        CORRESPONDENCE,
        "texture",
        500,
        (Way("systematic_sweep"), Way("circular")),
        (Bound("overlap_next", low=0.4),),
        scene_options=(("textures", "repetitive"),),
        needs=("made scene",),
    ),
)

_RELATIONS, _VIEWPOINT, _TIME = "spatial relations", "change of viewpoint", "time"
_REASONING_KINDS = (
    _reasoning("behind and in front", _RELATIONS, 800, "front_behind", Way("relation_focused")),
    _reasoning("left and right", _RELATIONS, 800, "left_right", Way("relation_focused")),
    _reasoning("above and below", _RELATIONS, 600, "above_below", Way("relation_focused")),
    _reasoning("inside and outside", _RELATIONS, 600, "inside_outside", Way("relation_focused")),
    _reasoning("near and far", _RELATIONS, 700, "near_far", Way("relation_focused")),
    _reasoning("what would I see if", _VIEWPOINT, 600, "what_if", Way("viewpoint_diverse"), Way("random_exploration")),
    _reasoning(
        "where is it from here", _VIEWPOINT, 600, "where_from_here", Way("random_exploration"), Way("room_transition")
    ),
    _reasoning("how do I get there", _VIEWPOINT, 500, "route", Way("room_transition")),
    Kind(
        "object motion",
        REASONING,
        _TIME,
        400,
        (Way("object_focused"), Way("circular")),
        (*_ASKED, Bound("moved_in_view", low=1.0)),
        reasoning_type="object_motion",
        change="seen",
        needs=("labels", "moving things"),
        frames=_REASONING_FRAMES,
    ),
    _reasoning("own trajectory", _TIME, 400, "own_trajectory", Way("random_exploration"), Way("room_transition")),
    Kind(
        "scene change",
        REASONING,
        _TIME,
        500,
        (Way("temporally_coherent", "return"),),
        (*_ASKED, Bound("moved_unseen", low=1.0)),
        reasoning_type="scene_change",
        change="unseen",
        needs=("labels", "moving things"),
        frames=_REASONING_FRAMES,
    ),
)


def _challenging(challenge: str) -> Kind:
    needs: dict[str, tuple[Need, ...]] = {
        "heavy_occlusion": ("labels",),
        "changing_light": ("lamps",),
        "clutter": ("made scene",),
        "scale_variation": ("labels",),
    }
    return Kind(
        challenge.replace("_", " "),
        CHALLENGE,
        "single challenges",
        250,
        (Way("challenge"),),
        (),
        challenges=(challenge,),
        needs=needs.get(challenge, ()),
    )


_CHALLENGE_KINDS = (
    *(_challenging(challenge) for challenge in CHALLENGES),
    *(
        Kind(
            f"mixture of {number}",
            CHALLENGE,
            "mixtures",
            weight,
            (Way("challenge"),),
            (),
            mixes=mixes,
            needs=("made scene", "lamps"),
            frames=(32, 64),
        )
        for number, mixes, weight in (("two", 2, 400), ("three", 3, 250), ("four", 4, 100))
    ),
)

CHALLENGE_PROMISES: dict[str, tuple[Bound, ...]] = {
    "heavy_occlusion": (Bound("focus_hidden_share", low=0.2),),
    "changing_light": (Bound("light_changes", low=1.0), Bound("brightness_ratio", low=1.3)),
    "clutter": (Bound("things_per_frame", low=6.0),),
    "scale_variation": (Bound("focus_distance_ratio", low=4.0),),
    "motion_blur": (Bound("blur_px", low=1.0),),
}
"""What each challenge promises, alone or in a mixture; scale: from half to twice a distance."""

KINDS: tuple[Kind, ...] = (*_GEOMETRIC_KINDS, *_CORRESPONDENCE_KINDS, *_REASONING_KINDS, *_CHALLENGE_KINDS)
"""The whole plan."""
_BY_NAME = {kind.name: kind for kind in KINDS}


def kind_named(name: str) -> Kind | None:
    """Return the kind of that name; None for sequences that were not collected by this plan.

    Args:
        name: As annotations hold it.
    """
    return _BY_NAME.get(name)


def promise_of(kind: Kind, challenges: tuple[str, ...]) -> tuple[Bound, ...]:
    """Return everything that a sequence promises.

    Args:
        kind: Of the sequence.
        challenges: Of the sequence; for mixtures those that were drawn.
    """
    return kind.promise + tuple(bound for challenge in challenges for bound in CHALLENGE_PROMISES[challenge])


def losses_fed(kind: str, pattern: str) -> tuple[str, ...]:
    """Return which of the five losses a sequence is meant for, by their names; docs/training.md says what each needs.

    Args:
        kind: Of the sequence.
        pattern: How it was walked.
    """
    known = kind_named(kind)
    group = None if known is None else known.group
    fed = {
        "geometric": group == GEOMETRIC,
        "correspondence": group == CORRESPONDENCE,
        "coherence": pattern in ("systematic_sweep", "coverage"),
        "reasoning": group in (REASONING, CHALLENGE),
        "discrimination": pattern in ("viewpoint_diverse", "random_exploration"),
    }
    return tuple(name for name, feeds in fed.items() if feeds)
