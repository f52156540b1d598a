"""Frames as a user has them, made into what the model takes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor
from torch.nn import functional

from backsight.geometry.cells import ImageFit
from backsight.records.errors import DataError, UsageError


def load_frames(
    frames: Sequence[np.ndarray] | str | Path,
) -> UInt8[np.ndarray, "frames height width 3"]:
    """Return frames as one array.

    Args:
        frames: RGB images, all of one size, or the path of a video.

    Raises:
        UsageError: an image is of another size or type than RGB uint8.
        DataError: the video cannot be read.
    """
    if isinstance(frames, str | Path):
        return _read_video(Path(frames))
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


def _read_video(path: Path) -> UInt8[np.ndarray, "frames height width 3"]:
    if not path.is_file():
        raise DataError(path, "video", "no such file")
    # Only videos need it, and it isn't everywhere that a model is.
    import av
    import av.error

    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise DataError(path, "video", "holds no video stream")
            images = [image.to_ndarray(format="rgb24") for image in container.decode(video=0)]
    except av.error.FFmpegError as error:
        raise DataError(path, "video", f"cannot be decoded: {error}") from error
    if not images:
        raise DataError(path, "video", "holds no frames")
    return load_frames(images)
