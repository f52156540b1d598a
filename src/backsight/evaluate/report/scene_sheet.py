"""A contact sheet of scenes: views, maps and counts, one row a scene."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8

from backsight.evaluate.report.canvas import ACCENT, LINE, SOFT, Canvas, Colour, draw_text, text_width_px
from backsight.evaluate.report.floor_map import (
    DOOR,
    FREE,
    PANEL,
    STAIRS,
    WALL,
    WINDOW,
    StoreyPlan,
    category_colour,
    draw_floor_map,
)
from backsight.records.scene_statistics import SceneStatistics

MARGIN_PX, GAP_PX = 24, 8
TITLE_PX, TEXT_PX, CHIP_PX = 19, 15, 11
HEADING_PX, LINE_PX = 28, 20
MAP_KEY: tuple[tuple[str, Colour], ...] = (
    ("free floor", FREE),
    ("door", DOOR),
    ("window", WINDOW),
    ("wall", WALL),
    ("stairs", STAIRS),
    ("view", ACCENT),
)

Picture = UInt8[np.ndarray, "_ _ 3"]


@dataclass(frozen=True)
class SceneCard:
    """What a row of the sheet shows."""

    statistics: SceneStatistics
    views: tuple[Picture, ...]
    """All of one size; numbered from 1 in this order."""
    storeys: tuple[StoreyPlan, ...]


def cells_of_maps(storeys: int, cells: int) -> int:
    """Return how many of a row's cells are maps: one a storey, and at least one cell is left for a view."""
    return min(storeys, cells - 1)


def draw_sheet(cards: Sequence[SceneCard], heading: str, note: str, cells: int) -> UInt8[np.ndarray, "height width 3"]:
    """Return the contact sheet.

    Args:
        cards: Scenes in the order of their rows; each has as many views as its maps leave cells.
        heading: Large, at the top.
        note: Below it.
        cells: Pictures in a row, maps included; at least 2.

    Raises:
        ValueError: There is no card, views differ in size, or a card does not fill its row.
    """
    sizes = {view.shape[:2] for card in cards for view in card.views}
    if len(sizes) != 1:
        raise ValueError(f"a sheet needs views of one size, got {sorted(sizes)}")
    height_px, width_px = sizes.pop()
    canvas = Canvas(2 * MARGIN_PX + cells * width_px + (cells - 1) * GAP_PX)
    room_px = canvas.width_px - 2 * MARGIN_PX
    top_px = MARGIN_PX + HEADING_PX
    canvas.write(heading, MARGIN_PX, top_px - 4, HEADING_PX, bold=True, width_px=room_px)
    top_px += 24
    top_px = _write_parts(canvas, note.split(" "), " ", MARGIN_PX, top_px) + 26
    _chips(canvas, MAP_KEY, top_px, "maps:")
    top_px += 20
    for card in cards:
        maps = cells_of_maps(len(card.storeys), cells)
        if len(card.views) + maps != cells:
            raise ValueError(f"{card.statistics.scene_id}: {len(card.views)} views and {maps} maps for {cells} cells")
        top_px = _row(canvas, card, maps, (width_px, height_px), top_px)
    canvas.reach(top_px + MARGIN_PX // 2)
    return canvas.image


def counted_parts(statistics: SceneStatistics) -> list[str]:
    """Return what a scene holds, in words."""
    parts = [
        _number(statistics.rooms, "room"),
        f"{_number(statistics.objects, 'thing')} of {_number(len(statistics.categories), 'kind')}",
        _number(statistics.structure.get("door", 0), "door"),
        _number(statistics.structure.get("window", 0), "window"),
        f"{' + '.join(f'{area:.0f}' for area in statistics.navigable_m2)} m² to stand on",
    ]
    if statistics.triangles is not None:
        parts.append(_number(statistics.triangles, "triangle"))
    if statistics.textures is not None:
        parts.append(_number(statistics.textures, "texture"))
    return parts


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _row(canvas: Canvas, card: SceneCard, maps: int, size_px: tuple[int, int], top_px: int) -> int:
    """Draw one scene and return where the next row begins."""
    width_px, height_px = size_px
    right_px = canvas.width_px - MARGIN_PX
    top_px += 12
    canvas.reach(top_px + 1)
    canvas.paste(np.full((1, right_px - MARGIN_PX, 3), LINE, dtype=np.uint8), MARGIN_PX, top_px)
    base_px = top_px + TITLE_PX + 12
    title = card.statistics.scene_id
    longest_px = (right_px - MARGIN_PX) // 2
    canvas.write(title, MARGIN_PX, base_px, TITLE_PX, bold=True, width_px=longest_px)
    left_px = MARGIN_PX + min(text_width_px(title, TITLE_PX, True), longest_px) + 18
    base_px = _write_parts(canvas, counted_parts(card.statistics), "  ·  ", left_px, base_px)
    top_px = base_px + 12
    for place, view in enumerate(card.views):
        left_px = MARGIN_PX + place * (width_px + GAP_PX)
        canvas.paste(_numbered(view, place + 1), left_px, top_px)
    for storey in range(maps):
        caption = ""
        if len(card.storeys) > 1:
            caption = f"storey {storey + 1} of {len(card.storeys)}"
        left_px = MARGIN_PX + (len(card.views) + storey) * (width_px + GAP_PX)
        canvas.paste(draw_floor_map(card.storeys[storey], width_px, height_px, caption), left_px, top_px)
        canvas.frame(left_px, top_px, width_px, height_px, LINE, 1)
    base_px = top_px + height_px + 22
    kinds = [(f"{name} {count}", category_colour(name)) for name, count in card.statistics.categories.items()]
    _chips(canvas, kinds, base_px)
    return base_px + 8


def _write_parts(canvas: Canvas, parts: Sequence[str], separator: str, left_px: int, base_px: int) -> int:
    """Write parts one after the other, on as many lines as they need, and return where the last line stands."""
    line = ""
    for part in parts:
        longer = f"{line}{separator}{part}" if line else part
        if line and left_px + text_width_px(longer, TEXT_PX) > canvas.width_px - MARGIN_PX:
            canvas.write(line, left_px, base_px, TEXT_PX, SOFT)
            left_px, base_px, longer = MARGIN_PX, base_px + LINE_PX, part
        line = longer
    canvas.write(line, left_px, base_px, TEXT_PX, SOFT, width_px=canvas.width_px - MARGIN_PX - left_px)
    return base_px


def _chips(canvas: Canvas, entries: Sequence[tuple[str, Colour]], base_px: int, lead: str = "") -> None:
    """Write names with a square of their colour before each, as many as fit into one line."""
    left_px, right_px = MARGIN_PX, canvas.width_px - MARGIN_PX
    if lead:
        canvas.write(lead, left_px, base_px, TEXT_PX, SOFT)
        left_px += text_width_px(lead, TEXT_PX) + 12
    canvas.reach(base_px + 6)
    for index, (text, colour) in enumerate(entries):
        left = len(entries) - index - 1
        more = f"and {left} more"
        needed = CHIP_PX + 6 + text_width_px(text, TEXT_PX)
        rest = 16 + text_width_px(more, TEXT_PX) if left else 0
        if left_px + needed + rest > right_px:
            canvas.write(f"and {left + 1} more", left_px, base_px, TEXT_PX, SOFT, width_px=right_px - left_px)
            return
        canvas.paste(np.full((CHIP_PX, CHIP_PX, 3), colour, dtype=np.uint8), left_px, base_px - CHIP_PX)
        canvas.write(text, left_px + CHIP_PX + 6, base_px, TEXT_PX, SOFT)
        left_px += needed + 16


def _numbered(view: Picture, number: int) -> Picture:
    """Return a view with its number in the upper left corner."""
    picture = view.copy()
    cv2.circle(picture, (16, 16), 11, ACCENT, -1, cv2.LINE_AA)
    cv2.circle(picture, (16, 16), 11, PANEL, 1, cv2.LINE_AA)
    width = text_width_px(str(number), TEXT_PX, True)
    draw_text(picture, str(number), (round(16.5 - width / 2), 21), TEXT_PX, PANEL, True)
    return picture
