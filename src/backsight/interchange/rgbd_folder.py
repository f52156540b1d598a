"""Importer for recorded RGB-D walks: a folder of images, depth images, poses and intrinsics.

images/*.png or *.jpg   colour
depth/*.png             16-bit, millimetres, 0 = none, registered to the colour image of the same name
poses.txt               one flattened 4x4 world_from_camera a line, in the order of the sorted names
K.txt                   3x3 intrinsics in pixels of the images
"""

import dataclasses
import re
import struct
import zlib
from pathlib import Path

import cv2
import msgspec
import numpy as np
from jaxtyping import Float32, Float64, Shaped, UInt8
from rich.progress import track

from backsight.geometry.cells import ImageFit
from backsight.geometry.poses import check_rigid
from backsight.records.errors import DataError, UsageError
from backsight.records.sequence import FORMAT_VERSION, Sequence, SequenceAnnotations
from backsight.storage.layout import SEQUENCE_ID_PATTERN

MILLIMETRES_PER_M = 1000.0
_PNG_START = b"\x89PNG\r\n\x1a\n"
_JPEG_END = b"\xff\xd9"
_LARGEST_UINT16 = 65535
# Poses and depth know nothing of EXIF, so its orientation must not turn the image.
_COLOUR = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION


def read_rgbd_folder(
    path: Path,
    *,
    stride: int = 1,
    image_size: tuple[int, int] | None = None,
    frame_rate_hz: float = 2.0,
) -> Sequence:
    """Read a recorded walk, after checking every file of it; there are no objects and no instructions.

    Args:
        path: Folder as described at the top of this module; its name becomes the sequence's and the place's id.
        stride: Take every so manieth frame.
        image_size: Width and height to return: cropped around the centre as little as needed, colour averaged over
            areas, depth taken from the nearest pixel (never averaged), intrinsics to match. None keeps the stored size.
        frame_rate_hz: Frames a second of the frames that are returned.

    Raises:
        DataError: A file is missing, damaged or does not agree with the others.
        UsageError: An argument is impossible.
    """
    if stride < 1:
        raise UsageError(f"stride {stride}: must be at least 1")
    if image_size is not None and min(image_size) < 1:
        raise UsageError(f"image size {image_size[0]}x{image_size[1]}: sides must be at least 1 pixel")
    image_paths, depth_paths = _paired_paths(path)
    if SEQUENCE_ID_PATTERN.fullmatch(path.resolve().name) is None:
        raise DataError(path, "name", "can't be a sequence's id", "use only A-Z a-z 0-9 _ - . in the folder's name")
    world_from_camera = _read_poses(path / "poses.txt", len(image_paths))
    height, width = _decode(image_paths[0], _COLOUR).shape[:2]
    intrinsics = _read_intrinsics(path / "K.txt", width, height)

    fit = ImageFit(width, height, *(image_size or (width, height)))
    chosen = range(0, len(image_paths), stride)
    rgb = np.empty((len(chosen), fit.target_height, fit.target_width, 3), dtype=np.uint8)
    depth_m = np.empty(rgb.shape[:3], dtype=np.float32)
    pairs = list(zip(image_paths, depth_paths, strict=True))
    for index, (image_path, depth_path) in enumerate(track(pairs, f"reading {path.name}", transient=True)):
        image, readings = _read_image(image_path, width, height), _read_depth(depth_path, width, height)
        if index % stride == 0:
            rgb[index // stride] = _fit_colour(image, fit)
            depth_m[index // stride] = _fit_depth(readings, fit)
    return _recorded_sequence(
        path, (rgb, depth_m), fit.fit_intrinsics(intrinsics), world_from_camera[chosen], frame_rate_hz
    )


def windows(sequence: Sequence, length: int, step: int) -> list[Sequence]:
    """Return overlapping or adjoining pieces of a walk as sequences; a rest shorter than `length` is left out.

    Args:
        sequence: Walk without instructions.
        length: Frames a piece.
        step: Frames from the start of one piece to the start of the next.

    Raises:
        UsageError: The walk is shorter than one piece, an argument is not positive, or the walk has instructions (what
            they say is true of the whole walk up to their frame).
    """
    if length < 1 or step < 1:
        raise UsageError(f"length {length} and step {step} must be at least 1")
    if sequence.num_frames < length:
        raise UsageError(f"{sequence.annotations.sequence_id}: {sequence.num_frames} frames, a window needs {length}")
    if sequence.annotations.instructions:
        raise UsageError(f"{sequence.annotations.sequence_id}: a walk with instructions can't be cut")
    return [_window(sequence, start, length) for start in range(0, sequence.num_frames - length + 1, step)]


def _window(sequence: Sequence, start: int, length: int) -> Sequence:
    frames = slice(start, start + length)
    whole = sequence.annotations
    relations = tuple(
        msgspec.structs.replace(relation, frame=None if relation.frame is None else relation.frame - start)
        for relation in whole.relations
        if relation.frame is None or start <= relation.frame < start + length
    )
    annotations = msgspec.structs.replace(
        whole,
        sequence_id=f"{whole.sequence_id}-{start:06d}",
        world_from_camera=whole.world_from_camera[frames],
        visible_objects=whole.visible_objects[frames],
        relations=relations,
    )
    return dataclasses.replace(
        sequence,
        rgb=sequence.rgb[frames],
        depth_m=sequence.depth_m[frames],
        instance_ids=sequence.instance_ids[frames],
        world_from_camera=sequence.world_from_camera[frames],
        annotations=annotations,
    )


def _recorded_sequence(
    path: Path,
    images: tuple[UInt8[np.ndarray, "frames height width 3"], Float32[np.ndarray, "frames height width"]],
    intrinsics: Float64[np.ndarray, "3 3"],
    world_from_camera: Float64[np.ndarray, "frames 4 4"],
    frame_rate_hz: float,
) -> Sequence:
    rgb, depth_m = images
    name = path.resolve().name
    annotations = SequenceAnnotations(
        format_version=FORMAT_VERSION,
        sequence_id=name,
        place_id=name,
        scene_type="recording",
        kind="recorded",
        pattern="recorded",
        seed=0,
        simulator="recording",
        simulator_version="1",
        frame_rate_hz=frame_rate_hz,
        intrinsics=tuple((float(x), float(y), float(one)) for x, y, one in intrinsics),
        world_from_camera=tuple(tuple(float(value) for value in pose.ravel()) for pose in world_from_camera),
        visible_objects=((),) * len(rgb),
    )
    instance_ids = np.zeros(depth_m.shape, dtype=np.int32)
    return Sequence(rgb, depth_m, instance_ids, intrinsics, world_from_camera, annotations)


def _paired_paths(path: Path) -> tuple[list[Path], list[Path]]:
    """Return the paths of colour and depth images, which belong together by name."""
    if not path.is_dir():
        raise DataError(path, "folder", "is missing", "give a folder with images/, depth/, poses.txt and K.txt")
    for folder in ("images", "depth"):
        if not (path / folder).is_dir():
            raise DataError(path / folder, "folder", "is missing", f"put the {folder} there")
    image_paths = sorted(p for p in (path / "images").iterdir() if p.suffix.lower() in (".png", ".jpg", ".jpeg"))
    depth_paths = sorted((path / "depth").glob("*.png"))
    if not image_paths:
        raise DataError(path / "images", "files", "no *.png or *.jpg", "put the colour images there")
    if len(depth_paths) != len(image_paths):
        problem = f"{len(depth_paths)} depth images for {len(image_paths)} colour images"
        raise DataError(path / "depth", "files", problem, "give every colour image one depth image")
    for image_path, depth_path in zip(image_paths, depth_paths, strict=True):
        if image_path.stem != depth_path.stem:
            raise DataError(depth_path, "name", f"belongs to no image; expected {image_path.stem}.png", "rename it")
    numbers = [[int(number) for number in re.findall(r"\d+", p.stem)] for p in image_paths]
    for earlier, later, image_path in zip(numbers, numbers[1:], image_paths[1:], strict=False):
        if len(earlier) == len(later) and earlier > later:
            advice = "pad the numbers with zeros, in both folders"
            raise DataError(image_path, "name", "sorted names are not in the order of their numbers", advice)
    return image_paths, depth_paths


def _read_numbers(path: Path, columns: int) -> Float64[np.ndarray, "rows columns"]:
    """Return the numbers of a text file, so many on each line that is not empty."""
    if not path.is_file():
        raise DataError(path, "file", "is missing", "see backsight.interchange.rgbd_folder for the layout")
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        if len(words) != columns:
            raise DataError(path, f"line {number}", f"{len(words)} numbers instead of {columns}", "write them all")
        try:
            rows.append([float(word) for word in words])
        except ValueError as error:
            raise DataError(path, f"line {number}", str(error), "write plain numbers") from error
    numbers = np.array(rows, dtype=np.float64).reshape(-1, columns)
    if not np.isfinite(numbers).all():
        row = int(np.argmin(np.isfinite(numbers).all(axis=1)))
        raise DataError(path, f"row {row + 1}", "holds a number that is not finite", "leave that frame out")
    return numbers


def _read_poses(path: Path, frames: int) -> Float64[np.ndarray, "frames 4 4"]:
    poses = _read_numbers(path, 16).reshape(-1, 4, 4)
    if len(poses) != frames:
        raise DataError(path, "lines", f"{len(poses)} poses for {frames} images", "write one pose for every image")
    try:
        check_rigid(poses)
    except ValueError as error:
        advice = "counted from 0; write world_from_camera matrices row by row, rotation and metres"
        raise DataError(path, "pose", str(error), advice) from error
    return poses


def _read_intrinsics(path: Path, width: int, height: int) -> Float64[np.ndarray, "3 3"]:
    intrinsics = _read_numbers(path, 3)
    if intrinsics.shape != (3, 3) or intrinsics[1, 0] != 0.0 or not np.array_equal(intrinsics[2], [0.0, 0.0, 1.0]):
        raise DataError(path, "matrix", "is no camera matrix", "write fx 0 cx, 0 fy cy, 0 0 1 on three lines")
    if min(intrinsics[0, 0], intrinsics[1, 1]) <= 0.0:
        raise DataError(path, "focal length", "is not positive", "write it in pixels of the images")
    if not (0.0 < intrinsics[0, 2] < width and 0.0 < intrinsics[1, 2] < height):
        problem = f"({intrinsics[0, 2]:g}, {intrinsics[1, 2]:g}) lies outside the {width}x{height} images"
        raise DataError(path, "principal point", problem, "scale the matrix to the size of the images")
    return intrinsics


def _check_whole(path: Path, data: bytes) -> None:
    """Refuse a PNG or JPEG that is cut off or altered: decoders fill in what is missing without a word."""
    advice = "copy it again from its source"
    if not data.startswith(_PNG_START):
        if not data.rstrip(b"\0").endswith(_JPEG_END):
            raise DataError(path, "content", "is no whole PNG or JPEG", advice)
        return
    position, kind = len(_PNG_START), b""
    while kind != b"IEND":
        if position + 12 > len(data):
            raise DataError(path, "content", "ends early", advice)
        (length,) = struct.unpack_from(">I", data, position)
        kind = data[position + 4 : position + 8]
        end = position + 8 + length
        if end + 4 > len(data):
            raise DataError(path, "content", "ends early", advice)
        if zlib.crc32(data[position + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
            raise DataError(path, "content", "does not match its checksum", advice)
        position = end + 4


def _decode(path: Path, flags: int) -> Shaped[np.ndarray, "..."]:
    data = path.read_bytes()
    _check_whole(path, data)
    image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flags)
    if image is None:
        raise DataError(path, "content", "can't be decoded", "write a PNG or JPEG")
    return image


def _check_size(path: Path, image: Shaped[np.ndarray, "..."], width: int, height: int) -> None:
    if image.shape[:2] != (height, width):
        problem = f"{image.shape[1]}x{image.shape[0]}, the first image has {width}x{height}"
        raise DataError(path, "size", problem, "bring all images and depth images to one size")


def _read_image(path: Path, width: int, height: int) -> UInt8[np.ndarray, "height width 3"]:
    image = _decode(path, _COLOUR)
    _check_size(path, image, width, height)
    return np.ascontiguousarray(image[..., ::-1])


def _read_depth(path: Path, width: int, height: int) -> Float32[np.ndarray, "height width"]:
    readings = _decode(path, cv2.IMREAD_UNCHANGED)
    if readings.dtype != np.uint16 or readings.ndim != 2:
        raise DataError(path, "type", f"{readings.dtype} with {readings.ndim} axes", "write 16-bit grey, millimetres")
    _check_size(path, readings, width, height)
    if (readings == _LARGEST_UINT16).any():
        raise DataError(path, "value", "holds 65535, which some recorders write for 'none'", "write 0 for 'none'")
    return (readings / MILLIMETRES_PER_M).astype(np.float32)


def _area_weights(source: int, start_px: float, length_px: float, target: int) -> Float32[np.ndarray, "target source"]:
    """Return which share of each target pixel every source pixel covers, along one axis."""
    borders = start_px + np.arange(target + 1) * (length_px / target)
    first, last = np.arange(source), np.arange(source) + 1
    overlap = np.minimum(borders[1:, None], last) - np.maximum(borders[:-1, None], first)
    return (np.maximum(overlap, 0.0) * (target / length_px)).astype(np.float32)


def _fit_colour(image: UInt8[np.ndarray, "height width 3"], fit: ImageFit) -> UInt8[np.ndarray, "th tw 3"]:
    if image.shape[:2] == (fit.target_height, fit.target_width):
        return image
    columns = _area_weights(fit.source_width, fit.left_px, fit.crop_width_px, fit.target_width)
    rows = _area_weights(fit.source_height, fit.top_px, fit.crop_height_px, fit.target_height)
    rows_done = np.tensordot(rows, image.astype(np.float32), axes=(1, 0))
    averaged = np.tensordot(rows_done, columns, axes=(1, 1)).transpose(0, 2, 1)
    return np.clip(np.rint(averaged), 0, 255).astype(np.uint8)


def _fit_depth(depth_m: Float32[np.ndarray, "height width"], fit: ImageFit) -> Float32[np.ndarray, "th tw"]:
    columns = fit.left_px + (np.arange(fit.target_width) + 0.5) * (fit.crop_width_px / fit.target_width)
    rows = fit.top_px + (np.arange(fit.target_height) + 0.5) * (fit.crop_height_px / fit.target_height)
    return depth_m[np.floor(rows).astype(np.int64)[:, None], np.floor(columns).astype(np.int64)]
