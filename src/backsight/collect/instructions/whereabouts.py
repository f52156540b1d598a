"""Where and when a thing was seen: the answer to most instructions, and the steps that lead to it."""

from backsight.collect.instructions.memory import Memory
from backsight.collect.instructions.phrases import steps
from backsight.quality import answers
from backsight.records.instruction import Step
from backsight.records.vocabulary import UNNAMED_ROOM_TYPE


def whereabouts_answer(memory: Memory, index: int) -> str:
    """Return 'visible now', or how long ago a thing was seen well and in which room.

    Args:
        memory: What has been seen.
        index: Of a thing that some frame shows well.
    """
    instance_id = memory.things[index].instance_id
    answer = answers.whereabouts_answer(memory.situation, instance_id)
    if answer is None:
        raise ValueError(f"no frame shows {instance_id} well")
    return answer


def whereabouts_steps(memory: Memory, index: int, noun: str) -> tuple[Step, ...]:
    """Return how many of its kind were seen, which room a thing is in, how often and when it was seen.

    Args:
        memory: What has been seen.
        index: Of a thing that some frame shows well.
        noun: The thing in words, without an article.
    """
    thing, well = memory.things[index], memory.situation.shown_well[:, index]
    found = [steps.count_of_category_seen(thing.category, memory.count(thing.category))]
    if memory.rooms[index] != UNNAMED_ROOM_TYPE:
        found.append(steps.in_room(noun, thing.instance_id, str(memory.rooms[index])))
    last = memory.situation.last_shown_well(thing.instance_id)
    if last is None:
        raise ValueError(f"no frame shows {thing.instance_id} well")
    found += [steps.seen_in_frames(thing.instance_id, int(well.sum())), steps.last_seen("it", thing.instance_id, last)]
    return tuple(found)
