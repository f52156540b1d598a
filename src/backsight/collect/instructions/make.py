"""Instructions bound to a current frame, unambiguous by `quality.references`."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from backsight.collect.instructions import phrases
from backsight.collect.instructions.descriptions import Description, Memory, false_descriptions, true_descriptions
from backsight.geometry.relations import VIEWER_RELATIONS
from backsight.quality.references import matching_objects
from backsight.records.instruction import Instruction, Step
from backsight.records.sequence import SequenceAnnotations


class InstructConfig(BaseModel):
    """How many instructions a walk gets and what they may be about."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    current_fractions: tuple[float, ...] = (0.66, 1.0)
    """Where in the walk the current frames lie: 1 is the last frame."""
    most_per_frame: int = Field(default=6, ge=1, le=50)
    """Instructions of each current frame, with different targets."""
    absent_every: int = Field(default=10, ge=2)
    """One in so many instructions has no answer in memory."""
    colourless_every: int = Field(default=3, ge=2)
    """One in so many instructions names no colour."""
    least_share: float = Field(default=0.005, gt=0, lt=1)
    """A frame shows a thing well when it covers this share of the image."""
    least_frame_share: float = Field(default=0.1, ge=0, le=1)
    """A target that the current frame doesn't show is shown well by this share of the frames up to it, and two."""
    visible_share: float = Field(default=0.0014, gt=0, lt=1)
    """What covers this share of the current frame is 'visible now': 16 pixels of 128 x 96."""


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


def make_instructions(
    annotations: SequenceAnnotations, rng: np.random.Generator, config: InstructConfig
) -> tuple[Instruction, ...]:
    """Return the instructions of a walk, each checked to be unambiguous.

    Args:
        annotations: Of the walk, without instructions.
        rng: Source of every choice.
        config: How many and about what.
    """
    schedule = _Schedule(
        config,
        absent_phase=int(rng.integers(config.absent_every)),
        colour_phase=int(rng.integers(config.colourless_every)),
    )
    used: Counter[int] = Counter()
    types: Counter[str] = Counter()
    made: list[Instruction] = []
    for current_frame in current_frames(len(annotations.world_from_camera), config):
        memory = Memory.of(annotations, current_frame, config.least_share, config.least_frame_share)
        options = true_descriptions(memory)
        slots = min(config.most_per_frame, len({option.target_id for option in options}))
        named: set[int | None] = set()
        for _ in range(slots):
            colourless = schedule.next_colourless()
            left = false_descriptions(memory, colourless, rng) if schedule.next_absent() else []
            left = left or [option for option in options if option.target_id not in named]
            chosen = _choose(left, colourless, (used, types), rng)
            instruction = _worded(chosen, f"{annotations.sequence_id}-i{len(made):02d}", memory, config, rng)
            _verify(instruction, annotations)
            schedule.record(colourless=chosen.colour is None)
            types[chosen.reasoning_type] += 1
            if chosen.target_id is not None:
                named.add(chosen.target_id)
                used[chosen.target_id] += 1
            made.append(instruction)
    return tuple(made)


def current_frames(num_frames: int, config: InstructConfig) -> tuple[int, ...]:
    """Return the frames that instructions are bound to, rising; never the first two.

    Args:
        num_frames: Frames of the walk.
        config: Where in the walk they lie.
    """
    wanted = {max(round(fraction * num_frames) - 1, 2) for fraction in config.current_fractions}
    return tuple(sorted(frame for frame in wanted if frame < num_frames))


def _choose(
    options: list[Description],
    colourless: bool,
    so_far: tuple[Counter[int], Counter[str]],
    rng: np.random.Generator,
) -> Description:
    """Draw a description: rare reasoning types, new targets, look-alikes and things out of view come first."""
    used, types = so_far
    fitting = [option for option in options if (option.colour is None) == colourless] or options
    fresh = [o for o in fitting if o.target_id is None or used[o.target_id] == 0] or fitting
    names = sorted({option.reasoning_type for option in fresh})
    weights = np.array([1.0 / (1 + types[name]) ** 2 for name in names])
    name = names[rng.choice(len(names), p=weights / weights.sum())]
    of_type = [option for option in fresh if option.reasoning_type == name]
    weights = np.array([option.weight for option in of_type])
    return of_type[rng.choice(len(of_type), p=weights / weights.sum())]


def _worded(
    chosen: Description, instruction_id: str, memory: Memory, config: InstructConfig, rng: np.random.Generator
) -> Instruction:
    frame = phrases.SENTENCE_FRAMES[rng.integers(len(phrases.SENTENCE_FRAMES))]
    relation_words = None
    if chosen.relation is not None:
        wordings = phrases.RELATION_WORDING[chosen.relation]
        relation_words = wordings[rng.integers(len(wordings))]
    noun = phrases.noun_phrase(chosen.category, chosen.colour)
    place = phrases.place_phrase(relation_words, chosen.anchor_phrase, chosen.room_type)
    distractors = [
        thing.instance_id
        for thing in memory.things
        if thing.category == chosen.category and thing.instance_id != chosen.target_id
    ]
    answer, steps = _answer(chosen, noun, len(distractors), memory, config)
    if chosen.target_id is None:
        steps = (f"No {noun}{place} was seen.",)
    return Instruction(
        instruction_id=instruction_id,
        text=phrases.sentence(frame, noun, place),
        reasoning_type=chosen.reasoning_type,
        complexity=_complexity(chosen),
        frame_of_reference="viewer" if chosen.relation in VIEWER_RELATIONS else "world",
        current_frame=memory.current_frame,
        category=chosen.category,
        colour=chosen.colour,
        relation=chosen.relation,
        anchor_ids=() if chosen.anchor_id is None else (chosen.anchor_id,),
        room_type=chosen.room_type,
        target_instance_ids=() if chosen.target_id is None else (chosen.target_id,),
        distractor_ids=tuple(distractors),
        answer=answer,
        steps=tuple(Step(text, "said") for text in steps),
    )


def _complexity(chosen: Description) -> str:
    if chosen.relation is not None:
        return "medium" if chosen.colour is None else "complex"
    return "simple" if chosen.room_type is None else "medium"


def _answer(
    chosen: Description, noun: str, num_distractors: int, memory: Memory, config: InstructConfig
) -> tuple[str, tuple[str, ...]]:
    """Return the answer text and the steps that lead to it."""
    if chosen.target_id is None:
        return phrases.ABSENT_ANSWER, ()
    index = next(i for i, thing in enumerate(memory.things) if thing.instance_id == chosen.target_id)
    well = np.flatnonzero(memory.shares[:, index] >= config.least_share)
    room_type, last = str(memory.rooms[index]), int(well[-1])
    steps = phrases.reasoning_steps(noun, room_type, last, len(well), [chosen.category] * num_distractors)
    if memory.shares[-1, index] >= config.visible_share:
        return phrases.VISIBLE_ANSWER, steps
    return phrases.seen_answer(memory.current_frame - last, room_type), steps


def _verify(instruction: Instruction, annotations: SequenceAnnotations) -> None:
    """Check by the rule of quality control, not by ours, that the instruction means what we say it means."""
    found = matching_objects(instruction, annotations)
    if found != instruction.target_instance_ids:
        raise AssertionError(
            f"{annotations.sequence_id}: {instruction.text!r} fits {found}, not {instruction.target_instance_ids}"
        )
