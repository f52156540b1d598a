"""A page that shows what a data set holds: pictures of every kind, counts, quality."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from backsight.evaluate.report.bars import BAR_STYLE, bars, histogram
from backsight.evaluate.report.pictures import data_uri
from backsight.evaluate.report.style import STYLE
from backsight.records.dataset_statistics import DatasetStatistics, Tally
from backsight.records.instruction import Instruction
from backsight.records.kinds import KINDS, kind_named
from backsight.storage.layout import list_sequence_ids
from backsight.storage.read import read_metadata, read_sequence

STRIP_FRAMES = 6
STRIP_WIDTH_PX = 176
LONGEST_LIST = 40
LEAST_SCORE = 0.7
"""Every quality score of an accepted sequence reaches it."""


@dataclass(frozen=True)
class KindSample:
    """One sequence of a kind."""

    kind: str
    sequence_id: str
    frames: tuple[UInt8[np.ndarray, "_ _ 3"], ...]
    words: tuple[tuple[str, str], ...]
    """Some of its instructions, with their answers."""


def kind_samples(root: Path) -> list[KindSample]:
    """Return the first sequence by id of every kind, in the order of the plan.

    Args:
        root: Folder of the data set.

    Raises:
        DataError: One of them is damaged.
    """
    first: dict[str, str] = {}
    for name in list_sequence_ids(root):
        first.setdefault(read_metadata(root, name).kind, name)
    order = [kind.name for kind in KINDS]
    names = sorted(first, key=lambda kind: (order.index(kind) if kind in order else len(order), kind))
    samples = []
    for kind in names:
        sequence = read_sequence(root, first[kind])
        chosen = np.linspace(0, sequence.num_frames - 1, STRIP_FRAMES).round().astype(int)
        width, height = sequence.image_size
        size = STRIP_WIDTH_PX, round(STRIP_WIDTH_PX * height / width)
        frames = tuple(cv2.resize(sequence.rgb[n], size, interpolation=cv2.INTER_AREA) for n in chosen)
        words = _typical_words(kind, sequence.annotations.instructions)
        samples.append(KindSample(kind, first[kind], frames, words))
    return samples


def _typical_words(kind: str, instructions: Sequence[Instruction]) -> tuple[tuple[str, str], ...]:
    """Return texts and answers of the two that say most: of the kind's own reasoning type, and not simple."""
    known = kind_named(kind)
    wanted = None if known is None else known.reasoning_type
    ordered = sorted(instructions, key=lambda one: (one.reasoning_type != wanted, one.complexity == "simple"))
    return tuple((one.text, one.answer) for one in ordered[:2])


def dataset_page(statistics: DatasetStatistics, title: str, samples: Sequence[KindSample]) -> str:
    """Return the page, one file that needs nothing else.

    Args:
        statistics: Of the data set.
        title: Its name.
        samples: One sequence of each kind.
    """
    total = statistics.total
    lead = (
        f"{total.sequences:,} of {statistics.planned:,} planned sequences at {statistics.width}x{statistics.height}, "
        f"{statistics.frame_rate_hz:g} frames a second, from {statistics.simulator} {statistics.simulator_version} "
        f"with seed {statistics.seed}."
    )
    return "".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{STYLE}{BAR_STYLE}</style></head><body><main>",
            f'<h1>{escape(title)}</h1><p class="lead">{escape(lead)}</p>{_tiles(statistics)}',
            "<h2>What was collected</h2>",
            f'<div class="columns">{_panel("Kinds", _kind_bars(statistics))}{_side_panels(statistics)}</div>',
            "<h2>A look at every kind</h2>",
            '<p class="note">Six frames of the first sequence of each kind, and some of what is asked.</p>',
            f'<div class="samples">{"".join(_sample(sample) for sample in samples)}</div>',
            "<h2>What is asked</h2>",
            '<p class="note">By what has to be solved; simple, medium and complex ones side by side.</p>',
            f'<div class="columns">{_panel("Reasoning types", _instruction_bars(statistics))}',
            f"{_panel('Relations that are stored', _number_bars(statistics.relations))}</div>",
            "<h2>What is seen</h2>",
            f'<div class="columns">{_panel("Categories, by views", _category_bars(statistics))}</div>',
            "<h2>Quality</h2>",
            '<p class="note">Scores as collection stored them; the dashed line is the least that is accepted. '
            "<code>backsight validate</code> derives them anew.</p>",
            f'<div class="columns">{_quality(statistics)}</div>',
            "</main></body></html>\n",
        ]
    )


def _tiles(statistics: DatasetStatistics) -> str:
    total = statistics.total
    instructions = sum(sum(of_type.values()) for of_type in statistics.instructions.values())
    places = sum(statistics.places.values())
    split = ", ".join(f"{count} {name}" for name, count in statistics.places.items())
    first_try = statistics.attempts.get(0, 0) / max(total.sequences, 1)
    tiles = (
        ("sequences", f"{total.sequences:,}", f"{len([t for t in statistics.kinds.values() if t.sequences])} kinds"),
        ("frames", f"{total.frames:,}", f"{total.frames / max(total.sequences, 1):.1f} a sequence"),
        ("size", size_text(total.size_bytes), f"{total.size_bytes / max(total.sequences, 1) / 1e6:.2f} MB a sequence"),
        ("places", f"{places:,}", split),
        ("instructions", f"{instructions:,}", f"{statistics.texts:,} different texts"),
        ("good at first try", f"{first_try:.1%}", "of the sequences that are there"),
    )
    cells = "".join(
        f'<div class="tile"><div class="label">{label}</div><div class="value">{value}</div>'
        f'<div class="note">{escape(note)}</div></div>'
        for label, value, note in tiles
    )
    return f'<div class="tiles">{cells}</div>'


def _panel(heading: str, content: str) -> str:
    return f'<section class="panel"><h3>{escape(heading)}</h3>{content}</section>'


def _kind_bars(statistics: DatasetStatistics) -> str:
    group_of = {kind.name: kind.group for kind in KINDS}
    rows, heads = [], {}
    last = None
    for name, tally in statistics.kinds.items():
        if tally.sequences == 0 and name not in group_of:
            continue
        group = group_of.get(name, "other")
        if group != last:
            of_group = statistics.groups.get(group, Tally())
            heads[len(rows)] = f"{group}: {of_group.sequences:,} sequences, {of_group.frames:,} frames"
            last = group
        rows.append((name, (float(tally.sequences),), f"{tally.sequences:,}"))
    return bars(rows, heads)


def _side_panels(statistics: DatasetStatistics) -> str:
    panels = (
        ("Scene types", _tally_bars(statistics.scene_types)),
        ("Trajectories", _tally_bars(statistics.patterns)),
        ("Challenges", _tally_bars(statistics.challenges)),
        ("Losses fed", _tally_bars(statistics.losses)),
        ("Splits", _tally_bars(statistics.splits)),
        ("Events", _number_bars(statistics.events)),
        ("Frames of a sequence", _length_histogram(statistics.lengths)),
        ("Rejections before acceptance", _number_bars({str(n): c for n, c in statistics.attempts.items()})),
        ("Bytes", _byte_bars(statistics.files)),
    )
    return '<div style="display:grid;gap:14px">' + "".join(_panel(*panel) for panel in panels) + "</div>"


def _tally_bars(tallies: Mapping[str, Tally]) -> str:
    return (
        bars([(_words(name), (float(t.sequences),), f"{t.sequences:,}") for name, t in tallies.items()])
        if tallies
        else '<p class="note">None.</p>'
    )


def _number_bars(numbers: Mapping[str, int]) -> str:
    if not numbers:
        return '<p class="note">None.</p>'
    return bars([(_words(name), (float(count),), f"{count:,}") for name, count in numbers.items()])


def _byte_bars(files: Mapping[str, int]) -> str:
    ordered = sorted(files.items(), key=lambda item: -item[1])
    return bars([(name, (float(count),), size_text(count)) for name, count in ordered])


def _instruction_bars(statistics: DatasetStatistics) -> str:
    rows = []
    for name, of_type in statistics.instructions.items():
        parts = [float(of_type.get(level, 0)) for level in ("simple", "medium", "complex")]
        rows.append((_words(name), parts, f"{sum(of_type.values()):,}"))
    targets = ", ".join(f"{count:,} {name}" for name, count in statistics.targets.items())
    return bars(rows) + f'<p class="note">Targets: {escape(targets)}. Routes told in words: {statistics.routes:,}.</p>'


def _category_bars(statistics: DatasetStatistics) -> str:
    shown = list(statistics.categories.items())[:LONGEST_LIST]
    rows = [
        (name, (float(count.views),), f"{count.things:,} things, {count.targets:,} times a target")
        for name, count in shown
    ]
    left = len(statistics.categories) - len(shown)
    return bars(rows) + (f'<p class="note">And {left} more.</p>' if left else "")


def _length_histogram(lengths: Mapping[int, int]) -> str:
    low, high = min(lengths), max(lengths)
    return histogram([lengths.get(n, 0) for n in range(low, high + 1)], str(low), str(high))


def _quality(statistics: DatasetStatistics) -> str:
    return "".join(
        _panel(
            _words(metric),
            histogram(scores.counts, "0", "1", LEAST_SCORE)
            + f'<p class="note">mean {scores.mean:.3f}, lowest {scores.lowest:.3f} ({escape(scores.lowest_in)})</p>',
        )
        for metric, scores in statistics.quality.items()
    )


def _sample(sample: KindSample) -> str:
    pictures = "".join(f'<img src="{data_uri(frame)}" alt="">' for frame in sample.frames)
    words = "".join(
        f'<p>{escape(text)} <span class="soft">{escape(answer)}</span></p>' for text, answer in sample.words
    )
    return (
        f'<section class="panel"><h3>{escape(sample.kind)} <span class="soft">{escape(sample.sequence_id)}</span></h3>'
        f'<div class="strip">{pictures}</div>{words}</section>'
    )


def _words(name: str) -> str:
    return name.replace("_", " ")


def size_text(size_bytes: int) -> str:
    """Return bytes in a unit that fits.

    Args:
        size_bytes: Bytes.
    """
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if size_bytes >= factor:
            return (
                f"{size_bytes / factor:.3g} {unit}"
                if size_bytes < 1e3 * factor
                else f"{size_bytes / factor:,.0f} {unit}"
            )
    return f"{size_bytes / 1e3:.3g} kB"
