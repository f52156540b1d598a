"""A data set's card: what a hub shows beside it, and what a reader must know before using it."""

from backsight.evaluate.report.dataset_page import size_text
from backsight.evaluate.scene_counts import Rows, markdown_table
from backsight.records.dataset_statistics import DatasetStatistics, Tally
from backsight.records.kinds import KINDS

CARD_FILE = "README.md"
_SIZE_CLASSES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


_INTRODUCTION = """
Walks of a camera through rooms, each with RGB, depth, instance ids, intrinsics, poses, objects, tracks, spatial
relations, co-visibility of all frame pairs, events, and instructions that are unambiguous by construction. Collected
and checked by Backsight {version}.
"""
_MADE = "All scenes are made by a program; no scan, photograph or person is in them."
_FROM_FILES = """Scenes come from files or another simulator: their own licences hold for pictures of them. Check before
sharing."""
_REPEATABLE = """
The same command with the same seed, configuration and simulator version collects the same depth, instance ids and
annotations to the byte.
"""
_CONVENTIONS = """
## Conventions

World: right-handed, +Y up, metres. Camera: x right, y down, z forward. `world_from_camera` is 4x4. Depth is planar,
16-bit PNG in millimetres, 0 = nothing measured. Instance ids: 16-bit PNG, 0 = nothing. RGB: H.264. Annotations:
msgpack. `dataset.json` holds the plan, `splits.json` the split of every place, and each sequence's `manifest.json`
the hash of every file.

## Limits

Rooms, things and light are simulated, and simpler than real ones; walks are smooth and never touch anything. Answers
follow fixed geometric rules, which may differ from what a person would say in borderline cases; such cases are avoided
rather than decided.
"""
_TAGS = ("vision-language-navigation", "rgb-d", "camera-poses", "instance-segmentation", "spatial-reasoning")
_TASKS = ("robotics", "depth-estimation", "visual-question-answering")


def dataset_card(statistics: DatasetStatistics, title: str, licence: str) -> str:
    """Return the card: Markdown behind front matter as hubs read it.

    Args:
        statistics: Of the data set.
        title: Its name.
        licence: Under which it is given on, as hubs name licences.
    """
    made = statistics.simulator == "embedded" and "scan" not in statistics.scene_types
    parts = [
        _front_matter(statistics, title, licence),
        f"# {title}\n",
        _INTRODUCTION.format(version=statistics.backsight_version),
        f"\n{_MADE if made else _FROM_FILES}\n\n",
        markdown_table(_facts(statistics)),
        _REPEATABLE,
        "\n## Kinds\n\n",
        markdown_table(_kind_rows(statistics)),
        "\n## Instructions\n\n",
        markdown_table(_instruction_rows(statistics)),
        _CONVENTIONS,
    ]
    return "".join(parts)


def _front_matter(statistics: DatasetStatistics, title: str, licence: str) -> str:
    size_class = next((name for limit, name in _SIZE_CLASSES if statistics.total.sequences < limit), "n>1M")
    lines = ["---", f"license: {licence}", f"pretty_name: {title}"]
    for key, values in (("task_categories", _TASKS), ("tags", _TAGS), ("size_categories", (size_class,))):
        lines += [f"{key}:", *(f"- {value}" for value in values)]
    return "\n".join([*lines, "---", "", ""])


def _facts(statistics: DatasetStatistics) -> Rows:
    total = statistics.total
    sequences = max(total.sequences, 1)
    places = ", ".join(f"{count} {name}" for name, count in statistics.places.items())
    return [
        ("what", "how much"),
        ("sequences", f"{total.sequences:,} of {statistics.planned:,} planned"),
        ("frames", f"{total.frames:,} ({total.frames / sequences:.1f} a sequence)"),
        ("images", f"{statistics.width}x{statistics.height}, {statistics.frame_rate_hz:g} a second"),
        ("size", f"{size_text(total.size_bytes)} ({total.size_bytes / sequences / 1e6:.2f} MB a sequence)"),
        ("places", f"{places}; splits never share a place"),
        ("simulator", f"{statistics.simulator} {statistics.simulator_version}, seed {statistics.seed}"),
        ("instructions", f"{_instructions(statistics):,}, {statistics.texts:,} different texts"),
    ]


def _instructions(statistics: DatasetStatistics) -> int:
    return sum(sum(of_type.values()) for of_type in statistics.instructions.values())


def _kind_rows(statistics: DatasetStatistics) -> Rows:
    group_of = {kind.name: kind.group for kind in KINDS}
    rows: Rows = [("kind", "group", "sequences", "frames")]
    for name, tally in statistics.kinds.items():
        if tally != Tally():
            rows.append((name, group_of.get(name, "other"), f"{tally.sequences:,}", f"{tally.frames:,}"))
    return rows


def _instruction_rows(statistics: DatasetStatistics) -> Rows:
    levels = ("simple", "medium", "complex")
    rows: Rows = [("reasoning type", *levels)]
    for name, of_type in statistics.instructions.items():
        if of_type:
            rows.append((name.replace("_", " "), *(f"{of_type.get(level, 0):,}" for level in levels)))
    return rows
