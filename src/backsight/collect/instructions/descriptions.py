"""What can be said of the things seen in a walk: descriptions that fit exactly one of them, or none."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Shaped

from backsight.geometry.relations import VIEWER_RELATIONS
from backsight.geometry.upright_boxes import footprint_gaps_m
from backsight.quality.references import objects_seen
from backsight.records.scene import SceneObject
from backsight.records.scene_relations import scene_relation_matrix
from backsight.records.sequence import SequenceAnnotations
from backsight.records.vocabulary import COLOURS, FURNITURE_CATEGORIES, UNNAMED_CATEGORY, UNNAMED_ROOM_TYPE

REASONING_OF_RELATION = {
    "left of": "left_right",
    "right of": "left_right",
    "next to": "near_far",
    "on": "above_below",
}
"""Relations that instructions are made with, and what each is solved by."""
OPPOSITE = {"left of": "right of", "right of": "left of"}
CLEARLY_APART_M = 1.0
"""Beyond this gap nobody calls two things next to each other; look-alikes nearer than this make a relation doubtful."""


@dataclass(frozen=True)
class Description:
    """A way to name one thing among those seen, or something that was not seen."""

    category: str
    reasoning_type: str
    target_id: int | None = None
    colour: str | None = None
    relation: str | None = None
    anchor_id: int | None = None
    anchor_phrase: str | None = None
    room_type: str | None = None
    weight: float = 1.0
    """How much it is preferred to others of its reasoning type."""


@dataclass(frozen=True)
class Memory:
    """What has been seen up to a current frame, as arrays over the things seen."""

    current_frame: int
    things: tuple[SceneObject, ...]
    categories: Shaped[np.ndarray, " things"]
    colours: Shaped[np.ndarray, " things"]
    """Names; empty where no single colour describes the thing."""
    rooms: Shaped[np.ndarray, " things"]
    """Room types."""
    shares: Float64[np.ndarray, "frames things"]
    """Share of each frame that shows each thing."""
    is_target: Bool[np.ndarray, " things"]
    """Shown well enough, often enough, to be asked for."""
    is_anchor_now: Bool[np.ndarray, " things"]
    """Shown well by the current frame."""
    relations: dict[str, Bool[np.ndarray, "things things"]]
    gaps_m: Float64[np.ndarray, "things things"]

    @classmethod
    def of(
        cls, annotations: SequenceAnnotations, current_frame: int, least_share: float, least_frame_share: float
    ) -> "Memory":
        """Collect the memory of a walk up to a current frame.

        Args:
            annotations: Of the walk.
            current_frame: Last frame of the memory.
            least_share: A frame shows a thing well from this share of the image on.
            least_frame_share: Share of the frames that show a target well, unless the current one does.
        """
        things = objects_seen(annotations, current_frame)
        column = {thing.instance_id: index for index, thing in enumerate(things)}
        shares = np.zeros((current_frame + 1, len(things)))
        for frame, shown in enumerate(annotations.visible_objects[: current_frame + 1]):
            for item in shown:
                shares[frame, column[item.instance_id]] = item.pixel_share
        well = shares >= least_share
        rooms = {room.room_id: room.room_type for room in annotations.rooms}
        pose = np.array(annotations.world_from_camera[current_frame], dtype=np.float64).reshape(4, 4)
        boxes = [thing.box for thing in things]
        return cls(
            current_frame=current_frame,
            things=things,
            categories=np.array([thing.category for thing in things], dtype=np.str_),
            colours=np.array([thing.colour or "" for thing in things], dtype=np.str_),
            rooms=np.array([rooms[thing.room_id] for thing in things], dtype=np.str_),
            shares=shares,
            is_target=(well[-1] | (well.sum(axis=0) >= max(2.0, least_frame_share * len(shares))))
            & np.array([thing.category != UNNAMED_CATEGORY for thing in things], dtype=bool),
            is_anchor_now=well[-1],
            relations={name: scene_relation_matrix(name, things, pose) for name in REASONING_OF_RELATION},
            gaps_m=footprint_gaps_m(boxes) if boxes else np.zeros((0, 0)),
        )

    def fitting(
        self, category: str, colour: str | None = None, room_type: str | None = None
    ) -> Bool[np.ndarray, " things"]:
        """Return which things fit category and, where named, colour and room."""
        fits = self.categories == category
        if colour is not None:
            fits = fits & (self.colours == colour)
        return fits if room_type is None else fits & (self.rooms == room_type)

    def anchor_phrase(self, anchor: int, with_colour: bool) -> str | None:
        """Return the words that single out an anchor among all things seen, or None where there are none."""
        thing = self.things[anchor]
        if thing.category == UNNAMED_CATEGORY:
            return None
        if self.fitting(thing.category).sum() == 1:
            return thing.category
        if with_colour and thing.colour is not None and self.fitting(thing.category, thing.colour).sum() == 1:
            return f"{thing.colour} {thing.category}"
        return None


def true_descriptions(memory: Memory) -> list[Description]:
    """Return every description that fits exactly one thing seen, for each thing that may be a target.

    Args:
        memory: What has been seen.
    """
    found: list[Description] = []
    anchors = {with_colour: list(_anchors(memory, with_colour)) for with_colour in (False, True)}
    for target in np.flatnonzero(memory.is_target):
        thing = memory.things[target]
        weight = 1.0 if memory.fitting(thing.category).sum() == 1 else 3.0
        weight *= 1.0 if memory.is_anchor_now[target] else 1.5
        colours = (None,) if thing.colour is None else (None, thing.colour)
        for colour in colours:
            own = {"category": thing.category, "colour": colour, "target_id": thing.instance_id, "weight": weight}
            fitting = memory.fitting(thing.category, colour)
            if fitting.sum() == 1:
                kind = "category" if colour is None else "attribute"
                found.append(Description(reasoning_type=kind, **own))
            room_type = str(memory.rooms[target])
            if room_type != UNNAMED_ROOM_TYPE and memory.fitting(thing.category, colour, room_type).sum() == 1:
                found.append(Description(reasoning_type="room", room_type=room_type, **own))
            found += [
                Description(
                    reasoning_type=REASONING_OF_RELATION[relation],
                    relation=relation,
                    anchor_id=memory.things[anchor].instance_id,
                    anchor_phrase=phrase,
                    **own,
                )
                for relation, anchor, phrase in anchors[colour is not None]
                if anchor != target and _singles_out(memory, int(target), fitting, relation, anchor)
            ]
    return found


def false_descriptions(memory: Memory, colourless: bool, rng: np.random.Generator) -> list[Description]:
    """Return descriptions that fit nothing seen, of one way of being wrong drawn from those there are.

    Ways: a category not seen, a colour that the category does not have, a relation and a room that do not hold.

    Args:
        memory: What has been seen.
        colourless: Whether they name no colour.
        rng: Draws the way, and colours for unseen categories.
    """
    seen = sorted({thing.category for thing in memory.things})
    if UNNAMED_CATEGORY in seen:
        # What is said to be absent could be one of the things without a label.
        return []
    colours_seen = sorted({thing.colour for thing in memory.things if thing.colour is not None})
    # Where a weight bench was seen, nobody can say that no bench was.
    unseen = [name for name in FURNITURE_CATEGORIES if not any(f" {one}".endswith(f" {name}") for one in seen)]
    drawn = rng.choice(sorted(COLOURS), size=len(unseen))
    ways: list[list[Description]] = [
        [_absent(name, colour) for name, given in zip(unseen, drawn, strict=True) for colour in (None, str(given))],
        [_absent(name, colour) for name in seen for colour in _wrong_colours(memory, name, colours_seen)],
        _false_relations(memory),
        [
            _absent(name, colour, room_type=room)
            for name, colour in _kinds(memory)
            for room in sorted(set(memory.rooms.tolist()) - {UNNAMED_ROOM_TYPE})
            if not memory.fitting(name, colour, room).any()
        ],
    ]
    ways = [[option for option in way if (option.colour is None) == colourless] for way in ways]
    ways = [way for way in ways if way]
    return ways[rng.integers(len(ways))] if ways else []


def _anchors(memory: Memory, with_colour: bool) -> Iterator[tuple[str, int, str]]:
    """Yield relation, anchor and its words; left and right need an anchor that the current frame shows well."""
    for anchor in range(len(memory.things)):
        phrase = memory.anchor_phrase(anchor, with_colour)
        if phrase is None:
            continue
        for relation in REASONING_OF_RELATION:
            if memory.is_anchor_now[anchor] or relation not in VIEWER_RELATIONS:
                yield relation, anchor, phrase


def _singles_out(memory: Memory, target: int, fitting: Bool[np.ndarray, " things"], relation: str, anchor: int) -> bool:
    """Whether the relation holds for the target, in the anchor's room, and for none of its look-alikes."""
    holds = memory.relations[relation][:, anchor]
    if not holds[target] or memory.things[target].room_id != memory.things[anchor].room_id:
        return False
    others = fitting.copy()
    others[target] = False
    if relation == "next to" and bool((memory.gaps_m[others, anchor] < CLEARLY_APART_M).any()):
        return False
    return not bool((holds & others).any())


def _false_relations(memory: Memory) -> list[Description]:
    """Return relations that clearly do not hold: the opposite side, or too far apart, for all of the kind."""
    anchors = {with_colour: list(_anchors(memory, with_colour)) for with_colour in (False, True)}
    wrong = {relation: memory.gaps_m > CLEARLY_APART_M for relation in REASONING_OF_RELATION}
    wrong |= {relation: memory.relations[opposite] for relation, opposite in OPPOSITE.items()}
    found: list[Description] = []
    for category, colour in _kinds(memory):
        fitting = memory.fitting(category, colour)
        others = fitting[:, None] & ~np.eye(len(fitting), dtype=bool)
        usable: dict[str, Bool[np.ndarray, " anchors"]] = {}
        for relation, holds in memory.relations.items():
            doubtful = others & (holds | ~wrong[relation])
            usable[relation] = np.logical_and(others.any(axis=0), ~doubtful.any(axis=0))
        found += [
            Description(
                category,
                "absent",
                colour=colour,
                relation=relation,
                anchor_id=memory.things[anchor].instance_id,
                anchor_phrase=phrase,
            )
            for relation, anchor, phrase in anchors[colour is not None]
            if usable[relation][anchor]
        ]
    return found


def _kinds(memory: Memory) -> list[tuple[str, str | None]]:
    """Return category alone and with colour, of everything seen."""
    pairs = {(thing.category, colour) for thing in memory.things for colour in (None, thing.colour)}
    return sorted(pairs, key=lambda pair: (pair[0], pair[1] or ""))


def _wrong_colours(memory: Memory, category: str, colours_seen: list[str]) -> list[str]:
    own = {thing.colour for thing in memory.things if thing.category == category}
    return [] if None in own else [colour for colour in colours_seen if colour not in own]


def _absent(category: str, colour: str | None, room_type: str | None = None) -> Description:
    return Description(category, "absent", colour=colour, room_type=room_type)
