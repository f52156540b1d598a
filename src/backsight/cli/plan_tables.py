"""What `backsight collect --dry-run` prints."""

from collections import Counter
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from backsight.collect.calibrate import Calibration, Expectation, count_loads
from backsight.collect.plan import SequencePlan
from backsight.records.kinds import GROUPS, KINDS
from backsight.storage.dataset import SPLIT_NAMES, SplitName


def kinds_table(plans: Sequence[SequencePlan]) -> Table:
    """Return sequences and frames of every kind, with the sums of the groups.

    Args:
        plans: The plan.
    """
    sequences, frames = Counter[str](), Counter[str]()
    for plan in plans:
        sequences[plan.kind] += 1
        frames[plan.kind] += plan.num_frames
    table = _table(("kind", "ways"), ("sequences", "frames", "mean"))
    for group in GROUPS:
        members = [kind for kind in KINDS if kind.group == group and sequences[kind.name]]
        if members:
            total = sum(sequences[kind.name] for kind in members)
            of_group = sum(frames[kind.name] for kind in members)
            table.add_section()
            table.add_row(group, "", f"{total:,}", f"{of_group:,}", f"{of_group / total:.1f}", style="bold")
        for kind in members:
            ways = ", ".join(" ".join((way.trajectory, way.variant)).strip() for way in kind.ways)
            count, of_kind = sequences[kind.name], frames[kind.name]
            table.add_row(f"  {kind.name}", ways, f"{count:,}", f"{of_kind:,}", f"{of_kind / count:.1f}")
    return table


def places_table(plans: Sequence[SequencePlan], splits: dict[str, SplitName]) -> Table:
    """Return places, scenes and sequences of every scene type, and how they are split.

    Args:
        plans: The plan.
        splits: Place to split.
    """
    places: dict[str, set[str]] = {}
    scenes: dict[str, set[str]] = {}
    sequences: Counter[tuple[str, str]] = Counter()
    for plan in plans:
        places.setdefault(plan.scene_type, set()).add(plan.place_id)
        scenes.setdefault(plan.scene_type, set()).add(plan.scene_id)
        sequences[plan.scene_type, splits[plan.place_id]] += 1
    table = _table(("scene type",), ("places", "scenes", "sequences", *SPLIT_NAMES))
    for scene_type in sorted(places):
        of_splits = [sequences[scene_type, split] for split in SPLIT_NAMES]
        figures = (len(places[scene_type]), len(scenes[scene_type]), sum(of_splits), *of_splits)
        table.add_row(scene_type, *(f"{figure:,}" for figure in figures))
    of_splits = [sum(sequences[name, split] for name in places) for split in SPLIT_NAMES]
    figures = (sum(map(len, places.values())), sum(map(len, scenes.values())), len(plans), *of_splits)
    table.add_section()
    table.add_row("all", *(f"{figure:,}" for figure in figures), style="bold")
    return table


def plan_line(plans: Sequence[SequencePlan]) -> str:
    """Return the sizes of a plan in one line.

    Args:
        plans: The plan.
    """
    places = len({plan.place_id for plan in plans})
    frames, loads = sum(plan.num_frames for plan in plans), count_loads(plans)
    return (
        f"{len(plans)} sequences in {places} places, {frames} frames; "
        f"{loads} scenes to load, {loads / len(plans):.2f} a sequence"
    )


def calibration_lines(calibration: Calibration, expected: Expectation, workers: int) -> list[str]:
    """Return what was measured and what follows from it.

    Args:
        calibration: Of a few sequences.
        expected: Of the plan.
        workers: Processes that are to collect.
    """
    pace, size = calibration.seconds_per_frame, calibration.bytes_per_frame
    low, high = expected.hours_range
    small, large = expected.size_range_bytes
    return [
        f"measured on {calibration.sequences} sequences of {calibration.kinds} kinds in {calibration.scenes} scenes, "
        f"{calibration.rejected} attempts rejected: {1e3 * pace.mean:.1f} ms a frame on one core "
        f"({1e3 * pace.low:.1f} to {1e3 * pace.high:.1f}), {size.mean / 1e3:.1f} kB a frame "
        f"({size.low / 1e3:.1f} to {size.high / 1e3:.1f}), {calibration.seconds_per_scene:.2f} s to load a scene",
        f"expected: {expected.size_bytes / 1e9:.2f} GB ({small / 1e9:.2f} to {large / 1e9:.2f}), "
        f"{expected.hours:.2f} hours ({low:.2f} to {high:.2f}) with {workers} workers on as many cores",
    ]


def _table(words: tuple[str, ...], figures: tuple[str, ...]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for head in words:
        table.add_column(head, overflow="fold")
    for head in figures:
        table.add_column(head, justify="right", no_wrap=True)
    return table
