"""Inline SVG: compasses and learning curves. No script, no external file."""

import math
from collections.abc import Sequence as Sized
from html import escape

import numpy as np
from jaxtyping import Float

CurvePoint = tuple[int, str, float]
"""Step, name of the value, value."""

_PANEL_WIDTH, _PANEL_HEIGHT = 340, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 14, 26


def compass(predicted: Float[np.ndarray, "3"] | None, true: Float[np.ndarray, "3"] | None, size_px: int = 54) -> str:
    """Return a compass seen from above, straight ahead at the top.

    Args:
        predicted: direction in the camera frame (x right, y down, z forward); None: not stated.
        true: the same from the poses.
        size_px: side of the drawing.
    """
    parts = [
        f'<svg class="compass" width="{size_px}" height="{size_px}" viewBox="-30 -30 60 60" role="img" '
        'aria-label="bearing: predicted and true">',
        '<circle r="27" class="dial"/>',
        # The wedge is the field of view's direction: what lies ahead.
        '<path d="M0 0 L-15 -22.4 A27 27 0 0 1 15 -22.4 Z" class="ahead"/>',
    ]
    for direction, name in ((true, "true"), (predicted, "predicted")):
        if direction is not None:
            parts.append(_arrow(direction, name))
    parts.append('<circle r="2.4" class="hub"/></svg>')
    return "".join(parts)


def _arrow(direction: Float[np.ndarray, "3"], name: str) -> str:
    heading_deg = math.degrees(math.atan2(float(direction[0]), float(direction[2])))
    # A camera above or below has a short arrow: its length is the horizontal share.
    length = max(8.0, 24.0 * math.hypot(float(direction[0]), float(direction[2])))
    tip = f"M0 0 L0 {-length + 5:.1f} M-4 {-length + 6:.1f} L0 {-length:.1f} L4 {-length + 6:.1f} Z"
    return f'<path d="{tip}" class="{name}" transform="rotate({heading_deg:.1f})"/>'


def learning_curves(points: Sized[CurvePoint]) -> str:
    """Return one small panel for each name, values over steps."""
    names = list(dict.fromkeys(name for _, name, _ in points))
    panels = []
    for name in names:
        series = sorted((step, value) for step, other, value in points if other == name)
        panels.append(_panel(name, series))
    return '<div class="curves">' + "".join(panels) + "</div>"


def _panel(name: str, series: list[tuple[int, float]]) -> str:
    steps = np.array([step for step, _ in series], dtype=np.float64)
    values = np.array([value for _, value in series], dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"learning curve '{name}' holds a value that is not finite")
    low, high, ticks = _ticks(float(values.min()), float(values.max()))
    last_step = max(float(steps.max()), 1.0)
    x = _LEFT + steps / last_step * (_PANEL_WIDTH - _LEFT - _RIGHT)
    y = _TOP + (high - values) / (high - low) * (_PANEL_HEIGHT - _TOP - _BOTTOM)
    lines = []
    for tick in ticks:
        at = _TOP + (high - tick) / (high - low) * (_PANEL_HEIGHT - _TOP - _BOTTOM)
        lines.append(f'<path d="M{_LEFT} {at:.1f}H{_PANEL_WIDTH - _RIGHT}" class="grid"/>')
        lines.append(f'<text x="{_LEFT - 6}" y="{at + 3.5:.1f}" text-anchor="end">{tick:.4g}</text>')
    path = "M" + " L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True))
    bottom = _PANEL_HEIGHT - 8
    return (
        f'<figure class="curve"><figcaption>{escape(name)} <b>{values[-1]:.4g}</b></figcaption>'
        f'<svg viewBox="0 0 {_PANEL_WIDTH} {_PANEL_HEIGHT}" role="img" aria-label="{escape(name)} over steps">'
        + "".join(lines)
        + f'<path d="{path}" class="line"/><circle cx="{x[-1]:.1f}" cy="{y[-1]:.1f}" r="3" class="end"/>'
        f'<text x="{_LEFT}" y="{bottom}">0</text>'
        f'<text x="{_PANEL_WIDTH - _RIGHT}" y="{bottom}" text-anchor="end">{last_step:g} steps</text>'
        "</svg></figure>"
    )


def _ticks(low: float, high: float) -> tuple[float, float, list[float]]:
    """Return round bounds around a range of values and three to six round numbers between them."""
    span = high - low if high > low else max(abs(high), 1.0) * 0.1
    raw = span / 4.0
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(m * magnitude for m in (1.0, 2.0, 5.0, 10.0) if m * magnitude >= raw)
    first, last = math.floor(low / step), math.ceil(high / step)
    last = max(last, first + 1)
    return first * step, last * step, [i * step for i in range(first, last + 1)]
