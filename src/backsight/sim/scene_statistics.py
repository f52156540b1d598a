"""Counting what a loaded scene holds."""

from collections import Counter

import numpy as np
from jaxtyping import Int64

from backsight.geometry.group_relations import among_matrix, between_triples
from backsight.geometry.relations import VIEWER_RELATIONS
from backsight.records.scene import SceneObject
from backsight.records.scene_relations import scene_relation_matrix
from backsight.records.scene_statistics import SceneStatistics
from backsight.records.vocabulary import RELATIONS
from backsight.sim.embedded.packed import PackedScene
from backsight.sim.simulator import Navigation, Simulator
from backsight.sim.survey import Survey


def scene_statistics(
    scene_id: str, scene_type: str, simulator: Simulator, survey: Survey, packed: PackedScene | None = None
) -> SceneStatistics:
    """Return the counts of the loaded scene.

    Args:
        scene_id: Of the loaded scene.
        scene_type: Its type.
        simulator: With the scene loaded.
        survey: Of that scene; viewer relations are looked for in its views.
        packed: Its triangles, where the simulator has them.
    """
    furniture = Counter(thing.category for thing in simulator.objects if not thing.is_structure)
    return SceneStatistics(
        scene_id=scene_id,
        scene_type=scene_type,
        room_types=dict(Counter(room.room_type for room in simulator.rooms)),
        categories=dict(sorted(furniture.items(), key=lambda item: (-item[1], item[0]))),
        structure=dict(Counter(thing.category for thing in simulator.objects if thing.is_structure)),
        navigable_m2=navigable_areas_m2(simulator.navigation),
        relations=relation_counts(survey),
        viewpoints=len(survey.world_from_camera),
        triangles=None if packed is None else len(packed.faces),
        textures=None if packed is None else len(packed.textures),
    )


def navigable_areas_m2(navigation: Navigation) -> tuple[float, ...]:
    """Return the area of each storey where an agent can stand.

    Args:
        navigation: Of the loaded scene.
    """
    areas = []
    for floor in range(len(navigation.floors_m)):
        free, _, cell_m = navigation.top_down_map(floor)
        areas.append(float(free.sum()) * cell_m**2)
    return tuple(areas)


def relation_counts(survey: Survey) -> dict[str, int]:
    """Return how often each relation word is true between things of one room; see `SceneStatistics.relations`.

    Args:
        survey: Things and views.
    """
    counts = dict.fromkeys([*RELATIONS, "between", "among"], 0)
    rooms = sorted({thing.room_id for thing in survey.things})
    for room_id in rooms:
        things = [thing for thing in survey.things if thing.room_id == room_id]
        for word in RELATIONS:
            if word not in VIEWER_RELATIONS:
                counts[word] += int(scene_relation_matrix(word, things).sum())
        boxes = [thing.box for thing in things]
        counts["between"] += len(between_triples(boxes))
        counts["among"] += int(among_matrix(boxes, _category_numbers(things)).sum())
    for word in RELATIONS:
        if word in VIEWER_RELATIONS:
            counts[word] = _seen_pairs(word, survey)
    return counts


def _category_numbers(things: list[SceneObject]) -> Int64[np.ndarray, " things"]:
    names = sorted({thing.category for thing in things})
    return np.array([names.index(thing.category) for thing in things], dtype=np.int64)


def _seen_pairs(word: str, survey: Survey) -> int:
    """Return the number of ordered pairs of one room for which a view that shows both makes the word true."""
    room = np.array([thing.room_id for thing in survey.things], dtype=np.int64)
    found = np.zeros((len(survey.things), len(survey.things)), dtype=bool)
    for pose, shown in zip(survey.world_from_camera, survey.shown, strict=True):
        visible = np.flatnonzero(shown)
        holds = scene_relation_matrix(word, [survey.things[index] for index in visible], pose)
        found[np.ix_(visible, visible)] |= holds
    return int((found & (room[:, None] == room[None, :])).sum())
