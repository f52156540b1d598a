"""Putting sequences into places: a mix of kinds in each, and few scenes to load."""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

from backsight.collect.config import CollectConfig
from backsight.collect.seeds import derive_share
from backsight.collect.shares import share_out
from backsight.collect.venues import Venue
from backsight.records.kinds import Kind, Way
from backsight.sim.embedded.scenes.scene_id import parse_scene_id

Options = tuple[tuple[str, str], ...]
"""Options of a scene's id, in alphabetical order."""


@dataclass(frozen=True)
class Unplaced:
    """A sequence that has a venue and no place yet."""

    sequence_id: str
    kind: Kind
    way: Way
    challenges: tuple[str, ...]
    options: Options
    """Of its scene; scenes of one place with different options are loaded one after the other."""


@dataclass(frozen=True)
class Place:
    """One place with its sequences, those of one scene together."""

    place_id: str
    scene_type: str
    walks: tuple[tuple[str, Unplaced], ...]
    """Scene id and sequence."""


def put_into_places(config: CollectConfig, venues: list[tuple[Venue, list[Unplaced]]]) -> list[Place]:
    """Return all places, those of different venues in turn.

    Args:
        config: How many sequences are to share a place, and how many places there may be.
        venues: Each with the sequences that it hosts, at least one.
    """
    counts = _count_places(config, venues)
    placed: list[tuple[float, int, Place]] = []
    for turn, ((venue, walks), count) in enumerate(zip(venues, counts, strict=True)):
        for number, chosen in enumerate(_fill(_mixed(config, walks), count)):
            scene_id, place_id = _name(config, venue, number)
            scenes = tuple((with_options(scene_id, walk.options), walk) for walk in chosen)
            placed.append(((number + 0.5) / count, turn, Place(place_id, venue.scene_type, scenes)))
    return [place for _, _, place in sorted(placed, key=lambda entry: entry[:2])]


def _count_places(config: CollectConfig, venues: list[tuple[Venue, list[Unplaced]]]) -> list[int]:
    """Return the number of places of each venue; every venue has one."""
    wanted = [-(-len(walks) // config.sequences_per_place) for _, walks in venues]
    for index, (venue, _) in enumerate(venues):
        if venue.files is not None:
            wanted[index] = min(wanted[index], len(venue.files))
    if config.places is None or sum(wanted) <= config.places:
        return wanted
    more = share_out(config.places - len(venues), [count - 1 for count in wanted])
    return [1 + extra for extra in more]


def _mixed(config: CollectConfig, walks: Sequence[Unplaced]) -> list[Unplaced]:
    """Return walks in an order in which every stretch holds the kinds in about the proportions of the whole."""
    totals = Counter(walk.kind.name for walk in walks)
    seen: Counter[str] = Counter()
    positions: list[float] = []
    for walk in walks:
        within = seen[walk.kind.name] + derive_share(config.seed, walk.sequence_id, "order")
        positions.append(within / totals[walk.kind.name])
        seen[walk.kind.name] += 1
    order = sorted(range(len(walks)), key=lambda index: (positions[index], index))
    return [walks[index] for index in order]


def _fill(walks: list[Unplaced], count: int) -> list[list[Unplaced]]:
    """Return the walks of each place.

    Walks that want options of the scene make up half of a place while there are any, all of them with the same options:
    such a place costs one more scene to load, and its kinds are mixed all the same.
    """
    queues: dict[Options, deque[Unplaced]] = {}
    for walk in walks:
        queues.setdefault(walk.options, deque()).append(walk)
    plain = queues.pop((), deque[Unplaced]())
    places: list[list[Unplaced]] = []
    for size in share_out(len(walks), [1] * count):
        chosen: list[Unplaced] = []
        room_for_options = max(1, size // 2)
        while len(chosen) < size:
            waiting = next((queue for options, queue in sorted(queues.items()) if queue), None)
            if waiting is not None and (room_for_options or not plain):
                take = room_for_options if plain else size - len(chosen)
                room_for_options = 0
                chosen += [waiting.popleft() for _ in range(min(take, len(waiting), size - len(chosen)))]
            else:
                chosen.append(plain.popleft())
        places.append(sorted(chosen, key=lambda walk: walk.options))
    return places


def _name(config: CollectConfig, venue: Venue, number: int) -> tuple[str, str]:
    """Return scene and place of a venue's place."""
    if venue.files is not None:
        return venue.files[number]
    place_id = f"{venue.scene_type}-{config.first_place + number}"
    return place_id, place_id


def with_options(scene_id: str, options: Options) -> str:
    """Return the id of a made scene with further options.

    Args:
        scene_id: As it is.
        options: Keys and values that it does not have yet.
    """
    if not options:
        return scene_id
    return str(parse_scene_id(scene_id + "".join(f"+{key}={value}" for key, value in options)))
