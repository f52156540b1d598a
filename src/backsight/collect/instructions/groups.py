"""Things between two others, and among many."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from backsight.collect.instructions.draft import Draft
from backsight.collect.instructions.memory import Memory
from backsight.collect.instructions.pairs import draw
from backsight.collect.instructions.phrases import steps
from backsight.collect.instructions.phrases.grammar import plural
from backsight.collect.instructions.phrases.sentences import thing_slots
from backsight.collect.instructions.phrases.spatial import noun_phrase
from backsight.collect.instructions.told_apart import FLAT_CATEGORIES, Related, related_draft
from backsight.geometry.group_relations import AMONG_REACH_M, among_matrix, between_triples
from backsight.geometry.relations import LEAST_LATERAL_M
from backsight.records.vocabulary import RELATION_WORDING, UNNAMED_CATEGORY

TRIED, KEPT = 20, 6
"""Groups looked at, and drafts kept, with and without colours."""
BESIDE_LINE_M = 1.0
"""Look-alikes nearer than this to the line from anchor to anchor might be called between them."""
AMONG_DOUBT_M = 1.0 + AMONG_REACH_M
"""Look-alikes within this reach of two of the kind might be called among them."""
LEAST_ANCHOR = 0.5
"""Of the target's longest side: nobody says that a sofa is between two cups, or a table among books."""


@dataclass(frozen=True)
class _Group:
    """A target and what it is between or among."""

    relation: str
    target: int
    anchors: tuple[int, ...]
    words: str
    """The anchors, with their articles."""


def group_drafts(memory: Memory, rng: np.random.Generator) -> list[Draft]:
    """Return drafts of the reasoning type between_among.

    Args:
        memory: What has been seen.
        rng: Source of every choice.
    """
    triples = _triples(memory)
    holding = {tuple(triple) for triple in triples.tolist()}
    sensible = triples[_is_sensible(memory, triples)].tolist()
    amongs = _sensible_amongs(memory)
    found: list[Draft] = []
    for with_colour in (False, True):
        alike = memory.alike(with_colour)
        options = [*_betweens(memory, sensible, with_colour), *amongs]
        if with_colour:
            options = [group for group in options if memory.colours[group.target]]
        weights = memory.target_weights[[group.target for group in options]] if options else np.zeros(0)
        tried = draw(weights, [group.target for group in options], TRIED, rng)
        clear = [index for index in tried if not _leaves_doubt(memory, options[index], alike, holding)]
        found += [_group_draft(memory, options[index], with_colour, rng) for index in clear[:KEPT]]
    return found


def _triples(memory: Memory) -> Int64[np.ndarray, "triples 3"]:
    """Return everything between two things that could be named: subject, first and second."""
    is_pair = np.array([_is_one_of_two(memory, index) for index in range(len(memory.things))], dtype=bool)
    return between_triples(memory.measures.boxes, memory.anchors(True)[1] | is_pair)


def _is_sensible(memory: Memory, triples: Int64[np.ndarray, "triples 3"]) -> Bool[np.ndarray, " triples"]:
    """Whether target and anchors are in one room, and the anchors of other kinds, not flat, not too small beside it."""
    longest_m = _longest_m(memory)
    target, first, second = triples.T
    kind, room = memory.categories, memory.room_ids
    keep = memory.is_target[target] & (kind[target] != kind[first]) & (kind[target] != kind[second])
    keep &= (room[target] == room[first]) & (room[target] == room[second])
    keep &= ~np.isin(kind[first], FLAT_CATEGORIES) & ~np.isin(kind[second], FLAT_CATEGORIES)
    return keep & (np.minimum(longest_m[first], longest_m[second]) >= LEAST_ANCHOR * longest_m[target])


def _longest_m(memory: Memory) -> Float64[np.ndarray, " things"]:
    return np.array([max(thing.box.size_m) for thing in memory.things], dtype=np.float64)


def _betweens(memory: Memory, triples: list[list[int]], with_colour: bool) -> list[_Group]:
    """Return targets between two things that words single out."""
    words, is_anchor = memory.anchors(with_colour)
    found: list[_Group] = []
    for target, first, second in triples:
        if is_anchor[first] and is_anchor[second]:
            said = f"the {words[first]} and the {words[second]}"
        elif memory.categories[first] == memory.categories[second] and _is_one_of_two(memory, first):
            said = f"the two {plural(memory.things[first].category)}"
        else:
            continue
        found.append(_Group("between", target, (first, second), said))
    return found


def _leaves_doubt(
    memory: Memory, group: _Group, alike: Bool[np.ndarray, "things things"], holding: set[tuple[int, ...]]
) -> bool:
    """Whether a look-alike is between the anchors or near the line between them, or has two of the kind near it."""
    others = np.flatnonzero(alike[group.target])
    if group.relation == "among":
        same_kind = memory.categories == memory.categories[group.anchors[0]]
        near = (memory.measures.surface_gaps_m[others] <= AMONG_DOUBT_M) & same_kind[None, :]
        return bool((near.sum(axis=1) >= 2).any())
    if any((int(other), *group.anchors) in holding for other in others):
        return True
    centre = memory.measures.corners.mean(axis=1)
    first, second = group.anchors
    return bool((_to_line_m(centre[others], centre[first], centre[second]) < BESIDE_LINE_M).any())


def _is_one_of_two(memory: Memory, index: int) -> bool:
    category = memory.things[index].category
    return category != UNNAMED_CATEGORY and memory.count(category) == 2


def _to_line_m(
    points: Float64[np.ndarray, "points 2"], start: Float64[np.ndarray, "2"], end: Float64[np.ndarray, "2"]
) -> Float64[np.ndarray, " points"]:
    """Return how far points lie from the straight line that ends at two others."""
    line = end - start
    share = np.clip((points - start) @ line / max(float(line @ line), LEAST_LATERAL_M**2), 0.0, 1.0)
    return np.linalg.norm(points - start - share[:, None] * line, axis=1)


def _sensible_amongs(memory: Memory) -> list[_Group]:
    """Return targets among all things of another kind that stand round them."""
    number = {name: index for index, name in enumerate(memory.kinds)}
    kinds = np.array([number[thing.category] for thing in memory.things], dtype=np.int64)
    holds = among_matrix(memory.measures.boxes, kinds)
    found, longest_m = [], _longest_m(memory)
    for target, kind in np.argwhere(holds & memory.is_target[:, None]).tolist():
        near = memory.measures.surface_gaps_m[target] <= AMONG_REACH_M
        anchors = np.flatnonzero((kinds == kind) & near)
        one_room = (memory.room_ids[anchors] == memory.room_ids[target]).all()
        large = longest_m[anchors].min() >= LEAST_ANCHOR * longest_m[target]
        if kinds[target] != kind and one_room and large and memory.kinds[kind] != UNNAMED_CATEGORY:
            words = f"the {plural(memory.kinds[kind])}"
            found.append(_Group("among", target, tuple(anchors.tolist()), words))
    return found


def _group_draft(memory: Memory, group: _Group, with_colour: bool, rng: np.random.Generator) -> Draft:
    thing = memory.things[group.target]
    noun = noun_phrase(thing.category, thing.colour if with_colour else None)
    wordings = RELATION_WORDING[group.relation]
    anchor_ids = tuple(memory.things[index].instance_id for index in group.anchors)
    place = f" {wordings[rng.integers(len(wordings))]} {group.words}"
    complexity = "complex" if with_colour or group.relation == "between" else "medium"
    said = Related(group.relation, anchor_ids, with_colour, complexity)
    own_step = steps.relation(noun, thing.instance_id, group.relation, group.words, anchor_ids)
    return related_draft(memory, group.target, said, thing_slots(noun, place), (own_step,))
