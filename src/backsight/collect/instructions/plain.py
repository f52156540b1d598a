"""Things asked for by what they are, which colour they have and which room they are in; and things never seen."""

import numpy as np

from backsight.collect.instructions.draft import Draft
from backsight.collect.instructions.memory import Memory
from backsight.collect.instructions.phrases import steps
from backsight.collect.instructions.phrases.sentences import asking_template, thing_slots
from backsight.collect.instructions.phrases.spatial import noun_phrase, place_phrase
from backsight.collect.instructions.whereabouts import whereabouts_answer, whereabouts_steps
from backsight.quality.answers import VISIBLE_ANSWER
from backsight.records.vocabulary import UNNAMED_ROOM_TYPE


def plain_drafts(memory: Memory) -> list[Draft]:
    """Return drafts of the reasoning types category, attribute and room.

    Args:
        memory: What has been seen.
    """
    found: list[Draft] = []
    for index in np.flatnonzero(memory.is_target):
        thing, room_type = memory.things[index], str(memory.rooms[index])
        for colour in (None,) if thing.colour is None else (None, thing.colour):
            if memory.count(thing.category, colour) == 1:
                found.append(_plain(memory, int(index), colour, None))
            elif room_type != UNNAMED_ROOM_TYPE and memory.fitting(thing.category, colour, room_type).sum() == 1:
                found.append(_plain(memory, int(index), colour, room_type))
    return found


def _plain(memory: Memory, index: int, colour: str | None, room_type: str | None) -> Draft:
    thing = memory.things[index]
    noun = noun_phrase(thing.category, colour)
    colour_step = () if colour is None else (steps.colour_of(thing.category, thing.instance_id, colour),)
    answer = whereabouts_answer(memory, index)
    named = "category" if colour is None else "attribute"
    return Draft(
        reasoning_type=named if room_type is None else "room",
        template=asking_template(answer == VISIBLE_ANSWER),
        slots=thing_slots(noun, place_phrase(None, None, room_type)),
        complexity="simple" if room_type is None else "medium",
        frame_of_reference="world",
        answer=answer,
        steps=(*colour_step, *whereabouts_steps(memory, index, noun)),
        category=thing.category,
        colour=colour,
        room_type=room_type,
        target_instance_ids=(thing.instance_id,),
        distractor_ids=memory.distractors_of(index),
        weight=float(memory.target_weights[index]),
    )
