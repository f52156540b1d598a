"""Committing a sequence: all of it or nothing."""

import errno
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np

from backsight.records.errors import DataError, UsageError
from backsight.records.quality import QualityReport
from backsight.records.sequence import FORMAT_VERSION, Sequence, annotation_arrays
from backsight.storage.annotations import SequenceMetadata, check_annotations, encode_annotations
from backsight.storage.codecs import (
    check_image_size,
    depth_to_mm,
    encode_png_zip,
    encode_rgb,
    instances_to_uint16,
)
from backsight.storage.layout import (
    ANNOTATIONS_FILE,
    CONTENT_FILES,
    DEPTH_FILE,
    IMAGINED_DEPTH_FILE,
    IMAGINED_FILES,
    IMAGINED_INSTANCES_FILE,
    INCOMING_FOLDER,
    INSTANCES_FILE,
    MANIFEST_FILE,
    METADATA_FILE,
    RGB_FILE,
    sequence_folder,
)
from backsight.storage.manifest import file_entry, manifest_bytes
from backsight.storage.sealed_json import sync_folder, write_durably, writing_to


class AlreadyThereError(UsageError):
    """The sequence was committed before, perhaps a moment ago by another process."""


def write_sequence(root: Path, sequence: Sequence, quality: QualityReport) -> Path:
    """Commit a sequence and return its folder; a kill at any moment leaves it whole or absent.

    Args:
        root: Folder of the data set; made when it does not exist.
        sequence: Even image sides; depth at most 65.535 m; ids at most 65535.
        quality: Report stored beside it; `validate` never trusts it.

    Raises:
        UsageError: The image size can't be stored.
        AlreadyThereError: The sequence is there already.
        DataError: A value can't be stored; file and field are named.
        EnvironmentProblem: There is no room for it; nothing of it stays.
    """
    annotations = sequence.annotations
    target = sequence_folder(root, annotations.sequence_id)
    if target.exists():
        raise _already_there(target)
    files = _encode_files(target, sequence, quality)
    incoming = root / INCOMING_FOLDER / f"{annotations.sequence_id}-{os.getpid()}"
    if incoming.exists():
        shutil.rmtree(incoming)
    with writing_to(root):
        try:
            incoming.mkdir(parents=True)
            for name, data in files.items():
                write_durably(incoming / name, data)
            sync_folder(incoming)
            _move_into_place(incoming, target)
        finally:
            # Gone after a rename; what an error leaves would only take up room.
            shutil.rmtree(incoming, ignore_errors=True)
    return target


def _already_there(target: Path) -> AlreadyThereError:
    return AlreadyThereError(f"{target}: the sequence exists already; remove the folder to write it again")


def _move_into_place(incoming: Path, target: Path) -> None:
    shard = target.parent
    made = not shard.exists()
    shard.mkdir(parents=True, exist_ok=True)
    try:
        os.rename(incoming, target)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            raise _already_there(target) from error
        raise
    sync_folder(shard)
    if made:
        # The list that names the shard's folder has changed, and perhaps the one above it.
        sync_folder(shard.parent)
        sync_folder(shard.parent.parent)


def _encode_files(target: Path, sequence: Sequence, quality: QualityReport) -> dict[str, bytes]:
    annotations = sequence.annotations
    _check_parts_agree(target, sequence)
    metadata = _describe(sequence, quality)
    files = {
        RGB_FILE: encode_rgb(sequence.rgb, annotations.frame_rate_hz),
        DEPTH_FILE: encode_png_zip(depth_to_mm(sequence.depth_m, target / DEPTH_FILE)),
        INSTANCES_FILE: encode_png_zip(instances_to_uint16(sequence.instance_ids, target / INSTANCES_FILE)),
        ANNOTATIONS_FILE: encode_annotations(annotations),
        METADATA_FILE: msgspec.json.format(msgspec.json.encode(metadata), indent=2) + b"\n",
    }
    if sequence.imagined is not None:
        truth = sequence.imagined
        depth_mm = depth_to_mm(truth.depth_m, target / IMAGINED_DEPTH_FILE)
        instances = instances_to_uint16(truth.instance_ids, target / IMAGINED_INSTANCES_FILE)
        files[IMAGINED_DEPTH_FILE] = encode_png_zip(depth_mm)
        files[IMAGINED_INSTANCES_FILE] = encode_png_zip(instances)
    entries = {name: file_entry(data) for name, data in files.items()}
    return files | {MANIFEST_FILE: manifest_bytes(annotations.sequence_id, entries)}


def _check_parts_agree(target: Path, sequence: Sequence) -> None:
    annotations = sequence.annotations
    width, height = sequence.image_size
    check_image_size(sequence.num_frames, width, height)
    check_annotations(annotations, target / ANNOTATIONS_FILE)
    intrinsics, poses = annotation_arrays(annotations)
    shape = sequence.rgb.shape[:3]
    for name, images in ((DEPTH_FILE, sequence.depth_m), (INSTANCES_FILE, sequence.instance_ids)):
        if images.shape != shape:
            raise DataError(target / name, "shape", f"is {images.shape}, the colour images have {shape}")
    _check_imagined(target, sequence)
    if poses.shape != sequence.world_from_camera.shape or not np.array_equal(poses, sequence.world_from_camera):
        raise DataError(target / ANNOTATIONS_FILE, "world_from_camera", "differs from the sequence's own poses")
    if not np.array_equal(intrinsics, sequence.intrinsics):
        raise DataError(target / ANNOTATIONS_FILE, "intrinsics", "differs from the sequence's own intrinsics")


def _check_imagined(target: Path, sequence: Sequence) -> None:
    wanted = len(sequence.annotations.imagined)
    truth = sequence.imagined
    if (truth is None) != (wanted == 0):
        state = "missing" if truth is None else "there"
        raise DataError(target / ANNOTATIONS_FILE, "imagined", f"names {wanted} views, their images are {state}")
    if truth is not None:
        shape = (wanted, *sequence.rgb.shape[1:3])
        for name, images in (
            (IMAGINED_DEPTH_FILE, truth.depth_m),
            (IMAGINED_INSTANCES_FILE, truth.instance_ids),
        ):
            if images.shape != shape:
                raise DataError(target / name, "shape", f"is {images.shape}, expected {shape}")


def _describe(sequence: Sequence, quality: QualityReport) -> SequenceMetadata:
    annotations = sequence.annotations
    width, height = sequence.image_size
    return SequenceMetadata(
        format_version=FORMAT_VERSION,
        sequence_id=annotations.sequence_id,
        place_id=annotations.place_id,
        scene_type=annotations.scene_type,
        kind=annotations.kind,
        pattern=annotations.pattern,
        num_frames=sequence.num_frames,
        width=width,
        height=height,
        written_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        process_id=os.getpid(),
        files=CONTENT_FILES if sequence.imagined is None else (*CONTENT_FILES, *IMAGINED_FILES),
        quality=quality,
    )
