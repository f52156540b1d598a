"""Annotations and metadata of a sequence to bytes and back, checked on both ways."""

from pathlib import Path

import msgspec
import numpy as np

from backsight.records.errors import DataError
from backsight.records.quality import QualityReport
from backsight.records.sequence import FORMAT_VERSION, SequenceAnnotations
from backsight.storage.annotation_checks import check_annotations
from backsight.storage.layout import MAX_FRAMES, MAX_PIXELS, MAX_SIDE_PX


class SequenceMetadata(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a reader wants to know before it opens the images; stored as metadata.json."""

    format_version: int
    sequence_id: str
    place_id: str
    scene_type: str
    kind: str
    pattern: str
    num_frames: int
    width: int
    height: int
    written_utc: str
    """ISO 8601; with the process id the only content that differs between two equal runs."""
    process_id: int
    files: tuple[str, ...]
    quality: QualityReport


def encode_annotations(annotations: SequenceAnnotations) -> bytes:
    """Return annotations.msgpack: plain msgpack, fields in the order of the record.

    Args:
        annotations: Checked by the reader's own rules before it is written.
    """
    return msgspec.msgpack.encode(annotations, order="deterministic", enc_hook=_plain_number)


def _plain_number(value: object) -> int | float | bool:
    """Return a numpy scalar as the number that it is; anything else has no place in annotations."""
    if isinstance(value, np.integer | np.floating | np.bool_):
        return value.item()
    raise TypeError(f"annotations hold a {type(value).__name__}")


def decode_annotations(data: bytes, path: Path) -> SequenceAnnotations:
    """Return annotations after checking version, shapes and ranges.

    Args:
        data: Bytes of annotations.msgpack.
        path: Where they come from, for messages.

    Raises:
        DataError: They are damaged or break a rule; the field is named.
    """
    try:
        annotations = msgspec.msgpack.decode(data, type=SequenceAnnotations)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(path, "annotations", str(error), "collect the sequence again") from error
    check_annotations(annotations, path)
    return annotations


def decode_metadata(data: bytes, path: Path) -> SequenceMetadata:
    """Return metadata after checking version and sizes.

    Args:
        data: Bytes of metadata.json.
        path: Where they come from, for messages.

    Raises:
        DataError: They are damaged or break a rule; the field is named.
    """
    try:
        metadata = msgspec.json.decode(data, type=SequenceMetadata)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(path, "metadata", str(error), "collect the sequence again") from error
    if metadata.format_version != FORMAT_VERSION:
        problem = f"is {metadata.format_version}, this program reads {FORMAT_VERSION}"
        raise DataError(path, "format_version", problem)
    if not 1 <= metadata.num_frames <= MAX_FRAMES:
        raise DataError(path, "num_frames", f"is {metadata.num_frames}, expected 1 to {MAX_FRAMES}")
    for field, side in (("width", metadata.width), ("height", metadata.height)):
        if not 2 <= side <= MAX_SIDE_PX or side % 2:
            raise DataError(path, field, f"is {side}, expected an even number of 2 to {MAX_SIDE_PX}")
    pixels = metadata.num_frames * metadata.width * metadata.height
    if pixels > MAX_PIXELS:
        raise DataError(path, "num_frames", f"all images have {pixels} pixels, at most {MAX_PIXELS} are read")
    return metadata
