"""Things told apart by one relation to another thing, and questions which of two relations holds."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from backsight.collect.instructions.draft import Draft
from backsight.collect.instructions.margins import all_possible
from backsight.collect.instructions.memory import Memory
from backsight.collect.instructions.phrases import steps
from backsight.collect.instructions.phrases.sentences import thing_slots
from backsight.collect.instructions.phrases.spatial import RELATION_WORDING, noun_phrase, place_phrase
from backsight.collect.instructions.whereabouts import whereabouts_answer, whereabouts_steps
from backsight.geometry.relations import VIEWER_RELATIONS
from backsight.quality.choices import CHOICES, choice_answer
from backsight.quality.reasoning import REASONING_OF_RELATION
from backsight.records.instruction import Step
from backsight.records.vocabulary import CONTAINER_CATEGORIES, RELATIONS

KEPT = 12
"""Drafts kept of each reasoning type and form; instructions are drawn from these."""
KEPT_PER_TARGET = 3
OUTSIDE_REACH_M = 1.5
"""Only what lies so near a container is said to be outside it."""


@dataclass(frozen=True)
class Pairs:
    """Which things can stand as target and anchor of which relation, before it is asked whether they are the only one."""

    possible: dict[str, Bool[np.ndarray, "things things"]]
    """By the rule or a looser eye."""
    sensible: dict[str, Bool[np.ndarray, "things things"]]
    """The relation holds, in one room, between different kinds of things, and is worth saying."""

    @classmethod
    def of(cls, memory: Memory) -> "Pairs":
        """Sort all pairs of things.

        Args:
            memory: What has been seen.
        """
        size_m = np.array([max(thing.box.size_m) for thing in memory.things], dtype=np.float64)
        alike = memory.categories[:, None] == memory.categories[None, :]
        one_room = memory.room_ids[:, None] == memory.room_ids[None, :]
        sensible = {}
        for relation in RELATIONS:
            holds = memory.relations[relation] & one_room & ~alike
            if relation in VIEWER_RELATIONS:
                holds &= memory.is_well_now[None, :]
                # What stands before a thing is seen; what stands behind it may be hidden.
                holds &= (memory.is_visible | (relation == "behind"))[:, None]
            if relation in ("above", "below"):
                holds &= memory.footprint_gaps_m <= 0.0
            if relation == "outside":
                holds &= memory.surface_gaps_m < OUTSIDE_REACH_M
                holds &= _contains(memory)[None, :] & (size_m[:, None] < size_m[None, :])
            sensible[relation] = holds
        return cls(all_possible(memory), sensible)

    def singled_out(self, memory: Memory, relation: str, with_colour: bool) -> Bool[np.ndarray, "things things"]:
        """Return for which subjects and anchors the relation holds for the subject alone of all that look like it.

        Args:
            memory: What has been seen.
            relation: A name of `vocabulary.RELATIONS`.
            with_colour: Whether colour counts for looking alike.
        """
        alike = look_alikes(memory, with_colour).astype(np.float64)
        doubtful = alike @ self.possible[relation].astype(np.float64) > 0.0
        alone = self.sensible[relation] & ~doubtful
        if relation == "outside":
            # Where nothing of the kind is inside, nobody says 'outside'.
            alone &= alike @ memory.relations["inside"].astype(np.float64) > 0.0
        if with_colour:
            alone &= (memory.colours != "")[:, None]
        return alone


def look_alikes(memory: Memory, with_colour: bool) -> Bool[np.ndarray, "things things"]:
    """Return which two different things have one category and, where it counts, one colour.

    Args:
        memory: What has been seen.
        with_colour: Whether colour counts.
    """
    alike = memory.categories[:, None] == memory.categories[None, :]
    if with_colour:
        alike = alike & (memory.colours[:, None] == memory.colours[None, :])
    return alike & ~np.eye(len(alike), dtype=bool)


def chosen(
    weights: Float64[np.ndarray, " candidates"], targets: list[int], kept: int, rng: np.random.Generator
) -> list[int]:
    """Draw candidates without putting them back, not too many of one target.

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


def pair_drafts(memory: Memory, pairs: Pairs, rng: np.random.Generator) -> list[Draft]:
    """Return drafts that ask for the thing in a relation to another, of every reasoning type there is.

    Args:
        memory: What has been seen.
        pairs: Its pairs.
        rng: Source of every choice.
    """
    found: list[Draft] = []
    for with_colour in (False, True):
        words = [memory.words_for(index, with_colour) for index in range(len(memory.things))]
        is_anchor = np.array([word is not None for word in words], dtype=bool)
        alone = {
            relation: pairs.singled_out(memory, relation, with_colour) & memory.is_target[:, None] & is_anchor[None, :]
            for relation in RELATIONS
        }
        for relations in _by_reasoning_type().values():
            for relation, target, anchor in _drawn(memory, {name: alone[name] for name in relations}, rng):
                found.append(_pair_draft(memory, relation, (target, anchor), str(words[anchor]), with_colour, rng))
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
        words = [memory.words_for(index, with_colour) for index in range(len(memory.things))]
        has_words = np.array([word is not None for word in words], dtype=bool)
        own = _named_alone(memory, with_colour)
        for options in CHOICES:
            holding = {}
            for relation in options:
                holds = pairs.sensible[relation] & (memory.is_target & own)[:, None] & has_words[None, :]
                if relation in VIEWER_RELATIONS:
                    holds &= memory.is_well_now[:, None]
                holding[relation] = holds
            for relation, target, anchor in _drawn(memory, holding, rng, kept=KEPT // 2):
                pair = (target, anchor)
                found.append(_choice_draft(memory, (relation, options), pair, str(words[anchor]), with_colour, rng))
    return found


def _by_reasoning_type() -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for relation in RELATIONS:
        grouped.setdefault(REASONING_OF_RELATION[relation], []).append(relation)
    return grouped


def _contains(memory: Memory) -> Bool[np.ndarray, " things"]:
    return np.array([thing.category in CONTAINER_CATEGORIES for thing in memory.things], dtype=bool)


def _named_alone(memory: Memory, with_colour: bool) -> Bool[np.ndarray, " things"]:
    """Which things are the only ones of their category and, where it counts, colour."""
    alone = [
        memory.count(thing.category, thing.colour if with_colour else None) == 1
        and not (with_colour and thing.colour is None)
        for thing in memory.things
    ]
    return np.array(alone, dtype=bool)


def _drawn(
    memory: Memory, holding: dict[str, Bool[np.ndarray, "things things"]], rng: np.random.Generator, kept: int = KEPT
) -> list[tuple[str, int, int]]:
    """Draw relation, target and anchor: every relation as often, targets with look-alikes and large anchors first."""
    volume_m3 = np.array([np.prod(thing.box.size_m) for thing in memory.things], dtype=np.float64)
    options: list[tuple[str, int, int]] = []
    weights: list[float] = []
    for relation, holds in holding.items():
        pairs = [(int(target), int(anchor)) for target, anchor in np.argwhere(holds)]
        own = np.array([memory.target_weight(target) for target, _ in pairs])
        # People say where a small thing is by a large one, not the other way round.
        own = own * np.array([min(1.0, (volume_m3[a] / volume_m3[t]) ** 0.5) for t, a in pairs])
        options += [(relation, target, anchor) for target, anchor in pairs]
        weights += (own / own.sum()).tolist() if len(pairs) else []
    picked = chosen(np.array(weights, dtype=np.float64), [target for _, target, _ in options], kept, rng)
    return [options[index] for index in picked]


def _pair_draft(
    memory: Memory,
    relation: str,
    pair: tuple[int, int],
    anchor_words: str,
    with_colour: bool,
    rng: np.random.Generator,
) -> Draft:
    index, anchor = pair
    thing = memory.things[index]
    noun = noun_phrase(thing.category, thing.colour if with_colour else None)
    wordings = RELATION_WORDING[relation]
    place = place_phrase(wordings[rng.integers(len(wordings))], anchor_words, None)
    return _draft(
        memory,
        (relation, index, anchor),
        with_colour,
        template="find",
        slots=thing_slots(noun, place),
        answer=whereabouts_answer(memory, index),
        own_steps=(
            *_relation_steps(memory, relation, pair, noun, anchor_words),
            *whereabouts_steps(memory, index, noun),
        ),
    )


def _choice_draft(
    memory: Memory,
    question: tuple[str, tuple[str, str]],
    pair: tuple[int, int],
    anchor_words: str,
    with_colour: bool,
    rng: np.random.Generator,
) -> Draft:
    relation, options = question
    index, anchor = pair
    thing = memory.things[index]
    noun = noun_phrase(thing.category, thing.colour if with_colour else None)
    first, second = options if rng.random() < 0.5 else options[::-1]
    slots = {"the": f"the {noun}", "first": first, "second": second, "anchor": f"the {anchor_words}"}
    return _draft(
        memory,
        (relation, index, anchor),
        with_colour,
        template="choice",
        slots=slots,
        answer=choice_answer(relation),
        own_steps=(
            steps.count_of_category_seen(thing.category, memory.count(thing.category)),
            *_relation_steps(memory, relation, pair, noun, anchor_words),
        ),
    )


def _relation_steps(
    memory: Memory, relation: str, pair: tuple[int, int], noun: str, anchor_words: str
) -> tuple[Step, ...]:
    target, anchor = (memory.things[index].instance_id for index in pair)
    return (steps.relation(noun, target, relation, f"the {anchor_words}", (anchor,)),)


def _draft(
    memory: Memory,
    said: tuple[str, int, int],
    with_colour: bool,
    *,
    template: str,
    slots: dict[str, str],
    answer: str,
    own_steps: tuple[Step, ...],
) -> Draft:
    relation, index, anchor = said
    thing = memory.things[index]
    is_choice = template == "choice"
    return Draft(
        reasoning_type=REASONING_OF_RELATION[relation],
        template=template,
        slots=slots,
        complexity=("medium" if is_choice else "complex") if with_colour else ("simple" if is_choice else "medium"),
        frame_of_reference="viewer" if relation in VIEWER_RELATIONS else "world",
        answer=answer,
        steps=own_steps,
        category=thing.category,
        colour=thing.colour if with_colour else None,
        relation=relation,
        anchor_ids=(memory.things[anchor].instance_id,),
        target_instance_ids=(thing.instance_id,),
        distractor_ids=memory.distractors_of(index),
        weight=memory.target_weight(index),
    )
