"""What has been seen up to a current frame, as arrays over the things seen."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float64, Int64, Shaped

from backsight.collect.instructions.config import InstructConfig
from backsight.geometry.box_measures import BoxMeasures
from backsight.quality.situation import Situation
from backsight.records.scene import SceneObject
from backsight.records.scene_relations import scene_relation_matrices
from backsight.records.sequence import SequenceAnnotations
from backsight.records.vocabulary import RELATIONS, UNNAMED_CATEGORY


@dataclass(frozen=True)
class Memory:
    """What has been seen up to a current frame, as arrays over the things seen; boxes lie where they are in it."""

    situation: Situation
    categories: Shaped[np.ndarray, " things"]
    colours: Shaped[np.ndarray, " things"]
    """Names; empty where no single colour describes the thing."""
    rooms: Shaped[np.ndarray, " things"]
    """Room types."""
    room_ids: Int64[np.ndarray, " things"]
    is_target: Bool[np.ndarray, " things"]
    """Shown well, often enough, and of a known category: it may be asked for."""

    @classmethod
    def of(cls, annotations: SequenceAnnotations, current_frame: int, config: InstructConfig) -> "Memory":
        """Collect the memory of a walk up to a current frame.

        Args:
            annotations: Of the walk.
            current_frame: Last frame of the memory.
            config: How often a target must have been seen.
        """
        situation = Situation.of(annotations, current_frame)
        things, well = situation.things, situation.shown_well
        often = well.sum(axis=0) >= max(2.0, config.least_frame_share * len(well))
        is_named = np.array([thing.category != UNNAMED_CATEGORY for thing in things], dtype=bool)
        return cls(
            situation=situation,
            categories=np.array([thing.category for thing in things], dtype=np.str_),
            colours=np.array([thing.colour or "" for thing in things], dtype=np.str_),
            rooms=np.array([situation.room_type_of(thing) for thing in things], dtype=np.str_),
            room_ids=np.array([thing.room_id for thing in things], dtype=np.int64),
            is_target=(well[-1] | often) & is_named,
        )

    @property
    def current_frame(self) -> int:
        """Last frame of the memory."""
        return self.situation.frame

    @property
    def things(self) -> tuple[SceneObject, ...]:
        """Furniture seen, by rising id."""
        return self.situation.things

    @property
    def is_well_now(self) -> Bool[np.ndarray, " things"]:
        """Shown well by the current frame."""
        return self.situation.shown_well[-1]

    @property
    def is_visible(self) -> Bool[np.ndarray, " things"]:
        """Shown by the current frame so that it can be made out."""
        return self.situation.is_visible

    @cached_property
    def measures(self) -> BoxMeasures:
        """Of the boxes of the things seen."""
        return BoxMeasures([thing.box for thing in self.things])

    @cached_property
    def relations(self) -> dict[str, Bool[np.ndarray, "things things"]]:
        """Subjects and anchors of every relation of two things."""
        return scene_relation_matrices(RELATIONS, self.things, self.situation.world_from_viewer)

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """Categories seen, sorted."""
        return tuple(sorted(set(self.categories.tolist())))

    def fitting(
        self, category: str, colour: str | None = None, room_type: str | None = None
    ) -> Bool[np.ndarray, " things"]:
        """Return which things fit category and, where named, colour and room."""
        fits = self.categories == category
        if colour is not None:
            fits = fits & (self.colours == colour)
        return fits if room_type is None else fits & (self.rooms == room_type)

    @cached_property
    def _counts(self) -> dict[tuple[str, str | None], int]:
        counts: dict[tuple[str, str | None], int] = {}
        for thing in self.things:
            keys = [(thing.category, None)] + ([(thing.category, thing.colour)] if thing.colour else [])
            for key in keys:
                counts[key] = counts.get(key, 0) + 1
        return counts

    def count(self, category: str, colour: str | None = None) -> int:
        """Return how many things seen fit category and, where named, colour."""
        return self._counts.get((category, colour), 0)

    def words_for(self, index: int, with_colour: bool) -> str | None:
        """Return the words that single out a thing among all things seen, or None where there are none.

        Args:
            index: Of the thing.
            with_colour: Whether its colour may be named.
        """
        thing = self.things[index]
        if thing.category == UNNAMED_CATEGORY:
            return None
        if self.count(thing.category) == 1:
            return thing.category
        if with_colour and thing.colour is not None and self.count(thing.category, thing.colour) == 1:
            return f"{thing.colour} {thing.category}"
        return None

    def anchors(self, with_colour: bool) -> tuple[list[str], Bool[np.ndarray, " things"]]:
        """Return the words that single out each thing, empty where there are none, and where there are.

        Args:
            with_colour: Whether colours may be named.
        """
        words = [self.words_for(index, with_colour) or "" for index in range(len(self.things))]
        return words, np.array([word != "" for word in words], dtype=bool)

    def distractors_of(self, index: int) -> tuple[int, ...]:
        """Return the ids of the other things of its category."""
        same = np.flatnonzero(self.categories == self.categories[index])
        return tuple(self.things[other].instance_id for other in same if other != index)

    @cached_property
    def target_weights(self) -> Float64[np.ndarray, " things"]:
        """How much each thing is preferred as a target: with look-alikes, out of view."""
        look_alikes = np.where(self.alike(False).any(axis=1), 3.0, 1.0)
        return look_alikes * np.where(self.is_well_now, 1.0, 1.5)

    def alike(self, with_colour: bool) -> Bool[np.ndarray, "things things"]:
        """Return which two different things have one category and, where it counts, one colour.

        Args:
            with_colour: Whether colour counts.
        """
        return self._alike[int(with_colour)]

    @cached_property
    def _alike(self) -> tuple[Bool[np.ndarray, "things things"], Bool[np.ndarray, "things things"]]:
        kind = np.unique(self.categories, return_inverse=True)[1]
        colour = np.unique(self.colours, return_inverse=True)[1]
        same = (kind[:, None] == kind[None, :]) & ~np.eye(len(kind), dtype=bool)
        return same, same & (colour[:, None] == colour[None, :])
