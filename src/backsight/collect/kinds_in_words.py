"""The table of kinds as people read it; `docs/collection.md` holds it."""

from collections.abc import Mapping, Sequence

from backsight.collect.plan import count_kinds
from backsight.records.kinds import CHALLENGE_PROMISES, GROUPS, KINDS, Bound, Kind, promise_of

AT_LEAST: dict[str, str] = {
    "path_m": "{} m are walked",
    "turn_deg": "turns add up to {} degrees",
    "sharp_turns": "{} turns of 60 degrees or more within 4 s",
    "height_range_m": "the camera climbs or descends {} m",
    "pitch_range_deg": "the gaze goes up and down by {} degrees",
    "forward_share": "{} of the way is walked forwards",
    "backward_share": "{} of the way is walked backwards",
    "sideways_share": "{} of the way is walked sideways",
    "blur_px": "the picture moves {} px while the shutter is open",
    "focus_count": "{} things are followed",
    "focus_share": "each followed thing is in {} of the frames",
    "focus_returns": "things come back {} times after being out of sight",
    "focus_hidden_share": "the thing is hidden by others in {} of the frames",
    "focus_distance_ratio": "the largest distance of the thing is {} times the smallest",
    "view_spread_deg": "views are spread over {} degrees",
    "overlap_next": "neighbouring frames share {} of what they see",
    "overlap_all": "any two frames share {} of what they see",
    "coverage_share": "{} of the surface of the planned rooms is seen",
    "corner_share": "walls meet in {} of the frames",
    "opening_share": "a door or window is in {} of the frames",
    "furniture_per_frame": "a frame shows {} pieces of furniture",
    "things_per_frame": "a frame shows {} things",
    "tracked_things": "{} things are in half of the frames",
    "brightness_ratio": "the brightest frame has {} times the light of the darkest",
    "light_changes": "the light changes {} times",
    "moved_in_view": "{} things move in view",
    "moved_unseen": "{} things have moved while nobody looked",
    "kind_instructions": "{} instructions are of its own type",
}
"""Measure to what a lower bound on it says; shares are written as percentages."""
ONE: dict[str, str] = {
    "focus_returns": "things come back once after being out of sight",
    "light_changes": "the light changes once",
    "moved_in_view": "one thing moves in view",
    "moved_unseen": "one thing has moved while nobody looked",
}
"""The same where the bound is 1 and the words would not fit."""
AT_MOST: dict[str, str] = {"path_m": "no more than {} m are walked", "turn_deg": "turns add up to {} degrees at most"}
"""Measure to what an upper bound says."""


def promise_in_words(bounds: Sequence[Bound]) -> str:
    """Return what bounds on measures mean; a measure that is bounded twice is named once, with the stronger bound.

    Args:
        bounds: Of one kind or challenge.

    Raises:
        KeyError: There are no words for a measure.
    """
    low: dict[str, float] = {}
    high: dict[str, float] = {}
    for bound in bounds:
        if bound.low > float("-inf"):
            low[bound.measure] = max(bound.low, low.get(bound.measure, bound.low))
        if bound.high < float("inf"):
            high[bound.measure] = min(bound.high, high.get(bound.measure, bound.high))
    one = {name: ONE[name] for name, value in low.items() if value == 1.0 and name in ONE}
    said = [*_phrases(low, AT_LEAST | one), *_phrases(high, AT_MOST)]
    return "; ".join(said)


def kinds_markdown() -> str:
    """Return the tables of all groups in Markdown."""
    counts = count_kinds(sum(GROUPS.values()), KINDS)
    parts = []
    for group, total in GROUPS.items():
        kinds = [kind for kind in KINDS if kind.group == group]
        parts.append(f"### {group}: {total:,} of {sum(GROUPS.values()):,}\n")
        parts.append("| kind | about | weight | of 25,000 | walked | scenes | promises |")
        parts.append("|---|---|---:|---:|---|---|---|")
        for kind in kinds:
            cells = (
                kind.name,
                kind.topic,
                f"{kind.weight:,}",
                f"{counts[kind.name]:,}",
                _ways(kind),
                _scenes(kind),
                promise_in_words(promise_of(kind, kind.challenges)) or "those of its challenges",
            )
            parts.append(f"| {' | '.join(cells)} |")
        parts.append("")
    parts.append("### Challenges, alone or in a mixture\n")
    parts.append("| challenge | promises |\n|---|---|")
    parts += [
        f"| {name.replace('_', ' ')} | {promise_in_words(bounds)} |" for name, bounds in CHALLENGE_PROMISES.items()
    ]
    return "\n".join(parts) + "\n"


def _phrases(values: Mapping[str, float], words: Mapping[str, str]) -> list[str]:
    return [words[name].format(f"{value:.0%}" if _is_share(name) else f"{value:g}") for name, value in values.items()]


def _is_share(measure: str) -> bool:
    return measure.endswith("_share") or measure.startswith("overlap_")


def _ways(kind: Kind) -> str:
    return ", ".join(f"{way.trajectory} ({way.variant})" if way.variant else way.trajectory for way in kind.ways)


def _scenes(kind: Kind) -> str:
    """Return which scenes host a kind and how long its walks are, where these are not the usual ones."""
    said = [", ".join(kind.scene_types) or "all"]
    said += [f"{key}={value}" for key, value in kind.scene_options]
    said += [f"needs {', '.join(kind.needs)}"] if kind.needs else []
    said += [f"{kind.frames[0]} to {kind.frames[1]} frames"] if kind.frames is not None else []
    return "; ".join(said)
