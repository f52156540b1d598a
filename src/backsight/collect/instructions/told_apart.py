"""Things told apart by one relation to another thing, and questions which of two relations holds."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int64

from backsight.collect.instructions.draft import Draft
from backsight.collect.instructions.memory import Memory
from backsight.collect.instructions.pairs import Pairs, draw_pairs, named_alone
from backsight.collect.instructions.phrases import steps
from backsight.collect.instructions.phrases.grammar import plural, with_article
from backsight.collect.instructions.phrases.sentences import asking_template, thing_slots
from backsight.collect.instructions.phrases.spatial import noun_phrase, place_phrase, relation_wordings
from backsight.collect.instructions.whereabouts import whereabouts_answer, whereabouts_steps
from backsight.geometry.relations import VIEWER_RELATIONS
from backsight.quality.answers import CHOICES, VISIBLE_ANSWER, choice_answer
from backsight.quality.reasoning import REASONING_OF_RELATION
from backsight.records.instruction import Step
from backsight.records.vocabulary import RELATIONS, UNNAMED_CATEGORY

KEPT, KEPT_CHOICES = 6, 3
"""Drafts kept of each reasoning type, and of each pair of relations to choose from, with and without colours."""

FLAT_CATEGORIES = ("rug", "mat")
"""Nobody asks whether these are on or under a thing: they lie on the floor."""
RARELY_ASKED = {"outside": 0.3, "on": 0.5, "near": 0.65}
"""Things are outside of most containers, on what they are not under, and near what they are told by: so much less often
is that the answer."""


def pair_drafts(memory: Memory, pairs: Pairs, rng: np.random.Generator) -> list[Draft]:
    """Return drafts that ask for the thing in a relation to another, of every reasoning type there is.

    Args:
        memory: What has been seen.
        pairs: Its pairs.
        rng: Source of every choice.
    """
    found: list[Draft] = []
    for with_colour in (False, True):
        words, is_anchor = memory.anchors(with_colour)
        alone = {
            relation: pairs.singled_out(relation, with_colour) & memory.is_target[:, None] & is_anchor[None, :]
            for relation in RELATIONS
        }
        for relations in _by_reasoning_type().values():
            for drawn in draw_pairs(memory, {name: alone[name] for name in relations}, KEPT, rng):
                found.append(_pair_draft(memory, drawn, words[drawn[2]], with_colour, rng))
    return found


def held_drafts(memory: Memory, pairs: Pairs, rng: np.random.Generator) -> list[Draft]:
    """Return drafts such as 'the green box inside a bookshelf', where words do not tell one bookshelf from the others.

    Args:
        memory: What has been seen.
        pairs: Its pairs.
        rng: Source of every choice.
    """
    found: list[Draft] = []
    inside, possible = pairs.sensible["inside"], pairs.possible["inside"]
    for with_colour in (False, True):
        alike = memory.alike(with_colour)
        for index, anchor in np.argwhere(inside & memory.is_target[:, None]).tolist():
            thing, category = memory.things[index], memory.things[anchor].category
            of_kind = memory.categories == category
            in_doubt = possible[np.ix_(alike[index], of_kind)].any() or of_kind.sum() < 2
            if in_doubt or category == UNNAMED_CATEGORY or (with_colour and thing.colour is None):
                continue
            noun, words = noun_phrase(thing.category, thing.colour if with_colour else None), with_article(category)
            anchor_ids = tuple(memory.things[other].instance_id for other in np.flatnonzero(of_kind))
            wordings = relation_wordings("inside", category)
            slots = thing_slots(noun, f" {wordings[rng.integers(len(wordings))]} {words}")
            said = Related("inside", anchor_ids, with_colour, "complex" if with_colour else "medium")
            held_by = (memory.things[anchor].instance_id,)
            own_step = steps.relation(noun, thing.instance_id, "inside", words, held_by)
            found.append(related_draft(memory, index, said, slots, (own_step,)))
    return found


def shelf_choice_drafts(memory: Memory, pairs: Pairs, rng: np.random.Generator) -> list[Draft]:
    """Return drafts such as 'is the vase inside or outside the bookshelves?', where there are several near it.

    Args:
        memory: What has been seen.
        pairs: Its pairs.
        rng: Source of every choice.
    """
    found: list[Draft] = []
    inside, outside = pairs.sensible["inside"], pairs.sensible["outside"]
    # Outside of all, and so clearly that nobody would say inside.
    clear = memory.relations["outside"] & ~pairs.possible["inside"]
    for with_colour in (False, True):
        for index in np.flatnonzero(memory.is_target & named_alone(memory, with_colour)).tolist():
            for category in memory.kinds:
                of_kind = memory.categories == category
                if of_kind.sum() < 2 or category in (UNNAMED_CATEGORY, memory.categories[index]):
                    continue
                held = bool((inside[index] & of_kind).any())
                if held or ((outside[index] & of_kind).any() and clear[index, of_kind].all()):
                    relation = "inside" if held else "outside"
                    options = ("inside", "outside") if rng.random() < 0.5 else ("outside", "inside")
                    anchors = np.flatnonzero(of_kind & (inside[index] | ~held)).tolist()
                    said = (relation, index, anchors)
                    found.append(_shelf_choice_draft(memory, said, np.flatnonzero(of_kind), options, with_colour))
    return found


def choice_drafts(memory: Memory, pairs: Pairs, rng: np.random.Generator) -> list[Draft]:
    """Return questions which of two relations holds between two things that words alone single out.

    Args:
        memory: What has been seen.
        pairs: Its pairs.
        rng: Source of every choice.
    """
    found: list[Draft] = []
    for with_colour in (False, True):
        words, is_anchor = memory.anchors(with_colour)
        own = memory.is_target & named_alone(memory, with_colour)
        for options in CHOICES:
            seen = memory.is_well_now if options[0] in VIEWER_RELATIONS else np.ones(len(own), dtype=bool)
            asked = (own & seen)[:, None] & is_anchor[None, :]
            if options == ("on", "under"):
                asked &= ~np.isin(memory.categories, FLAT_CATEGORIES)[:, None]
            holding = {relation: pairs.sensible[relation] & asked for relation in options}
            for drawn in draw_pairs(memory, holding, KEPT_CHOICES, rng):
                swapped = options if rng.random() < 0.5 else (options[1], options[0])
                found.append(_choice_draft(memory, drawn, words[drawn[2]], swapped, with_colour))
    return found


def _by_reasoning_type() -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for relation in RELATIONS:
        grouped.setdefault(REASONING_OF_RELATION[relation], []).append(relation)
    return grouped


def _pair_draft(
    memory: Memory, said: tuple[str, int, int], anchor_words: str, with_colour: bool, rng: np.random.Generator
) -> Draft:
    relation, index, anchor = said
    thing = memory.things[index]
    noun = noun_phrase(thing.category, thing.colour if with_colour else None)
    wordings = relation_wordings(relation, anchor_words)
    place = place_phrase(wordings[rng.integers(len(wordings))], anchor_words, None)
    anchor_ids = (memory.things[anchor].instance_id,)
    said_of_it = Related(relation, anchor_ids, with_colour, "complex" if with_colour else "medium")
    own_step = steps.relation(noun, thing.instance_id, relation, f"the {anchor_words}", anchor_ids)
    return related_draft(memory, index, said_of_it, thing_slots(noun, place), (own_step,))


@dataclass(frozen=True)
class Related:
    """What an instruction says of its target."""

    relation: str
    anchor_ids: tuple[int, ...]
    with_colour: bool
    """Whether the target's colour is named."""
    complexity: str
    """A name of `vocabulary.COMPLEXITIES`."""


def related_draft(
    memory: Memory, index: int, said: Related, slots: dict[str, str], own_steps: tuple[Step, ...]
) -> Draft:
    """Return the draft of an instruction that asks for a thing in a relation.

    Args:
        memory: What has been seen.
        index: Of the target.
        said: Of the target.
        slots: What is put into the sentence.
        own_steps: Steps that lead to the target; where it was seen follows them.
    """
    thing = memory.things[index]
    colour, answer = thing.colour if said.with_colour else None, whereabouts_answer(memory, index)
    return Draft(
        reasoning_type=REASONING_OF_RELATION[said.relation],
        template=asking_template(answer == VISIBLE_ANSWER),
        slots=slots,
        complexity=said.complexity,
        frame_of_reference="viewer" if said.relation in VIEWER_RELATIONS else "world",
        answer=answer,
        steps=(*own_steps, *whereabouts_steps(memory, index, noun_phrase(thing.category, colour))),
        category=thing.category,
        colour=colour,
        relation=said.relation,
        anchor_ids=said.anchor_ids,
        target_instance_ids=(thing.instance_id,),
        distractor_ids=memory.distractors_of(index),
        weight=float(memory.target_weights[index]),
    )


def _shelf_choice_draft(
    memory: Memory,
    said: tuple[str, int, list[int]],
    of_kind: Int64[np.ndarray, " kind"],
    options: tuple[str, str],
    with_colour: bool,
) -> Draft:
    relation, index, anchors = said
    words = plural(memory.things[anchors[0]].category)
    draft = _choice_draft(memory, (relation, index, anchors[0]), words, options, with_colour)
    thing, ids = memory.things[index], tuple(memory.things[other].instance_id for other in anchors)
    own_words = with_article(memory.things[anchors[0]].category) if relation == "inside" else f"the {words}"
    noun = noun_phrase(thing.category, thing.colour if with_colour else None)
    step = steps.relation(noun, thing.instance_id, relation, own_words, ids[:1] if relation == "inside" else ids)
    all_ids = tuple(memory.things[other].instance_id for other in of_kind.tolist())
    return replace(draft, anchor_ids=all_ids, steps=(draft.steps[0], step))


def _choice_draft(
    memory: Memory, said: tuple[str, int, int], anchor_words: str, options: tuple[str, str], with_colour: bool
) -> Draft:
    relation, index, anchor = said
    thing = memory.things[index]
    noun = noun_phrase(thing.category, thing.colour if with_colour else None)
    anchor_ids = (memory.things[anchor].instance_id,)
    said_of_it = Related(relation, anchor_ids, with_colour, "medium" if with_colour else "simple")
    # 'left or right of the sofa', but 'near or far from the sofa'.
    first = options[0].removesuffix(" of") if options[0] in ("left of", "right of") else options[0]
    slots = {"the": f"the {noun}", "first": first, "second": options[1], "anchor": f"the {anchor_words}"}
    return replace(
        related_draft(memory, index, said_of_it, slots, ()),
        template="choice",
        answer=choice_answer(relation),
        weight=float(memory.target_weights[index]) * RARELY_ASKED.get(relation, 1.0),
        steps=(
            steps.count_of_category_seen(thing.category, memory.count(thing.category)),
            steps.relation(noun, thing.instance_id, relation, f"the {anchor_words}", anchor_ids),
        ),
    )
