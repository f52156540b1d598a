"""Which way is up in a scene file, and how long its unit is: as given, or guessed and said."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64

from backsight.records.errors import DataError
from backsight.sim.embedded.scans.levels import Faces, find_slabs, storey_height
from backsight.sim.embedded.scans.limits import ScanLimits
from backsight.sim.embedded.scans.sidecar import SIDECAR_SUFFIX

UNITS: dict[str, float] = {"metres": 1.0, "centimetres": 0.01, "millimetres": 0.001, "feet": 0.3048, "inches": 0.0254}
TYPICAL_STOREY_M = (2.0, 4.0)
"""Clear height of a storey by which units are told apart."""
MOST_LOOKED_AT = 300_000
"""Faces from which the up axis is guessed: evenly picked from larger scenes."""
DECLARED_STOREY_M = (1.9, 6.5)
"""Clear height that is believed where the format says that units are metres."""
_USUAL, _COMMON, _PLAUSIBLE, _TALL, _UNSURE = 0.15, 0.05, 0.1, 0.1, 0.06


@dataclass(frozen=True)
class Orientation:
    """How a file lies in the world."""

    up: str
    metres_per_unit: float
    reasons: tuple[str, ...]
    """What was guessed and why; empty where all was given."""


def rotation_to_world(up: str) -> Float64[np.ndarray, "3 3"]:
    """Return the rotation that carries an axis of the file to the world's +y.

    Args:
        up: '+x', '-x', '+y', '-y', '+z' or '-z'.
    """
    rows = {
        "+y": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
        "-y": ((1, 0, 0), (0, -1, 0), (0, 0, -1)),
        "+z": ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
        "-z": ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
        "+x": ((0, -1, 0), (1, 0, 0), (0, 0, 1)),
        "-x": ((0, 1, 0), (-1, 0, 0), (0, 0, 1)),
    }
    return np.array(rows[up], dtype=np.float64)


def find_orientation(
    path: Path,
    faces: Faces,
    floor_faces: Bool[np.ndarray, " faces"],
    given: tuple[str | None, float | None],
    usual: tuple[str, bool],
    limits: ScanLimits,
) -> Orientation:
    """Return up axis and scale, and say what of them was guessed.

    Args:
        path: Named in errors.
        faces: In the axes and unit of the file.
        floor_faces: Those that a label calls floor.
        given: Up axis and metres per unit where they are known.
        usual: Up axis of the format, and whether it says that units are metres.
        limits: Sizes that a scene can have.

    Raises:
        DataError: No unit makes this a place for people.
    """
    reasons = []
    up, scale = given
    if up is None:
        up, reason = _guess_up(faces, floor_faces, usual)
        reasons.append(f"up axis {up} guessed: {reason}; say so with 'up' in *{SIDECAR_SUFFIX} if it is wrong")
    flat = faces.corners.reshape(-1, 3)
    extent = float((flat.max(axis=0) - flat.min(axis=0)).max())
    if scale is None:
        turned = faces.turned(rotation_to_world(up))
        scale, reason = _guess_scale(path, storey_height(turned, find_slabs(turned)), extent, usual[1], limits)
        reasons.append(f"{reason}; say so with 'metres_per_unit' in *{SIDECAR_SUFFIX} if it is wrong")
    if not limits.least_extent_m <= extent * scale <= limits.largest_extent_m:
        problem = f"the scene is {extent * scale:.4g} m long with {scale:g} metres a unit"
        raise DataError(path, "scale", problem, f"give the right metres_per_unit in {path.name}{SIDECAR_SUFFIX}")
    return Orientation(up, scale, tuple(reasons))


def _guess_up(faces: Faces, floor_faces: Bool[np.ndarray, " faces"], usual: tuple[str, bool]) -> tuple[str, str]:
    if floor_faces.any() and not floor_faces.all():
        areas = (faces.area[floor_faces, None] * np.abs(faces.normal[floor_faces])).sum(axis=0)
        axis = int(np.argmax(areas))
        middle = faces.corners[..., axis].mean(axis=1)
        floor = np.average(middle[floor_faces], weights=faces.area[floor_faces])
        rest = np.average(middle[~floor_faces], weights=faces.area[~floor_faces])
        sign = "+" if rest >= floor else "-"
        return f"{sign}{'xyz'[axis]}", "the node labelled 'floor' lies across it and below the rest"
    if len(faces.area) > MOST_LOOKED_AT:
        step = -(-len(faces.area) // MOST_LOOKED_AT)
        faces = faces.selected(np.arange(len(faces.area)) % step == 0)
    scores = {sign + axis: _up_score(faces, sign + axis, usual) for axis in "xyz" for sign in "+-"}
    order = sorted(scores, key=lambda name: -scores[name])
    best, second = order[0], order[1]
    reason = "level faces between floor and ceiling lie low along it, as furniture does"
    if scores[best] - scores[second] < _UNSURE:
        reason += f" (not sure: {second} fits nearly as well)"
    return best, reason


def _up_score(faces: Faces, up: str, usual: tuple[str, bool]) -> float:
    """Return how much an axis looks like the vertical: things stand on floors, so their tops are in the lower half."""
    turned = faces.turned(rotation_to_world(up))
    slabs = find_slabs(turned)
    flat = turned.corners.reshape(-1, 3)
    low, high = flat[:, 1].min(), flat[:, 1].max()
    extent = flat.max(axis=0) - flat.min(axis=0)
    level = turned.is_level
    heights, areas = turned.height[level], turned.area[level]
    edges = [low, *(edge for slab in slabs for edge in (slab.bottom, slab.top)), high]
    tolerance = 0.02 * (high - low)
    weighted, total = 0.0, 0.0
    for bottom, top in zip(edges[0::2], edges[1::2], strict=True):
        inside = (heights > bottom + tolerance) & (heights < top - tolerance)
        if top - bottom > 0.1 * (high - low) and inside.any():
            weighted += float((areas[inside] * (0.5 - (heights[inside] - bottom) / (top - bottom))).sum())
            total += float(areas[inside].sum())
    score = weighted / total if total > 0 else 0.0
    # A floor is a slab at the lower end that nothing much lies below.
    if not slabs or slabs[0].bottom - low > 0.2 * (high - low):
        score -= 0.2
    if extent[1] > 1.2 * min(extent[0], extent[2]):
        score -= _TALL
    if usual[1] and TYPICAL_STOREY_M[0] <= storey_height(turned, slabs) <= TYPICAL_STOREY_M[1]:
        score += _PLAUSIBLE
    if up == usual[0]:
        return score + _USUAL
    return score + (_COMMON if up in ("+y", "+z") else 0.0)


def _guess_scale(
    path: Path, storey: float, extent: float, declared_metres: bool, limits: ScanLimits
) -> tuple[float, str]:
    if declared_metres and DECLARED_STOREY_M[0] <= storey <= DECLARED_STOREY_M[1]:
        return 1.0, f"units taken for metres: the format says so and storeys are then {storey:.2f} m high"
    for unit, scale in UNITS.items():
        height_m = storey * scale
        size_m = extent * scale
        if TYPICAL_STOREY_M[0] <= height_m <= TYPICAL_STOREY_M[1] and size_m <= limits.largest_extent_m:
            return scale, f"units guessed to be {unit}: storeys are then {height_m:.2f} m high"
    problem = f"no usual unit fits: storeys are {storey:.4g} units high, the scene is {extent:.4g} units long"
    raise DataError(path, "scale", problem, f"give metres_per_unit in {path.name}{SIDECAR_SUFFIX}")
