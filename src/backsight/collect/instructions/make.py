"""Instructions bound to a current frame, each checked by the rules of quality control before it is given."""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field

import numpy as np

from backsight.collect.instructions.absent import absent_drafts
from backsight.collect.instructions.changes import change_drafts
from backsight.collect.instructions.config import InstructConfig, current_frames
from backsight.collect.instructions.draft import Draft, InstructionContext
from backsight.collect.instructions.memory import Memory
from backsight.collect.instructions.own_walk import own_walk_drafts
from backsight.collect.instructions.phrases.sentences import SENTENCES, sentence
from backsight.collect.instructions.plain import plain_drafts
from backsight.collect.instructions.routes import route_drafts
from backsight.collect.instructions.spatial import spatial_drafts
from backsight.collect.instructions.viewpoint import viewpoint_drafts
from backsight.quality.instructions import problems_of
from backsight.records.errors import BacksightError
from backsight.records.instruction import Instruction

LEAST_FAVOURED = 2
"""So many instructions at least are of the favoured reasoning type, where so many can be made."""


class FalseInstructionError(BacksightError):
    """An instruction says what the rules of quality control deny: it would be rejected with its walk."""


@dataclass
class _Schedule:
    """Deals out the few instructions without an answer and without a colour evenly, from a random start."""

    config: InstructConfig
    absent_phase: int
    colour_phase: int
    count: int = 0
    colourless_owed: int = 0

    def next_absent(self) -> bool:
        return (self.absent_phase + self.count) % self.config.absent_every == 0

    def next_colourless(self) -> bool:
        due = (self.colour_phase + self.count) % self.config.colourless_every == 0
        return self.colourless_owed + int(due) > 0

    def record(self, colourless: bool) -> None:
        due = (self.colour_phase + self.count) % self.config.colourless_every == 0
        self.colourless_owed += int(due) - int(colourless)
        self.count += 1


@dataclass
class _SoFar:
    """What the instructions given so far are about."""

    targets: Counter[Hashable] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    named: set[Hashable] = field(default_factory=set)
    """Targets of the current frame."""
    favoured: int = 0
    """Of the favoured type, in the current frame."""

    def turn_to_next_frame(self) -> None:
        self.named.clear()
        self.favoured = 0

    def record(self, draft: Draft, is_favoured: bool) -> None:
        self.types[draft.reasoning_type] += 1
        self.favoured += is_favoured
        if draft.reasoning_type != "absent":
            self.targets[_target(draft)] += 1
            self.named.add(_target(draft))


def make_instructions(
    context: InstructionContext, rng: np.random.Generator, config: InstructConfig
) -> tuple[Instruction, ...]:
    """Return the instructions of a walk, each checked to be true and unambiguous.

    Args:
        context: The walk, without instructions.
        rng: Source of every choice.
        config: How many and about what.

    Raises:
        FalseInstructionError: The rules of quality control deny one of them.
    """
    schedule = _Schedule(
        config,
        absent_phase=int(rng.integers(config.absent_every)),
        colour_phase=int(rng.integers(config.colourless_every)),
    )
    so_far = _SoFar()
    made: list[Instruction] = []
    for current_frame in current_frames(len(context.annotations.world_from_camera), config):
        memory = Memory.of(context.annotations, current_frame, config)
        so_far.turn_to_next_frame()
        for chosen in _chosen(context, memory, schedule, so_far, rng):
            instruction_id = f"{context.annotations.sequence_id}-i{len(made):02d}"
            instruction = _worded(chosen, instruction_id, current_frame, rng)
            _verify(instruction, memory)
            made.append(instruction)
    return tuple(made)


def _drafts(context: InstructionContext, memory: Memory, rng: np.random.Generator) -> list[Draft]:
    """Return what every family has to say at a current frame, except of what was never seen."""
    return [
        *plain_drafts(memory),
        *spatial_drafts(context, memory, rng),
        *viewpoint_drafts(context, memory, rng),
        *own_walk_drafts(context, memory, rng),
        *change_drafts(context, memory, rng),
        *route_drafts(context, memory, rng),
    ]


def _chosen(
    context: InstructionContext, memory: Memory, schedule: _Schedule, so_far: _SoFar, rng: np.random.Generator
) -> list[Draft]:
    """Return the drafts of one current frame that become instructions."""
    options = _drafts(context, memory, rng)
    favoured = [draft for draft in options if draft.reasoning_type == context.favoured]
    slots = min(schedule.config.most_per_frame, len({_target(draft) for draft in options}))
    wanted = max(LEAST_FAVOURED, int(np.ceil(schedule.config.favoured_share * slots))) if favoured else 0
    found: list[Draft] = []
    for _ in range(slots):
        colourless = schedule.next_colourless()
        left = absent_drafts(context, memory, colourless, rng) if schedule.next_absent() else []
        if not left and so_far.favoured < wanted:
            left = _others(favoured, so_far)
        if not left and so_far.favoured < min(LEAST_FAVOURED, wanted):
            # Rather two questions about one thing than fewer of what the walk was made for.
            left = [draft for draft in favoured if draft not in found]
        left = left or _others(options, so_far)
        if not left:
            break
        chosen = _choose(left, colourless, so_far, rng)
        schedule.record(colourless=chosen.colour is None)
        so_far.record(chosen, chosen.reasoning_type == context.favoured)
        found.append(chosen)
    return found


def _others(drafts: list[Draft], so_far: _SoFar) -> list[Draft]:
    """Return the drafts whose target no instruction of the current frame has."""
    return [draft for draft in drafts if _target(draft) not in so_far.named]


def _target(draft: Draft) -> Hashable:
    """Return what tells the targets of two drafts apart."""
    if draft.target_instance_ids:
        return draft.target_instance_ids
    return draft.reasoning_type, draft.template, draft.answer, draft.imagined_view


def _choose(options: list[Draft], colourless: bool, so_far: _SoFar, rng: np.random.Generator) -> Draft:
    """Draw a draft: rare reasoning types, new targets, look-alikes and things out of view come first."""
    fitting = [option for option in options if (option.colour is None) == colourless] or options
    fresh = [option for option in fitting if so_far.targets[_target(option)] == 0] or fitting
    names = sorted({option.reasoning_type for option in fresh})
    weights = np.array([1.0 / (1 + so_far.types[name]) ** 2 for name in names])
    name = names[rng.choice(len(names), p=weights / weights.sum())]
    of_type = [option for option in fresh if option.reasoning_type == name]
    weights = np.array([option.weight for option in of_type])
    return of_type[rng.choice(len(of_type), p=weights / weights.sum())]


def _worded(chosen: Draft, instruction_id: str, current_frame: int, rng: np.random.Generator) -> Instruction:
    frames = SENTENCES[chosen.template]
    return Instruction(
        instruction_id=instruction_id,
        text=sentence(frames[rng.integers(len(frames))], chosen.slots),
        reasoning_type=chosen.reasoning_type,
        complexity=chosen.complexity,
        frame_of_reference=chosen.frame_of_reference,
        current_frame=current_frame,
        category=chosen.category,
        colour=chosen.colour,
        relation=chosen.relation,
        anchor_ids=chosen.anchor_ids,
        room_type=chosen.room_type,
        target_instance_ids=chosen.target_instance_ids,
        distractor_ids=chosen.distractor_ids,
        answer=chosen.answer,
        steps=chosen.steps,
        target_place=chosen.target_place,
        imagined_view=chosen.imagined_view,
    )


def _verify(instruction: Instruction, memory: Memory) -> None:
    """Check by the rules of quality control, not by ours, that the instruction means what we say it means."""
    problems = problems_of(instruction, memory.situation)
    if problems:
        name = memory.situation.annotations.sequence_id
        what = "; ".join(f"{field} {problem}" for field, problem in problems)
        raise FalseInstructionError(f"{name}: {instruction.text!r}: {what}")
