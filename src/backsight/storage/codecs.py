"""Images to bytes and back: H.264 for colour, zips of 16-bit PNGs for depth and instances."""

import io
import struct
import zipfile
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter
from jaxtyping import Float32, Int32, UInt8, UInt16

from backsight.records.errors import DataError, UsageError
from backsight.storage.layout import MAX_FRAMES, MAX_PIXELS, MAX_SIDE_PX
from backsight.storage.png import decode_png, encode_png

CRF = 23
PRESET = "veryfast"
"""Of x264: at 256x256 files within 3 % of those of 'medium', 0.3 to 0.6 dB below its pictures, in half its time."""
FRAMES_PER_KEYFRAME = 8
X264_PARAMETERS = "cpu-independent=1:bframes=0"
"""Without cpu-independent x264 plans its bits with approximate arithmetic, and equal images now and then give other
bytes, even on one machine. Without B-frames, which look ahead, files are 4 % larger, their pictures as good, and
encoding takes four fifths of the time; between keyframes so near there is little for such frames to win."""
DEPTH_UNITS_PER_M = 1000.0
MAX_UINT16 = 65535
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


def check_image_size(frames: int, width: int, height: int) -> None:
    """Check that images of this size can be stored.

    Args:
        frames: Number of frames.
        width: Image width [px].
        height: Image height [px].

    Raises:
        UsageError: The size is odd (the video halves its colour planes) or out of range.
    """
    if not 1 <= frames <= MAX_FRAMES:
        raise UsageError(f"{frames} frames: a sequence holds 1 to {MAX_FRAMES}; cut the walk into several")
    if width % 2 or height % 2 or not (2 <= width <= MAX_SIDE_PX and 2 <= height <= MAX_SIDE_PX):
        raise UsageError(f"image size {width}x{height}: use even sides of 2 to {MAX_SIDE_PX} pixels")
    if frames * width * height > MAX_PIXELS:
        problem = f"{frames} frames of {width}x{height} pixels: a sequence holds at most {MAX_PIXELS} pixels"
        raise UsageError(f"{problem}; cut the walk into several")


def encode_rgb(rgb: UInt8[np.ndarray, "frames height width 3"], frame_rate_hz: float) -> bytes:
    """Return the frames as an MP4 with H.264, the same bytes on every call.

    Args:
        rgb: sRGB images.
        frame_rate_hz: Frames a second.

    Raises:
        UsageError: Sides are odd or too large.
    """
    frames, height, width = rgb.shape[:3]
    check_image_size(frames, width, height)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        options = {"crf": str(CRF), "preset": PRESET, "g": str(FRAMES_PER_KEYFRAME), "x264-params": X264_PARAMETERS}
        rate = Fraction(frame_rate_hz).limit_denominator(1000)
        stream = container.add_stream("libx264", rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        context = stream.codec_context
        # x264 places its slices by the number of threads, so one thread keeps the bytes the same everywhere.
        context.thread_count = 1
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.IEC61966_2_1
        # One for all frames: its tables cost as much as the conversion of a small image.
        reformatter = VideoReformatter()
        for image in rgb:
            frame = reformatter.reformat(
                av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24"),
                format="yuv420p",
                dst_colorspace=Colorspace.ITU709,
                dst_color_range=ColorRange.MPEG,
            )
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return buffer.getvalue()


def decode_rgb(
    data: bytes, frames: int, width: int, height: int, path: Path
) -> UInt8[np.ndarray, "frames height width 3"]:
    """Return exactly the frames that were encoded.

    Args:
        data: The MP4's bytes.
        frames: Number of frames that it must hold.
        width: Image width that it must have [px].
        height: Image height that it must have [px].
        path: Where the bytes come from, for messages.

    Raises:
        DataError: It is damaged, or holds other frames than said.
    """
    advice = "collect the sequence again or restore it from a copy"
    images: list[np.ndarray] = []
    try:
        with av.open(io.BytesIO(data), "r", format="mp4", metadata_errors="replace") as container:
            if not container.streams.video:
                raise DataError(path, "video", "holds no video stream", advice)
            stream = container.streams.video[0]
            codec = "of no known codec" if stream.codec_context is None else stream.codec_context.name
            if codec != "h264":
                raise DataError(path, "video", f"is {codec}, expected h264", advice)
            if (stream.width, stream.height) != (width, height):
                problem = f"is {stream.width}x{stream.height}, the sequence says {width}x{height}"
                raise DataError(path, "size", problem, advice)
            stream.codec_context.thread_count = 1
            for frame in container.decode(stream):
                if len(images) == frames or (frame.width, frame.height) != (width, height):
                    raise DataError(path, "frames", f"holds more or other than {frames} frames", advice)
                images.append(frame.to_ndarray(format="rgb24", src_colorspace=Colorspace.ITU709))
    except av.error.FFmpegError as error:
        raise DataError(path, "video", f"can't be decoded: {error}", advice) from error
    if len(images) != frames:
        raise DataError(path, "frames", f"{len(images)} can be decoded, the sequence says {frames}", advice)
    return np.stack(images)


def depth_to_mm(
    depth_m: Float32[np.ndarray, "frames height width"], path: Path
) -> UInt16[np.ndarray, "frames height width"]:
    """Return depth as it is stored: whole millimetres, 0 where nothing was measured.

    Args:
        depth_m: Planar depth [m].
        path: Where it will be stored, for messages.

    Raises:
        DataError: A value is not finite, negative or over 65.535 m.
    """
    # A comparison with NaN is false, so two numbers tell whether any value has to be looked for.
    if depth_m.size and not (depth_m.min() >= 0.0 and depth_m.max() <= MAX_UINT16 / DEPTH_UNITS_PER_M):
        wrong = ~np.isfinite(depth_m) | (depth_m < 0.0) | (depth_m > MAX_UINT16 / DEPTH_UNITS_PER_M)
        frame, row, column = (int(index) for index in np.argwhere(wrong)[0])
        value = float(depth_m[frame, row, column])
        raise DataError(
            path,
            f"frame {frame}, row {row}, column {column}",
            f"depth {value} m can't be stored (0 to 65.535 m)",
            "use 0 where nothing was measured or is too far",
        )
    millimetres = np.multiply(depth_m, DEPTH_UNITS_PER_M, dtype=np.float64)
    stored = np.rint(millimetres, out=millimetres).astype(np.uint16)
    # A reading under half a millimetre is still a reading; 0 would say that there is none.
    stored[(stored == 0) & (depth_m > 0.0)] = 1
    return stored


def mm_to_depth(
    millimetres: UInt16[np.ndarray, "frames height width"],
) -> Float32[np.ndarray, "frames height width"]:
    """Return stored depth in metres.

    Args:
        millimetres: Planar depth [mm], 0 where nothing was measured.
    """
    return (millimetres / DEPTH_UNITS_PER_M).astype(np.float32)


def instances_to_uint16(
    instance_ids: Int32[np.ndarray, "frames height width"], path: Path
) -> UInt16[np.ndarray, "frames height width"]:
    """Return instance ids as they are stored.

    Args:
        instance_ids: 0 where nothing is known.
        path: Where they will be stored, for messages.

    Raises:
        DataError: An id is negative or over 65535.
    """
    wrong = (instance_ids < 0) | (instance_ids > MAX_UINT16)
    if wrong.any():
        frame, row, column = (int(index) for index in np.argwhere(wrong)[0])
        value = int(instance_ids[frame, row, column])
        problem = f"instance id {value} can't be stored (0 to {MAX_UINT16})"
        raise DataError(path, f"frame {frame}, row {row}, column {column}", problem, "number the instances from 1")
    return instance_ids.astype(np.uint16)


def frame_file_name(frame: int) -> str:
    """Return the name of a frame's image inside its zip.

    Args:
        frame: Index of the frame.
    """
    return f"{frame:06d}.png"


def encode_png_zip(images: UInt16[np.ndarray, "frames height width"]) -> bytes:
    """Return the images as a zip of 16-bit PNGs, the same bytes on every call.

    Args:
        images: Depth [mm] or instance ids.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for frame, image in enumerate(images):
            entry = zipfile.ZipInfo(frame_file_name(frame), _ZIP_DATE)
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, encode_png(image))
    return buffer.getvalue()


def decode_png_zip(
    data: bytes, frames: int, width: int, height: int, path: Path
) -> UInt16[np.ndarray, "frames height width"]:
    """Return the images of a zip of 16-bit PNGs.

    Args:
        data: The zip's bytes.
        frames: Number of images that it must hold.
        width: Image width that it must have [px].
        height: Image height that it must have [px].
        path: Where the bytes come from, for messages.

    Raises:
        DataError: It is damaged, or holds other images than said.
    """
    advice = "collect the sequence again or restore it from a copy"
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            names = [entry.filename for entry in entries]
            if names != [frame_file_name(frame) for frame in range(frames)]:
                problem = f"holds {len(names)} files, expected 000000.png and on for {frames} frames"
                raise DataError(path, "files", problem, advice)
            for entry in entries:
                if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > len(data):
                    raise DataError(path, entry.filename, "must be stored without compression", advice)
            return np.stack([decode_png(archive.read(e), width, height, path, e.filename) for e in entries])
    except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, ValueError, OverflowError, struct.error) as error:
        raise DataError(path, "zip", f"is damaged: {error}", advice) from error
