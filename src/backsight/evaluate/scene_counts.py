"""Counts of scenes by type, as rows of a table and as JSON."""

import json
from collections.abc import Sequence

import msgspec

from backsight.records.scene_statistics import SceneStatistics
from backsight.records.vocabulary import RELATIONS

SCENES_FORMAT_VERSION = 1
RELATION_WORDS: tuple[str, ...] = (*RELATIONS, "between", "among")

Rows = list[tuple[str, ...]]


def count_rows(scenes: Sequence[SceneStatistics]) -> Rows:
    """Return a head and a row for each type: kinds over all of its scenes, the other counts as means of a scene.

    Args:
        scenes: At least one.
    """
    head = ("type", "scenes", "rooms", "categories", "objects", "doors", "windows", "area m²", "triangles", "textures")
    rows: Rows = [head]
    for name, members in _by_type(scenes).items():
        kinds = {category for scene in members for category in scene.categories}
        rows.append(
            (
                name,
                str(len(members)),
                _mean([scene.rooms for scene in members]),
                str(len(kinds)),
                _mean([scene.objects for scene in members]),
                _mean([scene.structure.get("door", 0) for scene in members]),
                _mean([scene.structure.get("window", 0) for scene in members]),
                _mean([round(sum(scene.navigable_m2)) for scene in members]),
                _mean([scene.triangles for scene in members if scene.triangles is not None]),
                _mean([scene.textures for scene in members if scene.textures is not None]),
            )
        )
    all_kinds = {category for scene in scenes for category in scene.categories}
    rows.append(("all", str(len(scenes)), "", str(len(all_kinds)), *[""] * (len(head) - 4)))
    return rows


def relation_rows(scenes: Sequence[SceneStatistics]) -> Rows:
    """Return a head and a row for each type: how often each relation word is true, as the mean of a scene.

    Args:
        scenes: At least one.
    """
    rows: Rows = [("type", *RELATION_WORDS)]
    for name, members in _by_type(scenes).items():
        rows.append((name, *(_mean([scene.relations[word] for scene in members]) for word in RELATION_WORDS)))
    return rows


def missing_relations(scenes: Sequence[SceneStatistics]) -> dict[str, tuple[str, ...]]:
    """Return for each type the relation words that are true nowhere in its scenes; types without any are left out.

    Args:
        scenes: Any number.
    """
    missing = {
        name: tuple(word for word in RELATION_WORDS if not any(scene.relations[word] for scene in members))
        for name, members in _by_type(scenes).items()
    }
    return {name: words for name, words in missing.items() if words}


def markdown_table(rows: Rows) -> str:
    """Return rows as a table of a Markdown page; all columns but the first are aligned to the right.

    Args:
        rows: The head first.
    """
    lines = [f"| {' | '.join(row)} |" for row in rows]
    rule = "|---|" + "---:|" * (len(rows[0]) - 1)
    return "\n".join([lines[0], rule, *lines[1:]]) + "\n"


def scenes_json(scenes: Sequence[SceneStatistics], simulator: str, version: str) -> bytes:
    """Return all counts as the content of `scenes.json`.

    Args:
        scenes: Any number.
        simulator: Name of the simulator.
        version: Its version.
    """
    content = {
        "format_version": SCENES_FORMAT_VERSION,
        "simulator": simulator,
        "simulator_version": version,
        "scenes": [msgspec.to_builtins(scene) for scene in scenes],
        "missing_relations": missing_relations(scenes),
    }
    return json.dumps(content, indent=1).encode() + b"\n"


def _by_type(scenes: Sequence[SceneStatistics]) -> dict[str, list[SceneStatistics]]:
    groups: dict[str, list[SceneStatistics]] = {}
    for scene in scenes:
        groups.setdefault(scene.scene_type, []).append(scene)
    return groups


def _mean(values: Sequence[int]) -> str:
    """Return the mean; with one digit behind the point where it is small and not whole."""
    if not values:
        return "-"
    mean = sum(values) / len(values)
    return f"{mean:,.1f}" if mean < 100 and mean != int(mean) else f"{mean:,.0f}"
