"""Which things can stand as target and anchor of which relation."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float64

from backsight.collect.instructions.margins import all_possible
from backsight.collect.instructions.memory import Memory
from backsight.collect.put_away import COULD_BE_IN, PUT_AWAY
from backsight.geometry.relations import VIEWER_RELATIONS
from backsight.records.vocabulary import RELATIONS

KEPT_PER_TARGET = 3
OUTSIDE_REACH_M = 1.5
"""Only what lies so near a container, and would fit into it, is said to be outside it."""
FLAT_M = 0.1
"""Nobody says that a lamp is above a rug."""
LEAST_ANCHOR = 0.4
"""Of the target's longest side: nobody says that a sofa is next to a cup."""

_Matrices = dict[str, Bool[np.ndarray, "things things"]]


@dataclass(frozen=True)
class Pairs:
    """All pairs of things seen, before it is asked whether a relation singles a thing out."""

    memory: Memory
    possible: _Matrices
    """Subject and anchor are in the relation, by the rule or by a looser eye."""
    sensible: _Matrices
    """The relation holds, in one room, between different kinds of things, and is worth saying."""

    @classmethod
    def of(cls, memory: Memory) -> "Pairs":
        """Sort all pairs of things.

        Args:
            memory: What has been seen.
        """
        same_kind = memory.alike(False) | np.eye(len(memory.things), dtype=bool)
        one_room = memory.room_ids[:, None] == memory.room_ids[None, :]
        longest_m = np.array([max(thing.box.size_m) for thing in memory.things], dtype=np.float64)
        large_enough = longest_m[None, :] >= LEAST_ANCHOR * longest_m[:, None]
        fits = one_room & ~same_kind & large_enough
        sensible = {name: memory.relations[name] & fits & _worth_saying(memory, name) for name in RELATIONS}
        return cls(memory, all_possible(memory), sensible)

    def singled_out(self, relation: str, with_colour: bool) -> Bool[np.ndarray, "things things"]:
        """Return for which subjects and anchors the relation holds for the subject alone of all that look like it.

        Args:
            relation: A name of `vocabulary.RELATIONS`.
            with_colour: Whether colour counts for looking alike.
        """
        return self._alone[int(with_colour)][relation]

    @cached_property
    def _alone(
        self,
    ) -> tuple[dict[str, Bool[np.ndarray, "things things"]], dict[str, Bool[np.ndarray, "things things"]]]:
        possible = {name: matrix.astype(np.float32) for name, matrix in self.possible.items()}
        inside = self.memory.relations["inside"].astype(np.float32)
        found = []
        for with_colour in (False, True):
            alike = self.memory.alike(with_colour).astype(np.float32)
            alone = {name: self.sensible[name] & ~(alike @ possible[name] > 0.0) for name in RELATIONS}
            # Where nothing of the kind is inside, nobody says 'outside'.
            alone["outside"] &= alike @ inside > 0.0
            if with_colour:
                alone = {name: matrix & (self.memory.colours != "")[:, None] for name, matrix in alone.items()}
            found.append(alone)
        return found[0], found[1]


def _worth_saying(memory: Memory, relation: str) -> Bool[np.ndarray, "things things"]:
    """Which subjects and anchors people would name in one breath, if the relation holds."""
    count = len(memory.things)
    worth = np.ones((count, count), dtype=bool)
    if relation in VIEWER_RELATIONS:
        # What stands before a thing is seen; what stands behind it may be hidden.
        worth &= memory.is_well_now[None, :] & (memory.is_visible | (relation == "behind"))[:, None]
    if relation in ("above", "below"):
        height_m = memory.measures.tops_m - memory.measures.bottoms_m
        worth &= (height_m >= FLAT_M)[None, :] & (height_m >= FLAT_M)[:, None]
    if relation in ("inside", "outside"):
        put_away = np.array([thing.category in PUT_AWAY for thing in memory.things], dtype=bool)
        worth &= put_away[:, None]
    if relation == "outside":
        kept = [
            [thing.category in COULD_BE_IN.get(one.category, ()) for one in memory.things] for thing in memory.things
        ]
        sides_m = np.sort(np.array([thing.box.size_m for thing in memory.things], dtype=np.float64), axis=1)
        worth &= np.array(kept, dtype=bool) & (sides_m[:, None] < sides_m[None, :]).all(axis=2)
        worth &= memory.measures.surface_gaps_m < OUTSIDE_REACH_M
    return worth


def volumes_m3(memory: Memory) -> Float64[np.ndarray, " things"]:
    """Return how large the boxes are.

    Args:
        memory: What has been seen.
    """
    return np.array([thing.box.size_m for thing in memory.things], dtype=np.float64).reshape(-1, 3).prod(axis=1)


def named_alone(memory: Memory, with_colour: bool) -> Bool[np.ndarray, " things"]:
    """Return which things are the only ones of their category and, where it counts, of their colour in it.

    Args:
        memory: What has been seen.
        with_colour: Whether colour counts; then things without one are left out.
    """
    alone = np.logical_not(memory.alike(with_colour).any(axis=1))
    return np.logical_and(alone, memory.colours != "") if with_colour else alone


def draw(
    weights: Float64[np.ndarray, " candidates"], targets: list[int], kept: int, rng: np.random.Generator
) -> list[int]:
    """Draw candidates by weight without putting them back, few of one target.

    Args:
        weights: How much each is preferred.
        targets: Target of each.
        kept: So many at most.
        rng: Source of the draw.
    """
    # The largest of log weight + Gumbel noise is a draw by weight (Efraimidis and Spirakis 2006).
    keys = np.log(np.maximum(weights, 1e-12)) + rng.gumbel(size=len(weights))
    found: list[int] = []
    so_far: dict[int, int] = {}
    for candidate in np.argsort(-keys):
        target = targets[candidate]
        if so_far.get(target, 0) < KEPT_PER_TARGET:
            so_far[target] = so_far.get(target, 0) + 1
            found.append(int(candidate))
        if len(found) == kept:
            break
    return found


def draw_pairs(
    memory: Memory, holding: dict[str, Bool[np.ndarray, "things things"]], kept: int, rng: np.random.Generator
) -> list[tuple[str, int, int]]:
    """Draw relation, target and anchor: every relation as often, targets with look-alikes and large anchors first.

    Args:
        memory: What has been seen.
        holding: Pairs to draw from.
        kept: So many at most.
        rng: Source of the draw.
    """
    weight = memory.target_weights
    size = np.sqrt(volumes_m3(memory))
    names, weights, rows = [], [np.zeros(0)], [np.zeros((0, 2), dtype=np.int64)]
    for relation, holds in holding.items():
        pairs = np.argwhere(holds)
        # People say where a small thing is by a large one, not the other way round.
        own = weight[pairs[:, 0]] * np.minimum(1.0, size[pairs[:, 1]] / size[pairs[:, 0]])
        names += [relation] * len(pairs)
        rows.append(pairs)
        weights.append(own / max(own.sum(), 1e-12))
    pairs = np.concatenate(rows)
    picked = draw(np.concatenate(weights), pairs[:, 0].tolist(), kept, rng)
    return [(names[index], int(pairs[index, 0]), int(pairs[index, 1])) for index in picked]
