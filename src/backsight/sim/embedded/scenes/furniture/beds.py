"""Beds."""

from backsight.sim.embedded.scenes.finishes import Finishes, Paint
from backsight.sim.embedded.scenes.furniture.joinery import add_legs
from backsight.sim.embedded.scenes.piece import HIDE_BOTTOM, HIDE_ENDS, Piece


def bed(finishes: Finishes, paint: Paint, width_m: float, variant: int) -> Piece:
    """Return a bed with headboard, mattress, pillows and a blanket in the named colour.

    Args:
        finishes: materials of the flat.
        paint: colour of the blanket.
        width_m: 0.9 for one person to 1.8 for two.
        variant: 0 panel headboard on legs, 1 slatted head and foot, 2 upholstered box bed.
    """
    rng = finishes.rng
    piece = Piece("bed", paint.name)
    length, frame_top = rng.uniform(2.02, 2.12), rng.uniform(0.28, 0.36)
    head = rng.uniform(0.9, 1.15)
    frame = finishes.shade(paint, 0.9) if variant == 2 else finishes.timber
    blanket = finishes.material(paint, "fabric")
    back = -length / 2
    low = 0.0 if variant == 2 else 0.14
    if low:
        add_legs(piece, (width_m - 0.04, length - 0.04), low, 0.07, frame, False)
    piece.box((0.0, low, 0.0), (width_m, frame_top - low, length), frame)
    if variant == 1:
        _slatted_end(piece, frame, (width_m, head, back + 0.03))
        _slatted_end(piece, frame, (width_m, frame_top + 0.28, -back - 0.03))
    else:
        thick = 0.12 if variant == 2 else 0.05
        piece.box((0.0, 0.0, back + thick / 2), (width_m + 0.06, head, thick), frame)
    mattress = finishes.white
    piece.box((0.0, frame_top, 0.05), (width_m - 0.08, 0.19, length - 0.18), mattress, taper=0.98, hidden=HIDE_BOTTOM)
    top = frame_top + 0.19
    covered = length * rng.uniform(0.68, 0.76)
    hem = low + 0.05
    at = (0.0, hem, -back - 0.04 - covered / 2)
    piece.box(at, (width_m + 0.03, top + 0.035 - hem, covered), blanket, taper=0.965, hidden=HIDE_BOTTOM)
    fold = (0.0, top + 0.035, -back - covered + 0.06)
    piece.box(fold, (width_m - 0.02, 0.018, 0.24), finishes.shade(paint, 1.06))
    front, start = -back - 0.08, -back - covered + 0.2
    piece.offer("on", (0.0, top + 0.035, (front + start) / 2), (width_m * 0.9, front - start))
    if low:
        piece.offer("under", (0.0, 0.0, 0.02), (width_m - 0.22, length - 0.3), low - 0.01)
    pillows = 2 if width_m > 1.3 else 1
    for number in range(pillows):
        x = (number - (pillows - 1) / 2) * (width_m - 0.1) / 2
        size = (min(0.68, (width_m - 0.16) / pillows), 0.13, 0.42)
        piece.box((x, top, back + 0.40), size, finishes.white, (0.18, 0.0, 0.0), 0.78)
    return piece


def _slatted_end(piece: Piece, material: int, place_m: tuple[float, float, float]) -> None:
    width, top, z = place_m
    for side in (-1, 1):
        piece.box((side * (width / 2 - 0.03), 0.0, z), (0.07, top, 0.06), material)
    piece.box((0.0, top - 0.09, z), (width - 0.1, 0.07, 0.05), material)
    for number in range(5):
        x = (number - 2) * (width - 0.2) / 5
        piece.box((x, 0.3, z), (0.05, top - 0.39, 0.025), material, hidden=HIDE_ENDS)
