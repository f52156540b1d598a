"""Instructions that name a thing: exactly the target fits the words, answers and steps are so."""

import re

import numpy as np
from box_rules import VIEWED, among, between, is_true
from sentences import NUMBERS, OPPOSITES, SHORT, Noun, Reading, read
from stored_walk import Thing, Walk
from tally import Tally

TYPES = {
    "left of": "left_right",
    "right of": "left_right",
    "in front of": "front_behind",
    "behind": "front_behind",
    "next to": "near_far",
    "near": "near_far",
    "far from": "near_far",
    "on": "above_below",
    "above": "above_below",
    "below": "above_below",
    "under": "above_below",
    "inside": "inside_outside",
    "outside": "inside_outside",
    "between": "between_among",
    "among": "between_among",
}
NAMING = {"category", "attribute", "room", "absent", *TYPES.values()}
Seen = dict[int, Thing]


def related(relation: str, one: Thing, anchors: list[Thing], walk: Walk, frame: int) -> bool | None:
    """Whether a thing is in a relation to its anchors, whatever their number; None on the edge."""
    if relation == "among":
        return among(one, anchors)
    if relation == "between":
        if len(anchors) != 2:
            return False
        by = between(one, *anchors)
        return None if abs(by) < 1e-6 else bool(by > 0)
    pose = walk.poses[frame] if relation in VIEWED else None
    states = [is_true(relation, one, anchor, pose) for anchor in anchors]
    if relation == "inside":
        # In one of several: 'inside a bookshelf'.
        return True if True in states else None if None in states else False
    if any(state is False for state in states):
        return False
    return None if None in states else True


def fits_noun(noun: Noun, seen: Seen) -> list[Thing]:
    """Return the things seen that a noun fits, by rising number."""
    return [t for _, t in sorted(seen.items()) if t.category == noun.category and noun.colour in (None, t.colour)]


def anchors_of(reading: Reading, relation: str, seen: Seen, walk: Walk, frame: int) -> tuple[list[Thing], str]:
    """Return the anchors that the words after the target name, and what is unclear about them."""
    nouns = reading.nouns[1:]
    if not nouns:
        return [], "names no anchor"
    first = fits_noun(nouns[0], seen)
    if relation == "among":
        return first, "" if nouns[0].many else "is among one"
    if relation == "between" and nouns[0].many:
        return first, "" if len(first) == 2 else f"the two are {len(first)}"
    if relation == "between":
        second = fits_noun(nouns[1], seen) if len(nouns) > 1 else []
        clear = len(first) == len(second) == 1
        return [*first, *second], "" if clear else f"anchors fit {len(first)} and {len(second)}"
    if len(nouns) > 1:
        words = reading.relations[1]
        onto = fits_noun(nouns[1], seen)
        if len(words) != 1 or len(onto) != 1:
            return first, f"the chain says {words} to {len(onto)} things"
        first = [thing for thing in first if related(words[0], thing, onto, walk, frame) is not False]
    if relation in ("inside", "outside") and len(first) > 1 and (nouns[0].many or nouns[0].one_of_many):
        return first, ""
    return first, "" if len(first) == 1 else f"its anchor fits {[thing.number for thing in first]}"


def row(category: str, side: str, seen: Seen, walk: Walk, frame: int) -> list[int]:
    """Return the things of a category that can be made out in a frame, from one side on."""
    middles = []
    for thing in seen.values():
        if thing.category == category and walk.made_out(thing.number)[frame]:
            columns = np.flatnonzero((walk.ids[frame] == thing.number).any(axis=0))
            middles.append((int(columns[0] + columns[-1]), thing.number))
    return [number for _, number in sorted(middles, reverse=side == "right")]


def check_naming(walk: Walk, asked: dict, tally: Tally) -> None:
    """Check an instruction that names a thing: its words, what they fit, its answer."""
    frame, name = asked["current_frame"], f"{asked['instruction_id']} {asked['text']!r}"
    seen, reading = walk.seen(frame), read(asked["text"])
    target = asked["target_instance_ids"]
    if not tally.hold("words: a thing is named", reading.nouns, f"{name} names nothing"):
        return
    noun = reading.nouns[0]
    said = (noun.category, noun.colour, reading.room if asked["relation"] is None else asked["room_type"])
    stated = (asked["category"], asked["colour"], asked["room_type"])
    tally.hold("words: fields are those of the text", said == stated, f"{name} says {said}, stated {stated}")
    candidates = fits_noun(noun, seen)
    if asked["room_type"] is not None:
        candidates = [thing for thing in candidates if walk.room_type(thing.number) == asked["room_type"]]
    orders = [step for step in asked["steps"] if step["claim"] == "order"]
    is_row = reading.order is not None and asked["relation"] is None
    tally.hold("words: fields are those of the text", bool(orders) == is_row, f"{name}: order {reading.order}")
    if is_row and reading.order is not None:
        number, side = reading.order
        in_row = row(noun.category, side, seen, walk, frame)
        candidates = [seen[n] for n in in_row[number - 1 : number]]
    is_choice = False
    if asked["relation"] is not None:
        candidates, is_choice = _by_relation(walk, asked, reading, candidates, tally)
    elif reading.relations:
        tally.hold("words: fields are those of the text", not reading.relations[0], f"{name} says a relation")
    fitting = sorted(thing.number for thing in candidates)
    sort = "targets: nothing fits what is absent" if not target else "targets: exactly the target fits"
    tally.hold(sort, fitting == sorted(target), f"{name} fits {fitting}, stated {target}")
    check_distractors(asked, seen, set(target), tally)
    _check_type(asked, is_row, tally)
    if not is_choice:
        expected = whereabouts(walk, target[0], frame) if target else "not seen"
        tally.hold("answers: whereabouts", asked["answer"] == expected, f"{name}: {asked['answer']!r}, is {expected!r}")


def _by_relation(
    walk: Walk, asked: dict, reading: Reading, candidates: list[Thing], tally: Tally
) -> tuple[list[Thing], bool]:
    """Return what of the candidates is so related, and whether the question is which of two relations holds."""
    frame, relation = asked["current_frame"], asked["relation"]
    seen, name = walk.seen(frame), f"{asked['instruction_id']} {asked['text']!r}"
    said = reading.relations[0] if reading.relations else ()
    is_choice = len(said) == 2
    tally.hold("words: fields are those of the text", relation in said, f"{name} says {said}, stated {relation}")
    anchors, unclear = anchors_of(reading, relation, seen, walk, frame)
    tally.hold("targets: the words tell the anchors", not unclear, f"{name}: {unclear}")
    stated = sorted(asked["anchor_ids"])
    if relation == "among" and asked["target_instance_ids"]:
        anchors_near = [t for t in anchors if t.number in stated]
        tally.hold("targets: anchors are those named", len(anchors_near) == len(stated), f"{name}: {stated}")
    else:
        found = sorted(thing.number for thing in anchors)
        tally.hold("targets: anchors are those named", found == stated, f"{name}: {found}, stated {stated}")
    if is_choice:
        tally.hold("answers: choices", tuple(sorted(said)) in [tuple(sorted(p)) for p in OPPOSITES], f"{name}: {said}")
        for thing in candidates:
            for option in said:
                state = related(option, thing, anchors, walk, frame)
                so = state is None or state == (option == relation)
                tally.hold("answers: choices", so, f"{name}: {option} is {state}, stated {relation}")
        expected = SHORT.get(relation, relation)
        tally.hold("answers: choices", asked["answer"] == expected, f"{name}: {asked['answer']!r}")
        return candidates, True
    wanted = set(asked["target_instance_ids"])
    kept = []
    for thing in candidates:
        state = related(relation, thing, anchors, walk, frame)
        if state or (state is None and thing.number in wanted):
            kept.append(thing)
    return kept, False


def check_distractors(asked: dict, seen: Seen, targets: set[int], tally: Tally) -> None:
    """Distractors are the others of the category."""
    alike = sorted(n for n, thing in seen.items() if thing.category == asked["category"] and n not in targets)
    stated = sorted(asked["distractor_ids"])
    tally.hold("distractors", alike == stated, f"{asked['instruction_id']}: {alike}, stated {stated}")


def _check_type(asked: dict, is_row: bool, tally: Tally) -> None:
    if not asked["target_instance_ids"]:
        expected = "absent"
    elif asked["relation"] is not None:
        expected = TYPES[asked["relation"]]
    elif is_row:
        expected = "left_right"
    elif asked["room_type"] is not None:
        expected = "room"
    else:
        expected = "attribute" if asked["colour"] is not None else "category"
    so = asked["reasoning_type"] == expected
    tally.hold("reasoning types", so, f"{asked['instruction_id']}: {asked['reasoning_type']}, is {expected}")


def whereabouts(walk: Walk, number: int, frame: int) -> str:
    """Return where a thing is, in words."""
    if walk.made_out(number)[frame]:
        return "visible now"
    well = np.flatnonzero(walk.well(number)[: frame + 1])
    if not len(well):
        return "never seen well"
    ago, room = frame - int(well[-1]), walk.room_type(number)
    place = "" if room in (None, "room") else f" {'on' if room == 'landing' else 'in'} the {room}"
    return f"seen {ago} frame{'' if ago == 1 else 's'} ago{place}"


def check_plain_step(walk: Walk, asked: dict, step: dict, tally: Tally) -> bool:
    """Check a step about what was seen and how it lies; return whether it is one."""
    frame, number = asked["current_frame"], step["subject_id"]
    seen = walk.seen(frame)
    words = re.findall(r"\d+", step["text"])
    match step["claim"]:
        case "in_room":
            so = walk.room_type(number) == step["word"] and step["word"] in step["text"]
        case "colour_of":
            so = seen[number].colour == step["word"] and step["word"] in step["text"]
        case "seen_in_frames":
            count = int(walk.well(number)[: frame + 1].sum())
            so = count == step["number"] and words[-1:] == [str(count)]
        case "last_seen":
            well = np.flatnonzero(walk.well(number)[: frame + 1])
            so = len(well) and well[-1] == step["frame"] and words[-1:] == [str(step["frame"])]
        case "visible_now":
            so = walk.made_out(number)[frame] == (step["word"] != "not")
        case "count_of_category_seen":
            count = sum(thing.category == step["word"] for thing in seen.values())
            word = NUMBERS[count] if count < len(NUMBERS) else str(count)
            so = count == step["number"] and step["text"].lower().startswith(f"{word} ")
        case "relation" | "only_one_related":
            so = _related_step(walk, asked, step, seen)
        case "order":
            in_row = row(asked["category"], step["word"], seen, walk, frame)
            place = int(step["number"])
            so = 1 <= place <= len(in_row) and in_row[place - 1] == number
        case "none_fits":
            so = not asked["target_instance_ids"]
        case _:
            return False
    tally.hold(f"steps: {step['claim']}", so, f"{asked['instruction_id']}: {step['text']!r}")
    return True


def _related_step(walk: Walk, asked: dict, step: dict, seen: Seen) -> bool:
    if step["subject_id"] not in seen or not set(step["other_ids"]) <= set(seen):
        return False
    frame, subject = asked["current_frame"], seen[step["subject_id"]]
    others = [seen[n] for n in step["other_ids"]]
    if related(step["word"], subject, others, walk, frame) is False:
        return False
    if step["claim"] == "relation":
        return True
    return not any(
        thing.category == subject.category
        and thing.number != subject.number
        and (step["number"] != 1 or thing.colour == subject.colour)
        and related(step["word"], thing, others, walk, frame)
        for thing in seen.values()
    )
