"""Histograms as inline SVG, frames and depths as pictures within the page."""

import base64
from html import escape

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from backsight.records.quality import LEAST_SCORE

BINS = 20
_WIDTH, _HEIGHT, _BOTTOM = 240, 92, 16
PICTURE_WIDTH_PX = 200
WEBP_QUALITY = 80
DEEPEST_M = 8.0
"""Depth of the far end of the colour scale."""


def histogram(name: str, scores: list[float]) -> str:
    """Return one panel: how often each twentieth of the range occurs, what is too low in another colour.

    Args:
        name: Of the metric.
        scores: In [0, 1].
    """
    counts = np.bincount(np.minimum((np.array(scores) * BINS).astype(np.int64), BINS - 1), minlength=BINS)
    step, high = _WIDTH / BINS, _HEIGHT - _BOTTOM
    bars = []
    for index, count in enumerate(counts.tolist()):
        if count:
            # A single one among thousands still shows.
            tall = max(2.0, high * count / max(1, int(counts.max())))
            style = "low" if (index + 1) / BINS <= LEAST_SCORE else "fill"
            told = f"<title>{index / BINS:.2f} to {(index + 1) / BINS:.2f}: {count}</title>"
            bars.append(
                f'<rect x="{index * step + 1:.1f}" y="{high - tall:.1f}" width="{step - 2:.1f}" height="{tall:.1f}" '
                f'rx="1.5" class="{style}">{told}</rect>'
            )
    limit = LEAST_SCORE * _WIDTH
    return (
        f'<figure class="histogram"><figcaption>{escape(name)} <b>{np.mean(scores):.3f}</b></figcaption>'
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(name)}">{"".join(bars)}'
        f'<path d="M0 {high}H{_WIDTH}" class="axis"/><path d="M{limit} 0V{high}" class="limit"/>'
        f'<text x="0" y="{_HEIGHT - 4}">0</text><text x="{limit}" y="{_HEIGHT - 4}" text-anchor="middle">'
        f'{LEAST_SCORE}</text><text x="{_WIDTH}" y="{_HEIGHT - 4}" text-anchor="end">1</text></svg></figure>'
    )


def picture_uri(rgb: UInt8[np.ndarray, "height width 3"]) -> str:
    """Return a frame as a small picture within the page.

    Args:
        rgb: Of any size.

    Raises:
        ValueError: OpenCV can't encode it.
    """
    height, width = rgb.shape[:2]
    size = (PICTURE_WIDTH_PX, max(1, round(PICTURE_WIDTH_PX * height / width)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if width > size[0] else cv2.INTER_NEAREST)
    done, encoded = cv2.imencode(".webp", small[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, WEBP_QUALITY])
    if not done:
        raise ValueError("OpenCV could not encode a WebP picture")
    return "data:image/webp;base64," + base64.b64encode(encoded.tobytes()).decode("ascii")


def depth_picture(depth_m: Float32[np.ndarray, "height width"]) -> UInt8[np.ndarray, "height width 3"]:
    """Return depth in colours from near (bright) to `DEEPEST_M` and beyond (dark); black where there is none.

    Args:
        depth_m: Planar depth.
    """
    with np.errstate(invalid="ignore"):
        near = np.clip(1.0 - np.nan_to_num(depth_m) / DEEPEST_M, 0.0, 1.0)
    colours = cv2.applyColorMap((230.0 * near + 25.0).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1].copy()
    colours[~(depth_m > 0.0)] = 0
    return colours
