"""Bars and histograms as HTML and inline SVG."""

from collections.abc import Mapping, Sequence
from html import escape

BAR_STYLE = """
.bars { display:grid; grid-template-columns:max-content 1fr max-content; gap:3px 12px; align-items:center;
  font-size:13.5px; }
.bars .fill { height:12px; border-radius:3px; background:var(--accent); min-width:1px; }
.bars .fill.second { background:var(--true); } .bars .fill.third { background:var(--warm); }
.bars .track { display:flex; gap:1px; } .bars .value { text-align:right; color:var(--soft);
  font-variant-numeric:tabular-nums; } .bars .head { grid-column:1 / -1; font-weight:650; padding-top:10px; }
.columns { display:grid; grid-template-columns:repeat(auto-fit,minmax(330px,1fr)); gap:14px; align-items:start; }
.panel { background:var(--card); border:1px solid var(--line); border-radius:12px; padding:14px 16px; }
.panel h3 { margin-bottom:8px; } .strip { display:grid; grid-template-columns:repeat(6,1fr); gap:4px; margin-top:8px; }
.strip img { width:100%; border-radius:4px; } .samples { display:grid; gap:14px;
  grid-template-columns:repeat(auto-fill,minmax(560px,1fr)); margin-top:14px; }
.samples .panel p { font-size:13px; margin:6px 0 0; } .histogram rect { fill:var(--accent); }
.histogram text { font-size:11px; fill:var(--soft); }
.limit { stroke:var(--warm); stroke-width:1.5; stroke-dasharray:3 3; }
@media (max-width:900px) { .samples { grid-template-columns:1fr; } }
"""
_SHADES = ("", " second", " third")


def bars(rows: Sequence[tuple[str, Sequence[float], str]], heads: Mapping[int, str] | None = None) -> str:
    """Return one horizontal bar for each row, as long as its values add up to.

    Args:
        rows: Name, parts of the bar, what stands behind it.
        heads: Headings before the rows of these positions.
    """
    longest = max((sum(parts) for _, parts, _ in rows), default=0.0) or 1.0
    found = ['<div class="bars">']
    for position, (name, parts, value) in enumerate(rows):
        if heads is not None and position in heads:
            found.append(f'<div class="head">{escape(heads[position])}</div>')
        fills = "".join(
            f'<div class="fill{_SHADES[shade % 3]}" style="width:{100.0 * part / longest:.2f}%"></div>'
            for shade, part in enumerate(parts)
            if part > 0
        )
        found.append(
            f'<div>{escape(name)}</div><div class="track">{fills}</div><div class="value">{escape(value)}</div>'
        )
    return "".join([*found, "</div>"])


def histogram(counts: Sequence[int], low: str, high: str, limit: float | None = None) -> str:
    """Return columns of equal width.

    Args:
        counts: Height of each column.
        low: What the left end stands for.
        high: What the right end stands for.
        limit: Where a dashed line stands, as a share of the width.
    """
    width, height, foot = 320, 90, 16
    tallest = max([*counts, 1])
    step = width / max(len(counts), 1)
    columns = "".join(
        f'<rect x="{index * step + 0.5:.1f}" y="{height - max(1.5, height * count / tallest):.1f}" '
        f'width="{step - 1:.1f}" height="{max(1.5, height * count / tallest):.1f}" rx="1.5"/>'
        for index, count in enumerate(counts)
        if count
    )
    line = "" if limit is None else f'<path class="limit" d="M{limit * width:.1f} 0V{height}"/>'
    return (
        f'<svg class="histogram" viewBox="0 0 {width} {height + foot}" role="img" aria-label="histogram">'
        f'<path d="M0 {height}H{width}" class="grid"/>{columns}{line}'
        f'<text x="0" y="{height + foot - 3}">{escape(low)}</text>'
        f'<text x="{width}" y="{height + foot - 3}" text-anchor="end">{escape(high)}</text></svg>'
    )
