"""splits.json while several processes collect into one data set: the plan's places, and those of orders."""

from pathlib import Path

from backsight.collect.locks import lock_splits
from backsight.records.errors import DataError
from backsight.storage.dataset import SplitName, read_splits, write_splits
from backsight.storage.layout import ORDER_PREFIX, list_sequence_ids
from backsight.storage.read import read_metadata


def write_planned_splits(root: Path, planned: dict[str, SplitName]) -> None:
    """Write the split of the plan's places unless it is there; places of orders stay.

    Args:
        root: Folder of the data set.
        planned: Place id to split, of the whole plan.
    """
    with lock_splits(root):
        current = _current(root)
        ordered: dict[str, SplitName] = {
            place: split for place, split in current.items() if place.startswith(ORDER_PREFIX)
        }
        _write_changed(root, current, {**ordered, **planned})


def add_training_places(root: Path, places: set[str]) -> None:
    """Let places of orders be trained on; readers see the file of before or of after.

    Args:
        root: Folder of the data set.
        places: Place ids.
    """
    with lock_splits(root):
        current = _current(root)
        added: dict[str, SplitName] = {place: "train" for place in places}
        _write_changed(root, current, {**current, **added})


def _is_ordered(place_id: str) -> bool:
    return place_id.startswith(ORDER_PREFIX)


def _current(root: Path) -> dict[str, SplitName]:
    """Return what splits.json says; without a readable one, what the sequences on disk say of orders."""
    try:
        return read_splits(root)
    except DataError:
        ordered = [name for name in list_sequence_ids(root) if _is_ordered(name)]
        return {read_metadata(root, name).place_id: "train" for name in ordered}


def _write_changed(root: Path, current: dict[str, SplitName], wanted: dict[str, SplitName]) -> None:
    wanted = {place: wanted[place] for place in sorted(wanted)}
    # A file that could not be read is written even when nothing is to be said.
    if wanted != current or not wanted:
        write_splits(root, wanted)
