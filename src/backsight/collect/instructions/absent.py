"""Descriptions that fit nothing seen: absent kinds, wrong colours, relations and rooms that do not hold."""

from dataclasses import replace

import numpy as np

from backsight.collect.instructions.draft import Draft, InstructionContext
from backsight.collect.instructions.margins import possible
from backsight.collect.instructions.memory import Memory
from backsight.collect.instructions.phrases import steps
from backsight.collect.instructions.phrases.sentences import asking_template, thing_slots
from backsight.collect.instructions.phrases.spatial import noun_phrase, place_phrase, relation_wordings
from backsight.collect.instructions.plausible import plausible_categories
from backsight.collect.put_away import KEPT_IN, PUT_AWAY
from backsight.geometry.relations import VIEWER_RELATIONS
from backsight.quality.answers import ABSENT_ANSWER
from backsight.records.vocabulary import (
    COLOURS,
    FURNITURE_CATEGORIES,
    UNNAMED_CATEGORY,
    UNNAMED_ROOM_TYPE,
)

KEPT = 8
"""Drafts returned."""
VISIBLE_SHARE = 0.5
"""Of things asked for, how many are in view: so many absent ones are asked for as if they could be."""
TOPS = (
    "table",
    "cabinet",
    "desk",
    "bench",
    "counter",
    "stool",
    "chair",
    "bed",
    "sofa",
    "armchair",
    "bookshelf",
    "piano",
)
ROOFS = ("table", "desk", "bench", "bed", "chair", "counter")
"""What small things are looked for on, and under."""
OPPOSITE = {"left of": "right of", "right of": "left of", "in front of": "behind", "behind": "in front of"}
DENIED = (*OPPOSITE, "next to", "on", "under", "inside")
"""Relations that are said of things that are not in them; the others are true, or false, of nearly everything."""


def absent_drafts(
    context: InstructionContext, memory: Memory, colourless: bool, rng: np.random.Generator
) -> list[Draft]:
    """Return descriptions that fit nothing seen, of one way of being wrong drawn from those there are.

    Ways: a kind not seen, a colour that the kind does not have, a relation and a room that do not hold.

    Args:
        context: The walk.
        memory: What has been seen.
        colourless: Whether they name no colour.
        rng: Source of every choice.
    """
    if UNNAMED_CATEGORY in memory.categories or not memory.things:
        # What is said to be absent could be one of the things without a label.
        return []
    makers = (
        lambda: _unseen_kinds(context, memory, colourless, rng),
        lambda: [] if colourless else _wrong_colours(memory),
        lambda: _false_relations(memory, colourless, rng),
        lambda: _wrong_rooms(memory, colourless),
    )
    for way in rng.permutation(len(makers)):
        made = makers[way]()
        if made:
            # As often as of what was seen, of which about a half is in view, the wording recalls it.
            template = asking_template(bool(rng.random() < VISIBLE_SHARE))
            kept = [made[index] for index in rng.permutation(len(made))[:KEPT]]
            return [_with_distractors(replace(draft, template=template), memory) for draft in kept]
    return []


def _with_distractors(draft: Draft, memory: Memory) -> Draft:
    same = tuple(thing.instance_id for thing in memory.things if thing.category == draft.category)
    return replace(draft, distractor_ids=same)


def _unseen_kinds(
    context: InstructionContext, memory: Memory, colourless: bool, rng: np.random.Generator
) -> list[Draft]:
    # Where a weight bench was seen, nobody can say that no bench was.
    unseen = [name for name in FURNITURE_CATEGORIES if not any(f" {one}".endswith(f" {name}") for one in memory.kinds)]
    likely = plausible_categories(context.annotations.objects, memory.rooms.tolist())
    names = [name for name in unseen if name in likely] or unseen
    drawn = rng.choice(sorted(COLOURS), size=len(names))
    return [_absent(name, None if colourless else str(given)) for name, given in zip(names, drawn, strict=True)]


def _wrong_colours(memory: Memory) -> list[Draft]:
    seen = sorted({thing.colour for thing in memory.things if thing.colour is not None})
    found = []
    for category in memory.kinds:
        own = {thing.colour for thing in memory.things if thing.category == category}
        if None not in own:
            found += [_absent(category, colour) for colour in seen if colour not in own]
    return found


def _wrong_rooms(memory: Memory, colourless: bool) -> list[Draft]:
    rooms = sorted(set(memory.rooms.tolist()) - {UNNAMED_ROOM_TYPE})
    return [
        _absent(category, colour, room_type=room)
        for category, colour in _described(memory, colourless)
        for room in rooms
        if not memory.fitting(category, colour, room).any()
    ]


def _described(memory: Memory, colourless: bool) -> list[tuple[str, str | None]]:
    """Return the categories seen, or the categories with the colours seen."""
    if colourless:
        return [(category, None) for category in memory.kinds]
    return sorted({(thing.category, thing.colour) for thing in memory.things if thing.colour is not None})


def _false_relations(memory: Memory, colourless: bool, rng: np.random.Generator) -> list[Draft]:
    """Return relations that clearly do not hold for anything of the kind, though they could."""
    words, has_words = memory.anchors(with_colour=not colourless)
    area_m2 = np.array([thing.box.size_m[0] * thing.box.size_m[2] for thing in memory.things], dtype=np.float64)
    takes = {
        (relation, category): np.array(
            [category in _taken(relation, one.category) for one in memory.things], dtype=bool
        )
        for relation in ("on", "under", "inside")
        for category in memory.kinds
    }
    found: list[Draft] = []
    for relation in DENIED:
        maybe = possible(memory, relation)
        for category, colour in _described(memory, colourless):
            fits = np.flatnonzero(memory.fitting(category, colour))
            if relation in OPPOSITE:
                clear = memory.relations[OPPOSITE[relation]][fits].all(axis=0) & memory.is_well_now
            else:
                clear = ~maybe[fits].any(axis=0)
            if relation in ("on", "under", "inside"):
                # Nobody looks for a sofa on a fridge, or for a cup on a picture.
                clear &= takes[relation, category] & (area_m2[fits].max() < area_m2)
            anchors = np.flatnonzero(clear & has_words & (memory.categories != category))
            if len(anchors):
                anchor = int(anchors[rng.integers(len(anchors))])
                found.append(_false_relation(memory, (category, colour), relation, anchor, words[anchor], rng))
    return found


def _taken(relation: str, anchor: str) -> frozenset[str] | tuple[str, ...]:
    """Return what people expect on, under or inside a thing of a category."""
    if relation == "inside":
        return KEPT_IN.get(anchor, ())
    return PUT_AWAY if anchor in (TOPS if relation == "on" else ROOFS) else ()


def _false_relation(
    memory: Memory,
    described: tuple[str, str | None],
    relation: str,
    anchor: int,
    words: str,
    rng: np.random.Generator,
) -> Draft:
    wordings = relation_wordings(relation, words)
    said = place_phrase(wordings[rng.integers(len(wordings))], words, None)
    return _absent(*described, related=(relation, memory.things[anchor].instance_id, said))


def _absent(
    category: str,
    colour: str | None,
    *,
    room_type: str | None = None,
    related: tuple[str, int, str] | None = None,
) -> Draft:
    noun = noun_phrase(category, colour)
    place = place_phrase(None, None, room_type) if related is None else related[2]
    conditions = (colour is not None) + 2 * (related is not None) + 2 * (room_type is not None)
    return Draft(
        reasoning_type="absent",
        template="find",
        slots=thing_slots(noun, place),
        complexity="simple" if conditions < 2 else "medium" if conditions == 2 else "complex",
        frame_of_reference="viewer" if related is not None and related[0] in VIEWER_RELATIONS else "world",
        answer=ABSENT_ANSWER,
        steps=(steps.none_fits(noun, place),),
        category=category,
        colour=colour,
        relation=None if related is None else related[0],
        anchor_ids=() if related is None else (related[1],),
        room_type=room_type,
    )
