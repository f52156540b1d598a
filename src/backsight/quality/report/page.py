"""The whole page as one string, and writing it."""

from collections import Counter, defaultdict
from html import escape
from pathlib import Path

import numpy as np

from backsight.quality.check import METRICS, rejection_reason
from backsight.quality.report.drawings import depth_picture, histogram, picture_uri
from backsight.quality.report.style import STYLE
from backsight.quality.table import summary_lines
from backsight.quality.validate import ValidationReport
from backsight.records.errors import DataError, UsageError
from backsight.records.quality import LEAST_OVERALL, LEAST_SCORE, QualityReport
from backsight.storage.read import read_sequence

FRAMES_SHOWN = 8
FINDINGS_LISTED = 6


def write_report(path: Path, report: ValidationReport, worst: int = 12) -> Path:
    """Write one file that needs nothing else, and return its path.

    Args:
        path: Where to; folders are made.
        report: Of a data set, which is read again for the pictures.
        worst: How many sequences are shown.

    Raises:
        UsageError: The path lies within the data set, which holds nothing but its own files.
    """
    if path.resolve().is_relative_to(Path(report.root).resolve()):
        raise UsageError(f"{path} lies within the data set; write the report elsewhere")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report_page(report, worst), encoding="utf-8")
    return path


def report_page(report: ValidationReport, worst: int) -> str:
    """Return the page.

    Args:
        report: Of a data set, which is read again for the pictures.
        worst: How many sequences are shown.
    """
    title = f"Quality of {Path(report.root).name}"
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main><h1>{escape(title)}</h1>",
        f'<p class="lead">Every file was read and judged again. A sequence is accepted when each score is at least '
        f"{LEAST_SCORE}, their weighted mean at least {LEAST_OVERALL}, and nothing is plainly wrong.</p>",
        _tiles(report),
    ]
    if report.sequences:
        parts += ["<h2>Scores</h2>", _histograms(report.sequences), _parts_table(report.sequences)]
        parts += ['<div class="pair">', _reasons(report), _kinds(report), "</div>"]
    if report.findings:
        parts += ["<h2>Files</h2>", _file_findings(report)]
    shown = sorted(report.sequences, key=lambda item: (item.accepted, item.overall, item.sequence_id))[:worst]
    if shown:
        parts.append("<h2>The worst</h2>")
        parts.append(
            '<p class="note">Rejected sequences first, then by overall score; colour and depth of frames over the walk '
            "and of those that findings name (outlined). Depth: bright is near, dark is 8 m or more, black is none.</p>"
        )
        parts += [_sequence_section(Path(report.root), item, report.kinds.get(item.sequence_id, "")) for item in shown]
    parts.append("</main></body></html>\n")
    return "".join(parts)


def _tiles(report: ValidationReport) -> str:
    accepted = sum(item.accepted for item in report.sequences)
    total = len(report.sequences)
    hard = sum(bool(item.failures) for item in report.sequences)
    overall = float(np.mean([item.overall for item in report.sequences])) if total else 0.0
    tiles = (
        ("verdict", "passed" if report.passed else "falls short", "", "good" if report.passed else "bad"),
        ("accepted", f"{accepted} of {total}", f"{accepted / max(1, total):.1%}", ""),
        ("rejected", str(total - accepted), f"{hard} of them for something plainly wrong", "bad" if hard else ""),
        ("overall score", f"{overall:.3f}", "mean over sequences", ""),
        ("problems with files", str(len(report.findings)), "", "bad" if report.findings else ""),
    )
    cells = "".join(
        f'<div class="tile {style}"><div class="label">{label}</div><div class="value">{escape(value)}</div>'
        f'<div class="note">{escape(note)}</div></div>'
        for label, value, note, style in tiles
    )
    return f'<section class="tiles">{cells}</section>'


def _words(name: str) -> str:
    return name.strip().replace("_", " ")


def _histograms(sequences: tuple[QualityReport, ...]) -> str:
    panels = []
    for metric in METRICS:
        scores = [item.scores[metric] for item in sequences if metric in item.scores]
        if scores:
            panels.append(histogram(_words(metric), scores))
    panels.append(histogram("overall", [item.overall for item in sequences]))
    return f'<div class="histograms">{"".join(panels)}</div>'


def _parts_table(sequences: tuple[QualityReport, ...]) -> str:
    lines = "".join(
        f'<tr class="{"part" if name.startswith(" ") else ""}"><th>{escape(_words(name))}</th><td>{mean:.3f}</td>'
        f'<td>{low:.3f}</td><td class="words">{escape(where) if low < 1.0 else ""}</td></tr>'
        for name, mean, low, where in summary_lines(sequences, parts=True)
    )
    head = '<tr><th>metric and its parts</th><th>mean</th><th>lowest</th><th class="words">lowest in</th></tr>'
    return _table(head, lines)


def _table(head: str, lines: str) -> str:
    return f'<div class="table"><table><thead>{head}</thead><tbody>{lines}</tbody></table></div>'


def _reasons(report: ValidationReport) -> str:
    counts: Counter[str] = Counter()
    for item in report.sequences:
        if item.failures:
            counts.update({finding.field.split("[")[0] for finding in item.failures})
        elif not item.accepted:
            counts.update(name for name, score in item.scores.items() if score < LEAST_SCORE)
    if not counts:
        return '<div><h2>Reasons</h2><p class="note">Nothing was rejected.</p></div>'
    lines = "".join(f"<tr><th>{escape(_words(name))}</th><td>{count}</td></tr>" for name, count in counts.most_common())
    head = "<tr><th>what was wrong</th><th>sequences</th></tr>"
    return f"<div><h2>Reasons</h2>{_table(head, lines)}</div>"


def _kinds(report: ValidationReport) -> str:
    of_kind: dict[str, list[QualityReport]] = defaultdict(list)
    for item in report.sequences:
        of_kind[report.kinds.get(item.sequence_id, "")].append(item)
    lines = "".join(
        f"<tr><th>{escape(kind or 'unknown')}</th><td>{sum(item.accepted for item in members)} of {len(members)}</td>"
        f"<td>{np.mean([item.overall for item in members]):.3f}</td></tr>"
        for kind, members in sorted(of_kind.items())
    )
    head = "<tr><th>kind</th><th>accepted</th><th>overall</th></tr>"
    return (
        f'<div><h2>Kinds</h2><div class="table"><table><thead>{head}</thead><tbody>{lines}</tbody></table></div></div>'
    )


def _file_findings(report: ValidationReport) -> str:
    lines = "".join(
        f'<tr><th>{escape(item.path)}</th><td class="words">{escape(item.field)}: {escape(item.problem)}</td></tr>'
        for item in report.findings[:100]
    )
    more = len(report.findings) - 100
    rest = f'<p class="note">and {more} more</p>' if more > 0 else ""
    return f'<div class="table"><table><tbody>{lines}</tbody></table></div>{rest}'


def _sequence_section(root: Path, item: QualityReport, kind: str) -> str:
    chips = "".join(
        f'<span class="chip {"low" if score < LEAST_SCORE else ""}">{escape(_words(name))} {score:.2f}</span>'
        for name, score in item.scores.items()
    )
    verdict = '<span class="chip good">accepted</span>' if item.accepted else '<span class="chip low">rejected</span>'
    reason = rejection_reason(item) or item.recommendation
    # One of each field before the second of any: the first few of many are all alike.
    of_field: Counter[str] = Counter()
    ranked = []
    for finding in item.failures:
        name = finding.field.split("[")[0]
        ranked.append((of_field[name], len(ranked), finding))
        of_field[name] += 1
    listed = [finding for _, _, finding in sorted(ranked[:500], key=lambda entry: entry[:2])[:FINDINGS_LISTED]]
    listed = listed if len(item.failures) > 1 else []
    findings = "".join(
        f"<li><b>{escape(finding.field)}{f' in frame {finding.frame}' if finding.frame is not None else ''}</b>: "
        f"{escape(finding.problem)}</li>"
        for finding in listed
    )
    more = len(item.failures) - len(listed) if listed else 0
    if more:
        findings += f"<li>and {more} more</li>"
    return (
        f'<section class="walk"><header><h3>{escape(item.sequence_id)} {verdict}</h3>'
        f"<p>{escape(kind)} &middot; overall {item.overall:.2f}{chips}</p></header>"
        f'<p class="reason">{escape(reason)}</p>{_film(root, item)}'
        + (f'<ul class="findings">{findings}</ul>' if findings else "")
        + "</section>"
    )


def _film(root: Path, item: QualityReport) -> str:
    try:
        sequence = read_sequence(root, item.sequence_id, verify=False)
    except DataError as error:
        return f'<p class="note">{escape(str(error))}</p>'
    named = list(dict.fromkeys(f.frame for f in item.failures if f.frame is not None and f.frame < sequence.num_frames))
    wrong = set(named[: FRAMES_SHOWN // 2])
    rest = [frame for frame in range(sequence.num_frames) if frame not in wrong]
    places = np.linspace(0, len(rest) - 1, min(len(rest), FRAMES_SHOWN - len(wrong))).round().astype(int)
    even = [rest[place] for place in places.tolist()]
    frames = "".join(
        f'<figure class="{"wrong" if frame in wrong else ""}"><img src="{picture_uri(sequence.rgb[frame])}" '
        f'alt="frame {frame}"><img src="{picture_uri(depth_picture(sequence.depth_m[frame]))}" alt="its depth">'
        f"<figcaption>{frame}</figcaption></figure>"
        for frame in sorted(wrong | set(even))
    )
    return f'<div class="film">{frames}</div>'
