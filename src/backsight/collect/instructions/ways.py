"""A way over the floor taken apart: where it turns, which rooms and stairs it goes through, what it goes past."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from jaxtyping import Float64

from backsight.collect.instructions.naming import Name
from backsight.collect.instructions.phrases import routes as phrases
from backsight.collect.instructions.rooms import NO_ROOM, rooms_of
from backsight.geometry.upright_boxes import footprint_corners
from backsight.records.instruction import Step
from backsight.records.scene import Room, SceneObject
from backsight.records.vocabulary import UNNAMED_ROOM_TYPE

SPACING_M = 0.1
CHORD_M = 0.8
"""A turn is what lies between the directions of the way so far before and so far behind a point."""
LEAST_TURN_RAD = np.radians(50.0)
AROUND_RAD = np.radians(140.0)
"""From here on nobody says to which side."""
APART_M = 1.2
"""Between two turns."""
LEAST_STAY_M = 0.4
"""What is shorter in a room is no visit."""
DOORSTEP_M = 0.1
"""A way that begins with less in a room begins in its doorway."""
DOORWAY_M = 0.15
"""Who stands no farther from a door's footprint stands in the doorway: beside it a body keeps farther off."""
DOOR_REACH_M = 0.5
"""Between a door's footprint and the spot where a way changes rooms."""
PASSED_M = (0.1, 1.3)
"""Nearest and farthest footprint of what is gone past."""
LANDMARK_SIDE_M, LANDMARK_HEIGHT_M = 0.5, 0.4
"""Longest side and top above the floor that a landmark has at least."""
HANGS_M = 0.5
"""What has its bottom higher above the floor hangs on a wall and is no landmark."""
TOLD_M = 1.5
"""From here on it is said how far it is to a turn."""
ENDS_M = 0.8
"""What lies so near to an end of the way is not gone past."""
STAIRS_M = 1.1
"""Change of height that makes stairs worth telling; quality control wants a metre."""


@dataclass(frozen=True)
class Clause:
    """A part of a way in words."""

    at_m: float
    """Along the way."""
    text: str
    step: Step


@dataclass(frozen=True)
class Way:
    """A way, sampled evenly."""

    points_m: Float64[np.ndarray, "samples 3"]
    along_m: Float64[np.ndarray, " samples"]
    """Length of the way up to each sample, seen from above; not cut short where samples lie about a corner."""
    corners_m: Float64[np.ndarray, "corners 3"]
    """What it was made from."""

    @classmethod
    def of(cls, points_m: Float64[np.ndarray, "points 3"]) -> "Way":
        """Return a way along straight lines.

        Args:
            points_m: Corners, on the floor.
        """
        steps_m = np.linalg.norm(np.diff(points_m[:, [0, 2]], axis=0), axis=1)
        along = np.concatenate([[0.0], np.cumsum(steps_m)])
        wanted = np.linspace(0.0, along[-1], max(int(np.ceil(along[-1] / SPACING_M)), 1) + 1)
        return cls(
            np.stack([np.interp(wanted, along, points_m[:, axis]) for axis in range(3)], axis=1), wanted, points_m
        )

    @property
    def length_m(self) -> float:
        """Seen from above."""
        return float(self.along_m[-1])

    def at(self, along_m: float) -> tuple[float, float, float]:
        """Return a point of the way.

        Args:
            along_m: Length of the way up to it; what lies beyond an end is the end.
        """
        x, y, z = (round(float(np.interp(along_m, self.along_m, self.points_m[:, axis])), 4) for axis in range(3))
        return x, y, z

    def first(self, length_m: float) -> Float64[np.ndarray, "points 3"]:
        """Return its beginning.

        Args:
            length_m: How much of it.
        """
        inside = self.points_m[self.along_m < length_m]
        return np.concatenate([inside, np.array([self.at(length_m)])])

    @cached_property
    def turns_rad(self) -> Float64[np.ndarray, " samples"]:
        """Turn of the way about each sample, left is positive; 0 near the ends."""
        reach = round(CHORD_M / SPACING_M)
        turns = np.zeros(len(self.points_m))
        if len(turns) > 2 * reach:
            flat = self.points_m[:, 0] - 1j * self.points_m[:, 2]
            before, after = flat[reach:-reach] - flat[: -2 * reach], flat[2 * reach :] - flat[reach:-reach]
            # A way that comes back on itself has short chords beside its end point: they point anywhere.
            clear = np.minimum(np.abs(before), np.abs(after)) >= CHORD_M / 2
            turns[reach:-reach] = np.where(clear, np.angle(after * np.conj(before)), 0.0)
        return turns

    def turns(self) -> list[Clause]:
        """Return the clear turns, in order."""
        found: list[Clause] = []
        for index in np.argsort(-np.abs(self.turns_rad), kind="stable"):
            turn = float(self.turns_rad[index])
            at_m = float(self.along_m[index])
            if abs(turn) < LEAST_TURN_RAD:
                break
            if all(abs(at_m - other.at_m) >= APART_M for other in found):
                side = "around" if abs(turn) >= AROUND_RAD else "left" if turn > 0 else "right"
                step = Step(f"The way turns {side}.", "turns", word=side, number=at_m, points_m=(self.at(at_m),))
                found.append(Clause(at_m, phrases.turn_clause(side), step))
        return sorted(found, key=lambda clause: clause.at_m)

    def visits(self, rooms: Sequence[Room], doors: Sequence[SceneObject]) -> list[tuple[int, float]]:
        """Return the rooms in order, each with how far along the way it is entered.

        Args:
            rooms: Of the scene.
            doors: Of the scene; a way that ends in a doorway visits no room behind it.
        """
        found: list[tuple[int, float]] = []
        inside = rooms_of(self.points_m, rooms)
        ends_in_door = door_at(self.points_m[-1], doors, DOORWAY_M) is not None
        starts = [0, *(np.flatnonzero(np.diff(inside)) + 1).tolist(), len(inside)]
        for start, end in pairwise(starts):
            room, last = int(inside[start]), found[-1][0] if found else NO_ROOM
            if start == 0:
                least_m = 0.0 if end == len(inside) else DOORSTEP_M
            else:
                least_m = 0.0 if end == len(inside) and not ends_in_door else LEAST_STAY_M
            long_enough = self.along_m[end - 1] - self.along_m[start] >= least_m
            if room not in (NO_ROOM, last) and long_enough:
                found.append((room, float(self.along_m[start])))
        return found

    def entries(self, rooms: Sequence[Room], doors: Sequence[SceneObject]) -> list[Clause]:
        """Return what leads from room to room: doors, stairs, openings.

        Args:
            rooms: Of the scene.
            doors: Of the scene.
        """
        found: list[Clause] = []
        types = {room.room_id: room.room_type for room in rooms}
        floors_m = {room.room_id: room.floor_m for room in rooms}
        visits = self.visits(rooms, doors)
        for (before, _), (after, at_m) in pairwise(visits):
            between_storeys = abs(floors_m[after] - floors_m[before]) >= STAIRS_M
            if between_storeys or types[after] == UNNAMED_ROOM_TYPE:
                continue
            door = door_at(np.array(self.at(at_m)), doors)
            text = f"The way leads from the {types[before]} {phrases.into_room(types[after])}."
            step = Step(
                text,
                "enters_room",
                subject_id=None if door is None else door.instance_id,
                other_ids=(before, after),
                word=types[after],
                number=at_m,
                points_m=(self.at(at_m),),
            )
            found.append(Clause(at_m, phrases.entering_clause(types[after], door is not None), step))
        return found + self._stairs()

    def _stairs(self) -> list[Clause]:
        """Return the stairs that the way takes up or down as a whole, where it has climbed a first half metre."""
        rise_m = self.points_m[:, 1] - self.points_m[0, 1]
        if abs(float(rise_m[-1])) < STAIRS_M:
            return []
        up = bool(rise_m[-1] > 0)
        index = int(np.argmax(np.abs(rise_m) >= STAIRS_M / 2))
        word = "up" if up else "down"
        step = Step(f"The way leads {word} the stairs.", "takes_stairs", word=word)
        return [Clause(float(self.along_m[index]), phrases.stairs_clause(up), step)]

    def passed(self, names: Sequence[Name], things: Sequence[SceneObject]) -> list[Clause]:
        """Return the landmarks that the way goes past, in order.

        Args:
            names: Of things that can be told apart.
            things: Their boxes, by the names' index.
        """
        found: list[Clause] = []
        flat = self.points_m[:, [0, 2]]
        for name in names:
            box = things[name.index].box
            centre = np.array([box.centre_m[0], box.centre_m[2]])
            nearest = int(np.argmin(((flat - centre) ** 2).sum(axis=1)))
            at_m = float(self.along_m[nearest])
            inside = ENDS_M <= at_m <= self.length_m - ENDS_M
            if not inside or not is_landmark(things[name.index], float(self.points_m[nearest, 1])):
                continue
            apart_m = gap_m(flat[nearest], things[name.index])
            side = self._side(nearest, centre)
            if PASSED_M[0] <= apart_m <= PASSED_M[1] and side is not None:
                text = f"The way goes past {name.words} on the {side}."
                step = Step(
                    text, "passes", subject_id=name.instance_id, word=side, number=at_m, points_m=(self.at(at_m),)
                )
                found.append(Clause(at_m, phrases.passing_clause(name.words, side), step))
        return sorted(found, key=lambda clause: clause.at_m)

    def _side(self, index: int, centre: Float64[np.ndarray, "2"]) -> str | None:
        """Return the side of the way on which a point lies; None where it is not clearly beside it."""
        reach = round(CHORD_M / SPACING_M) // 2
        first, last = max(index - reach, 0), min(index + reach, len(self.points_m) - 1)
        along = (self.points_m[last] - self.points_m[first])[[0, 2]]
        offset = centre - self.points_m[index, [0, 2]]
        left = along[1] * offset[0] - along[0] * offset[1]
        angle = abs(float(np.arctan2(left, along @ offset)))
        if not np.radians(60.0) < angle < np.radians(120.0) or np.linalg.norm(along) < CHORD_M / 2:
            return None
        return "left" if left > 0 else "right"


def door_at(
    point_m: Float64[np.ndarray, "3"], doors: Sequence[SceneObject], reach_m: float = DOOR_REACH_M
) -> SceneObject | None:
    """Return the nearest door within reach on the same storey.

    Args:
        point_m: On the floor.
        doors: Of the scene.
        reach_m: Farthest from a door's footprint.
    """
    near = [
        (gap_m(point_m[[0, 2]], door), door.instance_id, door)
        for door in doors
        if abs(door.box.centre_m[1] - door.box.size_m[1] / 2 - point_m[1]) < 0.5
    ]
    reached = [entry for entry in near if entry[0] <= reach_m]
    return min(reached, key=lambda entry: entry[:2])[2] if reached else None


def is_landmark(thing: SceneObject, floor_m: float) -> bool:
    """Return whether a thing stands on a floor and is large enough to find the way by.

    Args:
        thing: Of the scene.
        floor_m: Height of the floor on which one walks.
    """
    middle_m, height_m = thing.box.centre_m[1], thing.box.size_m[1]
    bottom_m, top_m = middle_m - height_m / 2 - floor_m, middle_m + height_m / 2 - floor_m
    return max(thing.box.size_m) >= LANDMARK_SIDE_M and top_m >= LANDMARK_HEIGHT_M and -0.5 < bottom_m < HANGS_M


def gap_m(point: Float64[np.ndarray, "2"], thing: SceneObject) -> float:
    """Return the distance of a point (x, z) from a thing's footprint.

    Args:
        point: World x and z.
        thing: Of the scene.
    """
    corners = footprint_corners([thing.box])[0]
    first, second = corners[1] - corners[0], corners[3] - corners[0]
    offset = point - corners.mean(axis=0)
    sides = np.array([np.linalg.norm(first), np.linalg.norm(second)])
    axes = np.stack([first / max(sides[0], 1e-9), second / max(sides[1], 1e-9)])
    return float(np.linalg.norm(np.maximum(np.abs(axes @ offset) - sides / 2, 0.0)))


def merged(turns: list[Clause], entries: list[Clause], passed: list[Clause], most: int) -> list[Clause]:
    """Return clauses in order, the landmarks thinned out: none next to each other and none near a turn or a door.

    Args:
        turns: They all stay.
        entries: They all stay.
        passed: Landmarks.
        most: Clauses, unless there are more turns and rooms.
    """
    kept = turns + entries
    for clause in passed:
        clear = all(abs(clause.at_m - other.at_m) >= APART_M for other in kept)
        if clear and len(kept) < most:
            kept.append(clause)
    kept.sort(key=lambda clause: clause.at_m)
    return [_placed(clause, kept[index - 1] if index else None) for index, clause in enumerate(kept)]


def _placed(clause: Clause, before: Clause | None) -> Clause:
    """Return a turn with how far it is from the turn before it, or from the start, where that is some way."""
    from_start = before is None or before.step.claim == "turns"
    after_m = clause.at_m - (0.0 if before is None else before.at_m)
    if clause.step.claim != "turns" or not from_start or after_m < TOLD_M:
        return clause
    return Clause(clause.at_m, phrases.turn_clause(clause.step.word or "", after_m), clause.step)
