"""A storey from above: where one can walk, what stands where, where views were taken."""

import colorsys
import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float64, UInt8

from backsight.evaluate.report.canvas import ACCENT, INK, Colour, draw_text, text_width_px
from backsight.geometry.upright_boxes import footprint_corners
from backsight.records.scene import Room, SceneObject
from backsight.records.vocabulary import CATEGORIES, UNNAMED_CATEGORY

PANEL: Colour = (255, 255, 255)
FLOOR: Colour = (236, 234, 229)
FREE: Colour = (214, 229, 219)
WALL: Colour = (74, 79, 87)
DOOR: Colour = (196, 122, 62)
WINDOW: Colour = (120, 176, 222)
STAIRS: Colour = (190, 182, 170)
UNNAMED: Colour = (186, 190, 196)

MARGIN_PX = 10
SCALE_ROOM_PX = 20
"""Left free below the map for its scale."""
NUMBER_PX = 13
_FINE = 3
"""The map is drawn so many times larger, then brought down."""
_SHIFT = 4
_THICKEST_WALL_M = 0.6
"""A wall whose box is thicker is no straight wall; its box is not drawn."""
_FLAT_M = 0.06
_SHADES = ((0.42, 0.84), (0.66, 0.58), (0.24, 0.74), (0.58, 0.80), (0.70, 0.42), (0.34, 0.58))
"""Saturation and value of the colours of categories."""


@dataclass(frozen=True)
class StoreyPlan:
    """What a map is drawn from; all in the world frame."""

    free: Bool[np.ndarray, "rows columns"]
    """Cells where an agent can stand: rows along +z, columns along +x."""
    corner_m: Float64[np.ndarray, "2"]
    """World (x, z) of the cells' corner."""
    cell_m: float
    rooms: tuple[Room, ...]
    objects: tuple[SceneObject, ...]
    """Those of this storey, the building included."""
    cameras: tuple[tuple[int, Float64[np.ndarray, "4 4"]], ...] = ()
    """Number to write and world_from_camera of the views taken on this storey."""


class _Frame:
    """From world (x, z) to pixels of a map: the longer side of the place lies along the longer side of the picture."""

    def __init__(self, plan: StoreyPlan, width_px: int, height_px: int) -> None:
        low, high = plan_extent_m(plan)
        span = np.maximum(high - low, 0.5)
        self.turned = (span[1] > span[0]) != (height_px > width_px)
        across, down = (span[1], span[0]) if self.turned else (span[0], span[1])
        room_px = np.array([width_px - 2 * MARGIN_PX, height_px - 2 * MARGIN_PX - SCALE_ROOM_PX])
        self.pixels_per_m = float(min(room_px / (across, down)))
        self._middle_m = (low + high) / 2
        self._middle_px = np.array([width_px / 2, MARGIN_PX + room_px[1] / 2])

    def pixels(self, points_m: Float64[np.ndarray, "points 2"]) -> Float64[np.ndarray, "points 2"]:
        """Return (column, row) of world (x, z); -Z is up, or to the left on a turned map."""
        offset = points_m - self._middle_m
        if self.turned:
            offset = np.stack([offset[:, 1], -offset[:, 0]], axis=-1)
        return self._middle_px + offset * self.pixels_per_m


def plan_extent_m(plan: StoreyPlan) -> tuple[Float64[np.ndarray, "2"], Float64[np.ndarray, "2"]]:
    """Return the least and largest world (x, z) of a storey's rooms and free floor, with room for walls."""
    rows, columns = np.nonzero(plan.free)
    cells = np.stack([columns, rows], axis=-1)
    points = [np.array(room.bounds_m).reshape(2, 2) for room in plan.rooms]
    if len(cells):
        ends = np.stack([cells.min(axis=0), cells.max(axis=0) + 1])
        points.append(plan.corner_m + ends * plan.cell_m)
    if not points:
        raise ValueError("a storey without rooms and without free floor has no map")
    corners = np.concatenate(points)
    return corners.min(axis=0) - 0.2, corners.max(axis=0) + 0.2


def category_colour(category: str) -> Colour:
    """Return the colour of a category on maps: the same in every picture, neighbours in the vocabulary far apart."""
    if category == UNNAMED_CATEGORY:
        return UNNAMED
    number = CATEGORIES.index(category)
    hue = (0.11 + number * 0.618034) % 1.0
    # Hues come close again 8, 13, 21, 34 and 55 names later: six shades, since none of these is a multiple of six.
    saturation, value = _SHADES[number % len(_SHADES)]
    red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(hue, saturation, value))
    return red, green, blue


def draw_floor_map(plan: StoreyPlan, width_px: int, height_px: int, caption: str = "") -> UInt8[np.ndarray, "_ _ 3"]:
    """Return the map of a storey.

    Args:
        plan: What is on the storey.
        width_px: Of the picture.
        height_px: Of the picture.
        caption: Written into the upper left corner.
    """
    frame = _Frame(plan, width_px, height_px)
    fine = np.full((height_px * _FINE, width_px * _FINE, 3), PANEL, dtype=np.uint8)
    for room in plan.rooms:
        min_x, min_z, max_x, max_z = room.bounds_m
        bounds = np.array([(min_x, min_z), (max_x, min_z), (max_x, max_z), (min_x, max_z)], dtype=np.float64)
        _fill(fine, frame.pixels(bounds), FLOOR)
    _paint_free(fine, plan, frame)
    _paint_objects(fine, plan.objects, frame)
    picture = cv2.resize(fine, (width_px, height_px), interpolation=cv2.INTER_AREA).astype(np.uint8)
    for number, pose in plan.cameras:
        _paint_camera(picture, number, pose, frame)
    _paint_scale(picture, frame)
    if caption:
        draw_text(picture, caption, (MARGIN_PX, height_px - 8), 12, INK)
    return picture


def _paint_free(fine: UInt8[np.ndarray, "_ _ 3"], plan: StoreyPlan, frame: _Frame) -> None:
    """Tint the free cells by asking each pixel's place on the grid."""
    corners = plan.corner_m + plan.cell_m * np.array([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)])
    target = (frame.pixels(corners) * _FINE).astype(np.float32)
    fine_from_grid = cv2.getAffineTransform(np.array([(0, 0), (1, 0), (0, 1)], dtype=np.float32), target)
    # A cell covers [i, i + 1), its pixel centre is i + 0.5 on both sides of the transform.
    fine_from_grid[:, 2] += fine_from_grid[:, :2] @ np.array([0.5, 0.5]) - 0.5
    size = (fine.shape[1], fine.shape[0])
    mask = cv2.warpAffine(plan.free.astype(np.uint8), fine_from_grid, size, flags=cv2.INTER_NEAREST)
    fine[mask > 0] = FREE


def _paint_objects(fine: UInt8[np.ndarray, "_ _ 3"], objects: Sequence[SceneObject], frame: _Frame) -> None:
    """Fill boxes from the lowest to the highest, then the building over them."""
    if not objects:
        return
    corners = footprint_corners([thing.box for thing in objects])
    tops = [thing.box.centre_m[1] + thing.box.size_m[1] / 2 for thing in objects]
    for index in sorted(range(len(objects)), key=lambda i: tops[i]):
        thing = objects[index]
        if not thing.is_structure:
            colour = category_colour(thing.category)
            if thing.box.size_m[1] < _FLAT_M:  # A rug is what furniture stands on: paler, so that both show.
                colour = _mixed(colour, PANEL, 0.55)
            _fill(fine, frame.pixels(corners[index]), colour, _mixed(colour, INK, 0.45))
    for category, colour in (("stairs", STAIRS), ("wall", WALL), ("window", WINDOW), ("door", DOOR)):
        for index, thing in enumerate(objects):
            thin = min(thing.box.size_m[0], thing.box.size_m[2]) <= _THICKEST_WALL_M
            if thing.category == category and (thin or category == "stairs"):
                _fill(fine, frame.pixels(_at_least_thick(corners[index], frame)), colour)
                if category == "stairs":
                    _paint_steps(fine, frame.pixels(corners[index]))


def _at_least_thick(corners: Float64[np.ndarray, "4 2"], frame: _Frame) -> Float64[np.ndarray, "4 2"]:
    """Return a rectangle widened to two pixels, so that walls without thickness show."""
    centre = corners.mean(axis=0)
    sides = np.stack([corners[1] - corners[0], corners[2] - corners[1]])
    lengths = np.linalg.norm(sides, axis=1)
    units = np.where(lengths[:, None] > 1e-9, sides / np.maximum(lengths, 1e-9)[:, None], np.eye(2))
    halves = units * (np.maximum(lengths, 2.0 / frame.pixels_per_m) / 2)[:, None]
    return centre + np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) @ halves


def _paint_steps(fine: UInt8[np.ndarray, "_ _ 3"], corners_px: Float64[np.ndarray, "4 2"]) -> None:
    """Draw lines across the longer side of a flight of stairs."""
    first, second = corners_px[1] - corners_px[0], corners_px[3] - corners_px[0]
    if np.linalg.norm(first) < np.linalg.norm(second):
        first, second = second, first
    start = corners_px[0]
    steps = max(3, int(np.linalg.norm(first) / 7))
    for step in range(1, steps):
        ends = np.stack([start + first * step / steps, start + first * step / steps + second])
        cv2.polylines(fine, [_fixed(ends * _FINE)], False, WALL, 2, cv2.LINE_AA, _SHIFT)


def _paint_camera(
    picture: UInt8[np.ndarray, "_ _ 3"], number: int, pose: Float64[np.ndarray, "4 4"], frame: _Frame
) -> None:
    """Draw a numbered dot with the wedge of its field of view."""
    ends = frame.pixels(np.stack([pose[[0, 2], 3], pose[[0, 2], 3] + pose[[0, 2], 2]]))
    place = np.clip(ends[0], NUMBER_PX, np.array(picture.shape[1::-1]) - NUMBER_PX)
    heading = math.atan2(ends[1, 1] - ends[0, 1], ends[1, 0] - ends[0, 0])
    rim = [heading + math.radians(degrees) for degrees in range(-39, 40, 6)]
    wedge = np.stack([place, *(place + 30.0 * np.array([math.cos(a), math.sin(a)]) for a in rim)])
    shade = picture.copy()
    cv2.fillPoly(shade, [_fixed(wedge)], ACCENT, cv2.LINE_AA, _SHIFT)
    cv2.addWeighted(shade, 0.35, picture, 0.65, 0.0, picture)
    cv2.circle(picture, _point(place), 8 << _SHIFT, ACCENT, -1, cv2.LINE_AA, _SHIFT)
    cv2.circle(picture, _point(place), 8 << _SHIFT, PANEL, 1, cv2.LINE_AA, _SHIFT)
    width = text_width_px(str(number), NUMBER_PX, True)
    left, base = round(place[0] - width / 2), round(place[1] + NUMBER_PX * 0.36)
    draw_text(picture, str(number), (left, base), NUMBER_PX, PANEL, True)


def _paint_scale(picture: UInt8[np.ndarray, "_ _ 3"], frame: _Frame) -> None:
    """Draw a bar of a round length at the lower right."""
    height, width = picture.shape[:2]
    length_m = next((m for m in (1, 2, 5, 10, 20) if m * frame.pixels_per_m >= 30), 50)
    bar_px = round(length_m * frame.pixels_per_m)
    right, base = width - MARGIN_PX, height - 8
    label = f"{length_m} m"
    draw_text(picture, label, (right - text_width_px(label, 12), base), 12, INK)
    right -= text_width_px(label, 12) + 6
    cv2.rectangle(picture, (right - bar_px, base - 5), (right, base - 3), INK, -1)


def _fill(
    fine: UInt8[np.ndarray, "_ _ 3"],
    corners_px: Float64[np.ndarray, "points 2"],
    colour: Colour,
    edge: Colour | None = None,
) -> None:
    points = _fixed(corners_px * _FINE)
    cv2.fillPoly(fine, [points], colour, cv2.LINE_AA, _SHIFT)
    if edge is not None:
        cv2.polylines(fine, [points], True, edge, _FINE // 2 + 1, cv2.LINE_AA, _SHIFT)


def _fixed(points: Float64[np.ndarray, "points 2"]) -> np.ndarray:
    return np.round(points * 2**_SHIFT).astype(np.int32)


def _point(place: Float64[np.ndarray, "2"]) -> tuple[int, int]:
    return round(place[0] * 2**_SHIFT), round(place[1] * 2**_SHIFT)


def _mixed(colour: Colour, other: Colour, share: float) -> Colour:
    """Return a colour with a share of another mixed in."""
    red, green, blue = (round(a * (1.0 - share) + b * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue
