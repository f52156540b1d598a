"""One walk in pictures: film strip, present view, footprints beside the truth, targets over keyframes."""

from html import escape

import numpy as np

from backsight.evaluate.images import fitted_image
from backsight.evaluate.report.content import Walk
from backsight.evaluate.report.drawings import compass
from backsight.evaluate.report.pictures import blend_map, data_uri
from backsight.records.vocabulary import COLOURS

SHOWN_FRAMES = 6
"""History frames whose footprints are drawn."""
FILM_FRAMES = 23
"""Frames of the film strip at most, spread over the walk."""
FILM_PX, MAP_PX, VIEW_PX = 112, 232, 640
LEAST_BRIGHTNESS = 0.05
"""An instruction whose maps stay below this everywhere is drawn dark: the model says that it is nowhere."""


def shown_history(walk: Walk) -> list[int]:
    """Return positions of the history frames to draw: spread from most to least shared with the view, in time order.

    At most one of them is absent from the present view, so that the reader sees an empty map too.
    """
    covered = (walk.truth.footprint * walk.truth.footprint_valid).sum(axis=(1, 2))
    present = np.flatnonzero(walk.truth.footprint_presence)
    absent = np.flatnonzero(~walk.truth.footprint_presence)
    ordered = present[np.argsort(-covered[present], kind="stable")]
    room = SHOWN_FRAMES - (1 if len(absent) else 0)
    if len(ordered) > room:
        ordered = ordered[np.round(np.linspace(0, len(ordered) - 1, room)).astype(int)]
    filled = [*ordered.tolist(), *absent[len(absent) // 2 :].tolist(), *absent[: len(absent) // 2].tolist()]
    return sorted(filled[:SHOWN_FRAMES])


def walk_section(walk: Walk) -> str:
    """Return the HTML of one walk."""
    info = walk.prediction.info
    auc = f"{walk.footprint_auc:.3f}" if np.isfinite(walk.footprint_auc) else "not defined"
    heading = (
        f'<header><h3>{escape(info.sequence_id)} <span class="soft">frame {info.current_frame}</span></h3>'
        f'<p><span class="chip {escape(walk.reason)}">{escape(walk.reason)}</span>'
        f'<span class="chip">footprint AUC {auc}</span>'
        f'<span class="chip">{len(walk.prediction.history_frames)} remembered frames</span></p></header>'
    )
    return f'<article class="walk">{heading}{_film_strip(walk)}{_footprints(walk)}{_targets(walk)}</article>'


def _film_strip(walk: Walk) -> str:
    history = walk.prediction.history_frames
    if len(history) > FILM_FRAMES:
        history = history[np.round(np.linspace(0, len(history) - 1, FILM_FRAMES)).astype(int)]
    drawn = {int(walk.prediction.history_frames[p]) for p in shown_history(walk)}
    keyframes = set(walk.prediction.keyframes.tolist())
    current = walk.prediction.info.current_frame
    cells = []
    for frame in [*history.tolist(), current]:
        picture = data_uri(fitted_image(walk.sequence.rgb[frame], walk.fit, FILM_PX))
        marks = [name for name, on in (("drawn", frame in drawn), ("now", frame == current)) if on]
        key = ' <i title="keyframe">key</i>' if frame in keyframes else ""
        label = "now" if frame == current else str(frame)
        cells.append(
            f'<figure class="{" ".join(marks)}"><img src="{picture}" width="{FILM_PX}" alt="frame {frame}">'
            f"<figcaption>{label}{key}</figcaption></figure>"
        )
    return f'<div class="film">{"".join(cells)}</div>'


def reading_key() -> str:
    """Return what the pictures mean: once for each part of the page."""
    return (
        '<div class="key"><p>Each card: a remembered frame, where the model says its surfaces lie in the present view, '
        "and where geometry says they lie. Blue frames in the film strip are drawn, green is now.</p>"
        '<div class="bar"><span>0</span><i></i><span>1</span></div>'
        '<p class="soft">probability that the surface was also seen in that frame</p>'
        '<p class="soft"><svg width="34" height="12"><path d="M2 6H30" class="predicted"/></svg> predicted and '
        '<svg width="34" height="12"><path d="M2 6H30" class="true"/></svg> true direction to where the frame was '
        "taken, seen from above; straight ahead is up</p></div>"
    )


def _footprints(walk: Walk) -> str:
    current = walk.sequence.rgb[walk.prediction.info.current_frame]
    view = data_uri(fitted_image(current, walk.fit, VIEW_PX))
    background = fitted_image(current, walk.fit, MAP_PX)
    cards = [_footprint_card(walk, position, background) for position in shown_history(walk)]
    return (
        f'<div class="facing"><figure class="view"><img src="{view}" width="{VIEW_PX}" alt="present view">'
        f'<figcaption>the present view</figcaption></figure><div class="beside">{"".join(cards[:2])}</div></div>'
        f'<div class="cards">{"".join(cards[2:])}</div>'
    )


def _footprint_card(walk: Walk, position: int, background: np.ndarray) -> str:
    prediction, truth = walk.prediction, walk.truth
    frame = int(prediction.history_frames[position])
    remembered = fitted_image(walk.sequence.rgb[frame], walk.fit, MAP_PX)
    pictures = (
        (f"frame {frame}", remembered),
        ("predicted", blend_map(background, prediction.footprint[position])),
        ("truth", blend_map(background, truth.footprint[position] * truth.footprint_valid[position])),
    )
    images = "".join(
        f'<figure><img src="{data_uri(picture)}" width="{MAP_PX}" alt="{label}">'
        f"<figcaption>{label}</figcaption></figure>"
        for label, picture in pictures
    )
    stated = bool(prediction.bearing.any())
    arrow = compass(prediction.bearing[position] if stated else None, truth.bearing[position])
    caption = f'<div class="caption">{arrow}{_caption(walk, position)}</div>'
    return f'<div class="card"><div class="triple">{images}</div>{caption}</div>'


def _caption(walk: Walk, position: int) -> str:
    prediction, truth = walk.prediction, walk.truth
    valid = truth.footprint_valid[position]
    coverage = float((truth.footprint[position] * valid).sum() / max(int(valid.sum()), 1))
    auc = walk.frame_aucs[position]
    seen = f"{coverage * 100:.0f} % of the view" if truth.footprint_presence[position] else "nothing in common"
    lines = [f"shares <b>{seen}</b>", f"presence <b>{prediction.footprint_presence[position]:.2f}</b>"]
    lines.append(f"AUC <b>{auc:.3f}</b>" if auc is not None else "AUC not defined")
    if prediction.bearing.any():
        cosine = float(np.clip(prediction.bearing[position] @ truth.bearing[position], -1.0, 1.0))
        lines.append(f"bearing off by <b>{np.degrees(np.arccos(cosine)):.0f}°</b>")
        lines.append(f"{prediction.distance_m[position]:.1f} m, true <b>{truth.distance_m[position]:.1f} m</b>")
    else:
        lines.append(f"true distance <b>{truth.distance_m[position]:.1f} m</b>")
    return "<p>" + " &middot; ".join(lines) + "</p>"


def _targets(walk: Walk) -> str:
    if not walk.prediction.info.instruction_ids:
        return ""
    blocks = [_target_block(walk, row) for row in range(len(walk.prediction.target))]
    return (
        "<h4>Instructions: where the named thing is in each keyframe</h4>"
        '<p class="soft">Predictions of an instruction are drawn relative to its brightest cell, whose probability is '
        "given beside the words.</p>" + "".join(blocks)
    )


def _target_block(walk: Walk, row: int) -> str:
    instruction, prediction, truth = walk.instructions[row], walk.prediction, walk.truth
    chips = [f'<span class="chip">{escape(instruction.reasoning_type.replace("_", " "))}</span>']
    if instruction.colour in COLOURS:
        red, green, blue = COLOURS[instruction.colour]
        swatch = f'<i style="background:rgb({red},{green},{blue})"></i>'
        chips.append(f'<span class="chip">{swatch}{escape(instruction.colour)}</span>')
    if not truth.target_presence[row].any():
        chips.append('<span class="chip absent">not in any keyframe</span>')
    brightest = float(prediction.target[row].max())
    columns = "".join(_target_column(walk, row, column, brightest) for column in range(len(prediction.keyframes)))
    return (
        f'<section class="instruction"><p class="quote">&ldquo;{escape(instruction.text)}&rdquo; {"".join(chips)}'
        f'<span class="soft"> brightest cell {brightest:.2f}</span></p>'
        f'<div class="views">{columns}</div></section>'
    )


def _target_column(walk: Walk, row: int, column: int, brightest: float) -> str:
    prediction, truth = walk.prediction, walk.truth
    frame = int(prediction.keyframes[column])
    background = fitted_image(walk.sequence.rgb[frame], walk.fit, MAP_PX)
    # Small things get small probabilities: on the common scale a right answer would be invisible.
    predicted = blend_map(background, prediction.target[row, column] / max(brightest, LEAST_BRIGHTNESS))
    if truth.target_presence[row, column]:
        below = _tagged(blend_map(background, truth.target[row, column]), "truth", "")
    else:
        below = _tagged(background, "truth: not here", "faded")
    label = "now" if frame == prediction.info.current_frame else f"frame {frame}"
    return (
        f"<figure>{_tagged(predicted, 'predicted', '')}{below}<figcaption>{label} &middot; presence "
        f"<b>{prediction.target_presence[row, column]:.2f}</b></figcaption></figure>"
    )


def _tagged(picture: np.ndarray, tag: str, kind: str) -> str:
    image = f'<img src="{data_uri(picture)}" width="{MAP_PX}" alt="{tag}" class="{kind}">'
    return f'<div class="stack">{image}<span class="tag">{tag}</span></div>'
