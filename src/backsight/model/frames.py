"""Frames as a user has them, made into what the model takes."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor
from torch.nn import functional

from backsight.geometry.cells import ImageFit
from backsight.records.errors import DataError, UsageError

VIDEO_FPS = 2.0
"""Frames a second of a video that `predict` takes unless told otherwise."""
LONGEST_SIDE_PX = 960
"""Larger videos are scaled down as they are read: no preset sees more, and memory stays bounded."""
CLOCK_SHARE = 0.02
"""Share of the time between two kept frames by which a frame may come early."""
IMAGE_ENDINGS = (".png", ".jpg", ".jpeg")


def load_frames(
    frames: Sequence[np.ndarray] | str | Path, fps: float | None = None
) -> UInt8[np.ndarray, "frames height width 3"]:
    """Return frames as one array.

    Args:
        frames: RGB images, all of one size, or the path of a video or of a folder of images.
        fps: frames that are taken from each second of a video; None takes all.

    Raises:
        UsageError: an image is of another size or type than RGB uint8, or fps is not positive.
        DataError: the video or an image cannot be read.
    """
    if fps is not None and not fps > 0:
        raise UsageError(f"fps {fps}: must be positive")
    if isinstance(frames, str | Path):
        path = Path(frames)
        return _stacked(list(_folder_images(path) if path.is_dir() else _video_images(path, fps)))
    return _stacked(frames)


def _stacked(frames: Sequence[np.ndarray]) -> UInt8[np.ndarray, "frames height width 3"]:
    shapes = {(frame.shape, frame.dtype.name) for frame in frames}
    if len(shapes) != 1:
        raise UsageError(f"frames must be images of one size, found {sorted(shapes)}")
    shape, kind = shapes.pop()
    if len(shape) != 3 or shape[2] != 3 or kind != "uint8":
        raise UsageError(f"frames must be uint8 images (height, width, 3), found {kind} {shape}")
    return np.stack(list(frames))


def fit_frames(
    frames: UInt8[np.ndarray, "frames height width 3"], width_px: int, height_px: int
) -> UInt8[Tensor, "frames 3 fitted_height fitted_width"]:
    """Scale and centre-crop frames as little as needed.

    Args:
        frames: RGB.
        width_px: of the result.
        height_px: of the result.
    """
    images = torch.from_numpy(frames).permute(0, 3, 1, 2)
    if images.shape[2:] == (height_px, width_px):
        return images.contiguous()
    fit = ImageFit(images.shape[3], images.shape[2], width_px, height_px)
    left, top = round(fit.left_px), round(fit.top_px)
    cut = images[:, :, top : top + round(fit.crop_height_px), left : left + round(fit.crop_width_px)]
    scaled = functional.interpolate(
        cut.float(), size=(height_px, width_px), mode="bilinear", antialias=True, align_corners=False
    )
    return scaled.round().clamp(0, 255).to(torch.uint8)


def _folder_images(path: Path) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in IMAGE_ENDINGS)
    if not files:
        raise DataError(path, "images", f"no {', '.join(IMAGE_ENDINGS)} here", "give a folder of images or a video")
    # Only folders of images need it, and it isn't everywhere that a model is.
    import cv2

    for file in files:
        image = cv2.imread(str(file), cv2.IMREAD_COLOR)
        if image is None:
            raise DataError(file, "content", "can't be decoded", "write a PNG or JPEG")
        yield np.ascontiguousarray(image[..., ::-1])


def _video_images(path: Path, fps: float | None) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
    """Yield the frames of a video that are kept, each scaled down while only it is in memory."""
    if not path.is_file():
        raise DataError(path, "video", "no such file")
    # Only videos need it, and it isn't everywhere that a model is.
    import av
    import av.error

    kept = 0
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise DataError(path, "video", "holds no video stream")
            began_s = None
            for frame in container.decode(video=0):
                # A frame without a time of its own is taken to follow those before it.
                time_s = kept / (fps or 1.0) if frame.time is None else frame.time
                began_s = time_s if began_s is None else began_s
                # Times are rounded to the container's clock: a frame on the border must not be lost to that.
                if fps is not None and (time_s - began_s) * fps < kept - CLOCK_SHARE:
                    continue
                kept += 1
                scale = min(1.0, LONGEST_SIDE_PX / max(frame.width, frame.height))
                width, height = round(frame.width * scale), round(frame.height * scale)
                yield frame.to_ndarray(format="rgb24", width=width, height=height)
    except av.error.FFmpegError as error:
        raise DataError(path, "video", f"cannot be decoded: {error}") from error
    if not kept:
        raise DataError(path, "video", "holds no frames")
