"""One prediction as a picture: present view, footprints of remembered frames, targets over keyframes."""

from collections.abc import Sequence as Sized

import cv2
import numpy as np
from jaxtyping import Float32, Int64, UInt8

from backsight.evaluate.images import fitted_image
from backsight.evaluate.report.canvas import ACCENT, LINE, SOFT, Canvas
from backsight.evaluate.report.pictures import blend_map
from backsight.geometry.cells import ImageFit
from backsight.records.prediction import Prediction

PAGE_PX, MARGIN_PX, GAP_PX = 1280, 32, 16
SHOWN_FRAMES = 8
"""History frames whose footprints are drawn at most."""
CARDS_IN_ROW = 2
VIEWS_IN_ROW = 5
PRESENT = 0.5
"""Probability from which something is called present."""
LEAST_BRIGHTNESS = 0.05
"""Target maps of an instruction are drawn up to their own maximum, but never brightened more than by 1 / this."""
COMPASS_PX = 24
CELL_PX = 4
JPEG_QUALITY = 85

Image = UInt8[np.ndarray, "height width 3"]
Picture = UInt8[np.ndarray, "page_height page_width 3"]


def shown_history(prediction: Prediction) -> list[int]:
    """Return positions of the history frames to draw, in time order: spread from most to least shared with the view.

    Where fewer are present than there is room for, absent ones come along, spread over time.
    """
    presence = prediction.footprint_presence
    covered = presence * prediction.footprint.mean(axis=(1, 2))
    present, absent = np.flatnonzero(presence >= PRESENT), np.flatnonzero(presence < PRESENT)
    ordered = present[np.argsort(-covered[present], kind="stable")]
    chosen = _spread(ordered, SHOWN_FRAMES)
    return sorted([*chosen, *_spread(absent, SHOWN_FRAMES - len(chosen))])


def _spread(values: Int64[np.ndarray, " values"], count: int) -> list[int]:
    """Return at most so many of the values, evenly spread over their order, the first one among them."""
    if len(values) <= count:
        return values.tolist()
    return values[np.round(np.linspace(0, len(values) - 1, count)).astype(int)].tolist()


def draw_prediction(prediction: Prediction, frames: Sized[Image], instructions: Sized[str] = ()) -> Picture:
    """Return a picture of what the model says.

    Args:
        prediction: of `Backsight.predict`.
        frames: the images that it was made from, by frame index.
        instructions: the texts that were asked, in the order of the target maps.

    Raises:
        ValueError: there is not one text for each instruction.
    """
    if len(instructions) != len(prediction.target):
        raise ValueError(f"{len(instructions)} texts for {len(prediction.target)} instructions")
    canvas = Canvas(PAGE_PX)
    top_px = _header(canvas, prediction, frames)
    if len(prediction.history_frames):
        top_px = _footprints(canvas, prediction, frames, top_px)
    for row, text in enumerate(instructions):
        top_px = _targets(canvas, prediction, frames, row, text, top_px)
    canvas.reach(top_px + MARGIN_PX // 2)
    return canvas.image


def picture_png(picture: Picture) -> bytes:
    """Return a picture as the bytes of a PNG file."""
    done, encoded = cv2.imencode(".png", picture[..., ::-1])
    if not done:
        raise ValueError("OpenCV could not encode a PNG picture")
    return encoded.tobytes()


def picture_jpeg(picture: Picture) -> bytes:
    """Return a picture as the bytes of a JPEG file, of a quality that keeps letters clean."""
    done, encoded = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise ValueError("OpenCV could not encode a JPEG picture")
    return encoded.tobytes()


def _fitted(
    image: Image, maps: Float32[np.ndarray, "rows columns"], width_px: int
) -> UInt8[np.ndarray, "shown_height shown_width 3"]:
    height, width = image.shape[:2]
    fit = ImageFit(width, height, maps.shape[1] * CELL_PX, maps.shape[0] * CELL_PX)
    return fitted_image(image, fit, width_px)


def _any_map(prediction: Prediction) -> Float32[np.ndarray, "rows columns"]:
    """Return some map: all have one size."""
    return np.zeros(prediction.footprint.shape[1:], dtype=np.float32)


def _header(canvas: Canvas, prediction: Prediction, frames: Sized[Image]) -> int:
    """Draw the present view with what is known of it, and return where the next part begins."""
    current = prediction.info.current_frame
    view = _fitted(frames[current], _any_map(prediction), 560)
    canvas.reach(MARGIN_PX)
    canvas.paste(view, MARGIN_PX, MARGIN_PX)
    left_px, base_px = MARGIN_PX + view.shape[1] + 2 * GAP_PX, MARGIN_PX + 26
    canvas.write(f"The present view: frame {current}", left_px, base_px, 26, bold=True)
    present = int((prediction.footprint_presence >= PRESENT).sum())
    geometry = (
        "computed from the given depth and poses"
        if prediction.info.geometry == "given"
        else "estimated from images alone"
    )
    lines = [
        f"{len(prediction.history_frames)} remembered frames, {present} of them share something with this view",
        f"Footprints and bearings: {geometry}",
        f"Keyframes: {', '.join(str(frame) for frame in prediction.keyframes)}",
    ]
    for number, line in enumerate(lines):
        canvas.write(line, left_px, base_px + 36 + 26 * number, 16, SOFT)
    bar_px = base_px + 36 + 26 * len(lines) + 10
    _colour_bar(canvas, left_px, bar_px)
    key_px = bar_px + 84
    canvas.compass(np.array([0.6, 0.0, 0.8]), (left_px + COMPASS_PX, key_px + COMPASS_PX), COMPASS_PX)
    text_px = left_px + 2 * COMPASS_PX + GAP_PX
    canvas.write("where that frame was taken, seen from above:", text_px, key_px + 20, 15, SOFT)
    canvas.write("straight ahead is up, the wedge is the field of view", text_px, key_px + 41, 15, SOFT)
    border_px = key_px + 2 * COMPASS_PX + GAP_PX
    canvas.frame(left_px, border_px, 2 * COMPASS_PX, 30, ACCENT, 3)
    canvas.write("keyframe that shows what is asked for", text_px, border_px + 20, 15, SOFT)
    return MARGIN_PX + view.shape[0] + 2 * GAP_PX


def _colour_bar(canvas: Canvas, left_px: int, top_px: int) -> None:
    levels = np.linspace(0, 255, 260).astype(np.uint8)[None].repeat(14, axis=0)
    ramp = cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)[..., ::-1].astype(np.uint8)
    canvas.paste(ramp, left_px + 18, top_px)
    canvas.write("0", left_px, top_px + 13, 15, SOFT)
    canvas.write("1", left_px + 286, top_px + 13, 15, SOFT)
    canvas.write("probability that the surface was also seen in that frame,", left_px, top_px + 38, 15, SOFT)
    canvas.write("or that it shows what is asked for (of its brightest cell)", left_px, top_px + 59, 15, SOFT)


def _footprints(canvas: Canvas, prediction: Prediction, frames: Sized[Image], top_px: int) -> int:
    canvas.write("Where remembered frames lie in the present view", MARGIN_PX, top_px + 22, 20, bold=True)
    top_px += 22 + GAP_PX
    card_px = (PAGE_PX - 2 * MARGIN_PX - (CARDS_IN_ROW - 1) * 2 * GAP_PX) // CARDS_IN_ROW
    image_px = (card_px - GAP_PX // 2) // 2
    height_px = 0
    for place, position in enumerate(shown_history(prediction)):
        row, column = divmod(place, CARDS_IN_ROW)
        maps = prediction.footprint[position]
        remembered = _fitted(frames[int(prediction.history_frames[position])], maps, image_px)
        present = _fitted(frames[prediction.info.current_frame], maps, image_px)
        height_px = remembered.shape[0] + 2 * COMPASS_PX + 2 * GAP_PX
        left_px, upper_px = MARGIN_PX + column * (card_px + 2 * GAP_PX), top_px + row * height_px
        canvas.paste(remembered, left_px, upper_px)
        canvas.paste(blend_map(present, maps), left_px + image_px + GAP_PX // 2, upper_px)
        _footprint_caption(canvas, prediction, position, (left_px, upper_px + remembered.shape[0] + GAP_PX // 2))
    rows = -(-len(shown_history(prediction)) // CARDS_IN_ROW)
    return top_px + rows * height_px + GAP_PX // 2


def _footprint_caption(canvas: Canvas, prediction: Prediction, position: int, corner_px: tuple[int, int]) -> None:
    left_px, top_px = corner_px
    canvas.compass(prediction.bearing[position], (left_px + COMPASS_PX, top_px + COMPASS_PX), COMPASS_PX)
    probability = prediction.footprint_presence[position]
    said = "shares surfaces with this view" if probability >= PRESENT else "shares nothing with this view"
    text_px = left_px + 2 * COMPASS_PX + GAP_PX
    canvas.write(f"frame {prediction.history_frames[position]}", text_px, top_px + 20, 16, bold=True)
    line = f"presence {probability:.2f}: {said}; taken {prediction.distance_m[position]:.1f} m away"
    canvas.write(line, text_px, top_px + 42, 15, SOFT)


def _targets(canvas: Canvas, prediction: Prediction, frames: Sized[Image], row: int, text: str, top_px: int) -> int:
    canvas.write(f"“{text}”", MARGIN_PX, top_px + 22, 20, bold=True, width_px=PAGE_PX - 2 * MARGIN_PX)
    maps = prediction.target[row]
    brightest = float(maps.max())
    answer = prediction.answers[row] if prediction.answers else ""
    said = f"answer: {answer}" if answer else "no answer in words"
    seen = int((prediction.target_presence[row] >= PRESENT).sum())
    note = f"{said}   ·   present in {seen} of {len(maps)} keyframes   ·   brightest cell {brightest:.2f}"
    canvas.write(note, MARGIN_PX, top_px + 48, 16, SOFT, width_px=PAGE_PX - 2 * MARGIN_PX)
    top_px += 48 + GAP_PX
    view_px = (PAGE_PX - 2 * MARGIN_PX - (VIEWS_IN_ROW - 1) * GAP_PX // 2) // VIEWS_IN_ROW
    height_px = 0
    for view, frame in enumerate(prediction.keyframes):
        line, column = divmod(view, VIEWS_IN_ROW)
        picture = blend_map(
            _fitted(frames[int(frame)], maps[view], view_px), maps[view] / max(brightest, LEAST_BRIGHTNESS)
        )
        height_px = picture.shape[0] + 40
        left_px, upper_px = MARGIN_PX + column * (view_px + GAP_PX // 2), top_px + line * height_px
        canvas.paste(picture, left_px, upper_px)
        probability = prediction.target_presence[row, view]
        if probability >= PRESENT:
            canvas.frame(left_px, upper_px, view_px, picture.shape[0], ACCENT, 3)
        else:
            canvas.frame(left_px, upper_px, view_px, picture.shape[0], LINE, 1)
        name = "now" if frame == prediction.info.current_frame else f"frame {frame}"
        canvas.write(f"{name}   presence {probability:.2f}", left_px, upper_px + picture.shape[0] + 22, 15, SOFT)
    return top_px + -(-len(prediction.keyframes) // VIEWS_IN_ROW) * height_px + GAP_PX
