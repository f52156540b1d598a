"""Where everything of a data set lies, and which names are allowed."""

import hashlib
import re
from pathlib import Path

from backsight.records.errors import UsageError

SEQUENCE_ID_PATTERN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}")

DATASET_FILE = "dataset.json"
SPLITS_FILE = "splits.json"
REPORT_FILE = "report.json"
"""What a collection run says of itself; informative, never read back."""
LOCK_FILE = ".lock"
"""Held by a collection while it runs; empty. A part of a plan has one of its own beside it."""
SEQUENCES_FOLDER = "sequences"
INCOMING_FOLDER = ".incoming"
FAILED_FOLDER = ".failed"
"""One file for each sequence that was given up, so that a resumed run does not try it again."""
ORDERS_FOLDER = ".orders"
"""Requests for further sequences, and what became of them."""
ORDER_PREFIX = "order-"
"""Begins the ids of ordered sequences and of their places; no planned sequence is called so."""
_REPORT_PATTERN = re.compile(r"report(-[0-9]{1,6}-of-[0-9]{1,6}|-orders)?\.json")
_UNFINISHED_PATTERN = re.compile(r"\.[a-z0-9-]{1,40}\.json-[0-9]{1,10}")
_LOCK_PATTERN = re.compile(r"\.lock(-[0-9]{1,6}-of-[0-9]{1,6}|-orders|-splits)?")

RGB_FILE = "rgb.mp4"
DEPTH_FILE = "depth.zip"
INSTANCES_FILE = "instances.zip"
ANNOTATIONS_FILE = "annotations.msgpack"
METADATA_FILE = "metadata.json"
IMAGINED_DEPTH_FILE = "imagined_depth.zip"
IMAGINED_INSTANCES_FILE = "imagined_instances.zip"
MANIFEST_FILE = "manifest.json"
CONTENT_FILES = (RGB_FILE, DEPTH_FILE, INSTANCES_FILE, ANNOTATIONS_FILE, METADATA_FILE)
"""Files of every sequence that the manifest lists."""
IMAGINED_FILES = (IMAGINED_DEPTH_FILE, IMAGINED_INSTANCES_FILE)
"""Files that a sequence with imagined views has besides; the manifest lists both or neither."""

MAX_FRAMES = 4096
MAX_SIDE_PX = 4096
MAX_PIXELS = 2**29
"""Of all frames of a sequence; as many are decoded into memory at once."""
MAX_ANNOTATION_BYTES = 32 * 1024 * 1024
MAX_JSON_BYTES = 32 * 1024 * 1024
MAX_SMALL_JSON_BYTES = 1024 * 1024
"""Of the files that belong to one sequence or one order."""
MAX_IMAGE_FILE_BYTES = 16 * 1024 * 1024 * 1024
"""Largest rgb.mp4, depth.zip or instances.zip that is opened."""


def check_sequence_id(sequence_id: str) -> str:
    """Return the id when it is allowed.

    Args:
        sequence_id: Becomes a folder name.

    Raises:
        UsageError: It holds other characters than letters, digits, '_', '-' and '.', or is too long.
    """
    if SEQUENCE_ID_PATTERN.fullmatch(sequence_id) is None:
        raise UsageError(f"sequence id {sequence_id!r}: expected 1 to 128 of A-Z a-z 0-9 _ - . and no leading dot")
    return sequence_id


def sequence_folder(root: Path, sequence_id: str) -> Path:
    """Return the folder of a sequence, whether it exists or not.

    Args:
        root: Folder of the data set.
        sequence_id: Its shard is the first two hexadecimal digits of the id's sha256.

    Raises:
        UsageError: The id is not allowed.
    """
    check_sequence_id(sequence_id)
    return root / SEQUENCES_FOLDER / shard_name(sequence_id) / sequence_id


def shard_name(sequence_id: str) -> str:
    """Return the name of the folder that keeps the sequence among at most 256 such folders.

    Args:
        sequence_id: An allowed id.
    """
    return hashlib.sha256(sequence_id.encode("ascii")).hexdigest()[:2]


def path_in_dataset(sequence_id: str, name: str) -> str:
    """Return a file of a sequence as reports name it: relative to the data set's folder.

    Args:
        sequence_id: An allowed id.
        name: A file name in the sequence's folder.
    """
    return f"{SEQUENCES_FOLDER}/{shard_name(sequence_id)}/{sequence_id}/{name}"


def is_report_name(name: str) -> bool:
    """Return whether a file at the root is what a run, or a part of one, says of itself.

    Args:
        name: Of the file.
    """
    return _REPORT_PATTERN.fullmatch(name) is not None


def is_unfinished(name: str) -> bool:
    """Return whether a file at the root is what a killed process left of a JSON file; harmless.

    Args:
        name: Of the file.
    """
    return _UNFINISHED_PATTERN.fullmatch(name) is not None


def belongs_to_root(name: str) -> bool:
    """Return whether a file or folder has its place at the root of a data set.

    Args:
        name: Of the file or folder.
    """
    known = (DATASET_FILE, SPLITS_FILE, SEQUENCES_FOLDER, INCOMING_FOLDER, FAILED_FOLDER, ORDERS_FOLDER)
    return name in known or is_report_name(name) or is_unfinished(name) or _LOCK_PATTERN.fullmatch(name) is not None


def list_sequence_ids(root: Path) -> list[str]:
    """Return the ids of all committed sequences, sorted; folders in a wrong place are left out.

    Args:
        root: Folder of the data set; without any sequence yet the list is empty.
    """
    sequences = root / SEQUENCES_FOLDER
    if not is_own_folder(sequences):
        return []
    return sorted(
        folder.name
        for shard in sequences.iterdir()
        if is_own_folder(shard)
        for folder in shard.iterdir()
        if SEQUENCE_ID_PATTERN.fullmatch(folder.name)
        and shard.name == shard_name(folder.name)
        and is_own_folder(folder)
    )


def is_own_folder(path: Path) -> bool:
    """Return whether a path is a folder and no link to one, which could lead out of the data set.

    Args:
        path: Below the root of a data set.
    """
    return path.is_dir() and not path.is_symlink()
