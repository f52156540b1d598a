"""What every family of instructions is made from, and what it makes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32

from backsight.records.instruction import Place, Step
from backsight.records.sequence import ImaginedImages, SequenceAnnotations
from backsight.sim.simulator import Navigation


@dataclass(frozen=True)
class InstructionContext:
    """A finished walk, before anything is said of it."""

    annotations: SequenceAnnotations
    """Without instructions and routes; imagined views are there."""
    navigation: Navigation
    """Of the scene."""
    imagined: ImaginedImages | None
    """What the imagined views show."""
    favoured: str | None = None
    """Reasoning type that most of the instructions should have."""
    depth_m: Float32[np.ndarray, "frames height width"] | None = None
    """Planar depth of the frames: which pieces of floor the walk has seen. Without it none is asked for as a place."""


@dataclass(frozen=True)
class Draft:
    """An instruction that could be given at a current frame: its meaning, not yet its words."""

    reasoning_type: str
    template: str
    """Which sentences fit it: a key of `phrases.SENTENCES`."""
    slots: Mapping[str, str]
    """What is put into the sentence."""
    complexity: str
    frame_of_reference: str
    answer: str
    steps: tuple[Step, ...] = ()
    category: str | None = None
    colour: str | None = None
    relation: str | None = None
    anchor_ids: tuple[int, ...] = ()
    room_type: str | None = None
    target_instance_ids: tuple[int, ...] = ()
    target_place: Place | None = None
    imagined_view: int | None = None
    distractor_ids: tuple[int, ...] = ()
    weight: float = field(default=1.0)
    """How much it is preferred to others of its reasoning type."""
