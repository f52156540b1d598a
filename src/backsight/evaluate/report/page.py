"""The whole page as one string, and writing it."""

from collections.abc import Sequence as Sized
from html import escape
from pathlib import Path

from backsight.evaluate.metric_names import CONTROLS, MODEL, NOT_COMPETING, ORACLES, predictor_label
from backsight.evaluate.report.content import RealWalks, ReportContent, Tile
from backsight.evaluate.report.drawings import learning_curves
from backsight.evaluate.report.pictures import png_data_uri
from backsight.evaluate.report.style import STYLE
from backsight.evaluate.report.walk_section import reading_key, walk_section
from backsight.evaluate.table import TableGroup, TableLine, format_interval, format_value, table_groups
from backsight.records.score import ScoreRow

REPORT_FOLDER = "report"
_HEADLINES: tuple[tuple[str, str, int], ...] = (
    ("footprint_auc", "footprint AUC", 3),
    ("presence_auroc", "presence AUROC", 3),
    ("frame_identification", "frame identification", 3),
    ("bearing_median_deg", "median bearing error", 1),
    ("target_auc", "target AUC", 3),
    ("target_hit", "target pointing hit", 3),
)


def write_report(out: Path, content: ReportContent) -> Path:
    """Write `out/report/index.html`, one file that needs nothing else, and return its path.

    Args:
        out: folder of the evaluation.
        content: what to show.
    """
    path = out / REPORT_FOLDER / "index.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report_page(content), encoding="utf-8")
    return path


def report_page(content: ReportContent) -> str:
    """Return the page."""
    tiles = content.tiles or headline_tiles(content.rows)
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(content.title)}</title><style>{STYLE}</style></head><body><main>",
        f'<h1>{escape(content.title)}</h1><p class="lead">{escape(content.summary)}</p>',
        _tiles(tiles),
    ]
    if content.walks:
        parts.append("<h2>What the model sees when it looks back</h2>")
        parts.append(f'<p class="note">{escape(content.selection_rule)}</p>{reading_key()}')
        parts += [walk_section(walk) for walk in content.walks]
    if content.real is not None:
        parts.append(_real_section(content.real))
    if content.rows:
        parts.append("<h2>All figures</h2>")
        parts.append(_table_note() + score_tables(content.rows))
    if content.curve_points or content.curve_pictures:
        parts.append("<h2>Learning</h2>")
        parts.append(learning_curves(content.curve_points) if content.curve_points else "")
        parts += [_curve_picture(png) for png in content.curve_pictures]
    if content.facts:
        pairs = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in content.facts)
        parts.append(f'<h2>How this was made</h2><dl class="facts">{pairs}</dl>')
    parts.append("</main></body></html>\n")
    return "".join(parts)


def headline_tiles(rows: Sized[ScoreRow]) -> tuple[Tile, ...]:
    """Return the model's headline figures, each beside the best predictor that is neither an oracle nor the model."""
    tiles = []
    for metric, label, digits in _HEADLINES:
        of_metric = [row for row in rows if row.metric == metric]
        model = next((row for row in of_metric if row.predictor == MODEL), None)
        if model is None:
            continue
        rivals = [r for r in of_metric if r.predictor not in (MODEL, *CONTROLS, *NOT_COMPETING)]
        unit = "°" if metric.endswith("_deg") else ""
        note = f"{model.maps} maps, {model.places} place" + ("s" if model.places != 1 else "")
        if rivals:
            choose = min if metric.endswith("_deg") else max
            best = choose(rivals, key=lambda row: row.value)
            note = f"best baseline {best.value:.{digits}f}{unit} ({predictor_label(best.predictor)}); {note}"
        chance = next((r for r in rows if r.metric == f"{metric}_chance" and r.predictor == MODEL), None)
        if chance is not None:
            note = f"chance {chance.value:.{digits}f}; {note}"
        tiles.append(Tile(label, f"{model.value:.{digits}f}{unit}", note))
    return tuple(tiles)


def score_tables(rows: Sized[ScoreRow]) -> str:
    """Return one HTML table for each group of rows."""
    return "".join(_group_table(group) for group in table_groups(rows))


def _tiles(tiles: Sized[Tile]) -> str:
    cells = "".join(
        f'<div class="tile"><div class="label">{escape(tile.label)}</div><div class="value">{escape(tile.value)}</div>'
        f'<div class="note">{escape(tile.note)}</div></div>'
        for tile in tiles
    )
    return f'<section class="tiles">{cells}</section>' if cells else ""


def _table_note() -> str:
    return (
        '<p class="note">Mean per walk, then over walks; small: 95 % interval, bootstrap over places. Shaded: best '
        "predictor that is not an oracle. Oracles are given true geometry with stated noise and do not compete.</p>"
    )


def _group_table(group: TableGroup) -> str:
    heads = "".join(f"<th>{escape(predictor_label(p))}</th>" for p in group.predictors)
    lines = "".join(_line(line) for line in group.lines)
    return (
        f'<h3 class="group">{escape(group.title)}</h3><div class="table"><table><thead><tr><th></th>{heads}'
        f"<th>maps</th><th>places</th></tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _line(line: TableLine) -> str:
    cells = []
    for cell in line.cells:
        if cell is None:
            cells.append('<td class="none">&ndash;</td>')
            continue
        kinds = [
            name
            for name, on in (
                ("best", line.is_best(cell)),
                ("oracle", cell.predictor in ORACLES),
                ("model", cell.predictor == MODEL),
            )
            if on
        ]
        interval = f"<small>{format_interval(cell, line.name)}</small>"
        rests_on = f"{cell.maps} maps, places: {cell.places}"
        cells.append(f'<td class="{" ".join(kinds)}" title="{rests_on}">{format_value(cell, line.name)}{interval}</td>')
    maps, places = line.counts
    counts = f'<td class="count">{maps}</td><td class="count">{places}</td>'
    return f"<tr><th>{escape(line.name.label)}</th>{''.join(cells)}{counts}</tr>"


def _real_section(real: RealWalks) -> str:
    walks = "".join(walk_section(walk) for walk in real.walks)
    return (
        f'<h2>Recorded video, never trained on</h2><p class="note">{escape(real.description)}</p>'
        f"{_tiles(headline_tiles(real.rows))}{walks}{score_tables(real.rows)}"
    )


def _curve_picture(png: bytes) -> str:
    return f'<figure><img src="{png_data_uri(png)}" alt="learning curve"></figure>'
