"""Reading committed sequences; nothing on disk is trusted."""

from pathlib import Path

from backsight.records.errors import DataError
from backsight.records.sequence import ImaginedImages, Sequence, SequenceAnnotations, annotation_arrays
from backsight.storage.annotations import SequenceMetadata, decode_annotations, decode_metadata
from backsight.storage.codecs import decode_png_zip, decode_rgb, mm_to_depth
from backsight.storage.layout import (
    ANNOTATIONS_FILE,
    DEPTH_FILE,
    IMAGINED_DEPTH_FILE,
    IMAGINED_FILES,
    IMAGINED_INSTANCES_FILE,
    INSTANCES_FILE,
    MAX_ANNOTATION_BYTES,
    MAX_SMALL_JSON_BYTES,
    METADATA_FILE,
    RGB_FILE,
    is_own_folder,
    sequence_folder,
)
from backsight.storage.manifest import verify_manifest
from backsight.storage.sealed_json import read_bounded

_ADVICE = "collect the sequence again or restore it from a copy"


def read_sequence(root: Path, sequence_id: str, *, verify: bool = True) -> Sequence:
    """Return a committed sequence.

    Args:
        root: Folder of the data set.
        sequence_id: The sequence.
        verify: Whether sizes and hashes of all files are compared with the manifest first.

    Raises:
        DataError: A file is missing, changed, damaged, or disagrees with the others.
    """
    folder = sequence_folder(root, sequence_id)
    _require_folder(folder)
    if verify:
        for finding in verify_manifest(folder):
            raise DataError(root / finding.path, finding.field, finding.problem, _ADVICE)
    metadata = read_metadata(root, sequence_id)
    annotations = read_annotations(root, sequence_id)
    _check_agreement(folder, metadata, annotations)
    frames, width, height = metadata.num_frames, metadata.width, metadata.height
    intrinsics, world_from_camera = annotation_arrays(annotations)
    data = {name: _read_images(folder / name, frames, width, height) for name in (RGB_FILE, DEPTH_FILE, INSTANCES_FILE)}
    depth_mm = decode_png_zip(data[DEPTH_FILE], frames, width, height, folder / DEPTH_FILE)
    instances = decode_png_zip(data[INSTANCES_FILE], frames, width, height, folder / INSTANCES_FILE)
    return Sequence(
        rgb=decode_rgb(data[RGB_FILE], frames, width, height, folder / RGB_FILE),
        depth_m=mm_to_depth(depth_mm),
        instance_ids=instances.astype("int32"),
        intrinsics=intrinsics,
        world_from_camera=world_from_camera,
        annotations=annotations,
        imagined=_read_imagined(folder, metadata, len(annotations.imagined)),
    )


def _require_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise DataError(folder, "sequence", "does not exist", "see the ids under sequences/")
    if not all(is_own_folder(path) for path in (folder, folder.parent, folder.parent.parent)):
        raise DataError(folder, "sequence", "is a link or lies behind one", "copy the folder itself")


def _read_imagined(folder: Path, metadata: SequenceMetadata, views: int) -> ImaginedImages | None:
    listed = set(IMAGINED_FILES) <= set(metadata.files)
    if listed != (views > 0):
        problem = f"names {views} views, {METADATA_FILE} lists {'their' if listed else 'no'} images"
        raise DataError(folder / ANNOTATIONS_FILE, "imagined", problem, _ADVICE)
    if not views:
        return None
    size = views, metadata.width, metadata.height
    depth, instances = folder / IMAGINED_DEPTH_FILE, folder / IMAGINED_INSTANCES_FILE
    return ImaginedImages(
        depth_m=mm_to_depth(decode_png_zip(_read_images(depth, *size), *size, depth)),
        instance_ids=decode_png_zip(_read_images(instances, *size), *size, instances).astype("int32"),
    )


def read_annotations(root: Path, sequence_id: str) -> SequenceAnnotations:
    """Return a sequence's annotations without opening its images.

    Args:
        root: Folder of the data set.
        sequence_id: The sequence.

    Raises:
        DataError: The file is missing, damaged, or belongs to another sequence.
    """
    folder = sequence_folder(root, sequence_id)
    _require_folder(folder)
    path = folder / ANNOTATIONS_FILE
    annotations = decode_annotations(read_bounded(path, MAX_ANNOTATION_BYTES, _ADVICE), path)
    if annotations.sequence_id != sequence_id:
        raise DataError(path, "sequence_id", f"is {annotations.sequence_id!r}, the folder is {sequence_id!r}")
    return annotations


def read_metadata(root: Path, sequence_id: str) -> SequenceMetadata:
    """Return a sequence's metadata: sizes, kind and the stored quality report.

    Args:
        root: Folder of the data set.
        sequence_id: The sequence.

    Raises:
        DataError: The file is missing, damaged, or belongs to another sequence.
    """
    folder = sequence_folder(root, sequence_id)
    _require_folder(folder)
    path = folder / METADATA_FILE
    metadata = decode_metadata(read_bounded(path, MAX_SMALL_JSON_BYTES, _ADVICE), path)
    if metadata.sequence_id != sequence_id:
        raise DataError(path, "sequence_id", f"is {metadata.sequence_id!r}, the folder is {sequence_id!r}")
    return metadata


def _read_images(path: Path, frames: int, width: int, height: int) -> bytes:
    # Neither a PNG nor a video of random pixels takes this much.
    limit_bytes = frames * (4 * width * height + 64 * height + 4096) + 1024**2
    return read_bounded(path, limit_bytes, _ADVICE)


def _check_agreement(folder: Path, metadata: SequenceMetadata, annotations: SequenceAnnotations) -> None:
    frames = len(annotations.world_from_camera)
    if frames != metadata.num_frames:
        problem = f"holds {frames} poses, {METADATA_FILE} says {metadata.num_frames} frames"
        raise DataError(folder / ANNOTATIONS_FILE, "world_from_camera", problem)
    for field in ("place_id", "scene_type", "kind", "pattern"):
        stated, annotated = getattr(metadata, field), getattr(annotations, field)
        if stated != annotated:
            raise DataError(folder / METADATA_FILE, field, f"is {stated!r}, the annotations say {annotated!r}")
