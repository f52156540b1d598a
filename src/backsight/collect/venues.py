"""Where walks can be collected, what is there, and which kinds of sequences that allows."""

from dataclasses import dataclass
from pathlib import Path

from backsight.collect.config import CollectConfig, habitat_places
from backsight.records.errors import UsageError
from backsight.records.kinds import KINDS, Kind, Need
from backsight.sim.embedded.scans.folder import list_scans, place_of_scan, scan_path
from backsight.sim.embedded.scans.sidecar import sidecar_path

SCAN = "scan"
"""Scene type of scenes from files."""
HABITAT = "habitat"
"""Scene type of Habitat's scenes."""
_STAGE_SUFFIXES = (".glb", ".gltf", ".ply", ".obj")
"""Files that are one scan without anything movable; other scenes of Habitat are put together from objects."""

NEEDS_IN_WORDS: dict[Need, str] = {
    "made scene": "scenes that are made",
    "labels": "scenes whose things have labels",
    "moving things": "scenes with things that can be moved",
    "lamps": "lamps that can be dimmed",
}

CRAMPED_SCENES: tuple[tuple[frozenset[str], tuple[str, ...]], ...] = (
    (frozenset({"scale_variation"}), ("bathroom",)),
    (frozenset({"scale_variation", "heavy_occlusion"}), ("bathroom", "bedroom", "hallway", "study")),
)
"""Challenges of one walk, and the types of made scenes that are mostly too small for it: a thing that is seen from near
and from four times as far, and is hidden in between."""


@dataclass(frozen=True, eq=False)
class Venue:
    """Scenes of one type that have the same to offer."""

    scene_type: str
    offers: frozenset[Need]
    files: tuple[tuple[str, str], ...] | None = None
    """Scene id and place of each; None for scenes that are made, of which there are as many as wanted."""


@dataclass(frozen=True)
class Choice:
    """The kinds that are collected, and what a user should know of the others."""

    kinds: tuple[Kind, ...]
    notes: tuple[str, ...]


def open_venues(config: CollectConfig) -> list[Venue]:
    """Return where the walks of a collection take place, in turn: an entry for each type, or for each file.

    Args:
        config: Made scenes, a folder of scene files, or scenes of Habitat.

    Raises:
        UsageError: There is no such folder, or no scene in it.
    """
    if config.simulator == "habitat":
        entries = list(zip(config.scenes, habitat_places(config.scenes), strict=True))
        offers = [_offers_of_habitat(config, scene_id) for scene_id in config.scenes]
        return _venues_of_files(HABITAT, _used(config, entries), offers)
    if config.scene_dir is not None:
        entries = [(scene_id, place_of_scan(scene_id)) for scene_id in list_scans(config.scene_dir)]
        offers = [_offers_of_scan(config.scene_dir, scene_id) for scene_id, _ in _used(config, entries)]
        return _venues_of_files(SCAN, _used(config, entries), offers)
    everything = frozenset(NEEDS_IN_WORDS)
    return [Venue(scene_type, everything) for scene_type in config.scene_types[: config.places]]


def choose_kinds(config: CollectConfig, venues: list[Venue]) -> Choice:
    """Return the asked for kinds that at least one venue can host.

    Args:
        config: Names groups and kinds.
        venues: As `open_venues` gives them.

    Raises:
        UsageError: None of the kinds can be collected.
    """
    kinds, why_not = [], {}
    for kind in KINDS:
        if kind.group in config.groups and (not config.kinds or kind.name in config.kinds):
            if any(can_host(config, venue, kind) for venue in venues):
                kinds.append(kind)
            else:
                why_not.setdefault(_wanting(venues, kind), []).append(kind.name)
    notes = [f"left out: {', '.join(names)}: {reason}" for reason, names in why_not.items()]
    if not kinds:
        raise UsageError("nothing can be collected: " + "; ".join(notes))
    if config.scene_dir is None and config.simulator == "embedded" and len(venues) < len(config.scene_types):
        notes.append(f"places {config.places}: only the first scene types are used: {_types(venues)}")
    return Choice(tuple(kinds), tuple(notes))


def can_host(config: CollectConfig, venue: Venue, kind: Kind) -> bool:
    """Whether walks of a kind can be collected at a venue.

    Nobody knows beforehand whether a scene file has stairs, so kinds that belong to certain types of scenes are
    collected in files only when they are asked for by name.

    Args:
        config: Names kinds.
        venue: Where.
        kind: Which.
    """
    right_type = not kind.scene_types or venue.scene_type in kind.scene_types
    asked_for = venue.files is not None and kind.name in config.kinds
    return set(kind.needs) <= venue.offers and (right_type or asked_for)


def is_too_cramped(scene_type: str, challenges: tuple[str, ...]) -> bool:
    """Whether a type of made scenes is mostly too small for a walk's challenges.

    Args:
        scene_type: Of the place.
        challenges: Of the walk.
    """
    return any(asked <= set(challenges) and scene_type in types for asked, types in CRAMPED_SCENES)


def _wanting(venues: list[Venue], kind: Kind) -> str:
    offered = frozenset[Need]().union(*(venue.offers for venue in venues))
    missing = [NEEDS_IN_WORDS[need] for need in kind.needs if need not in offered]
    if missing:
        return f"needs {' and '.join(missing)}; {_types(venues)} has none"
    where = f"needs scenes of type {' or '.join(kind.scene_types) or 'any'} that offer it all"
    return where + (", ask for it by name if a file has such" if venues[0].files is not None else "")


def _types(venues: list[Venue]) -> str:
    return ", ".join(dict.fromkeys(venue.scene_type for venue in venues))


def _used(config: CollectConfig, entries: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the files that the walks need."""
    wanted = -(-config.num_sequences // config.sequences_per_place)
    return entries[: wanted if config.places is None else min(wanted, config.places)]


def _venues_of_files(scene_type: str, entries: list[tuple[str, str]], offers: list[frozenset[Need]]) -> list[Venue]:
    """Return the venue of each file; files with the same to offer share one."""
    by_offer: dict[frozenset[Need], list[tuple[str, str]]] = {}
    for entry, offer in zip(entries, offers, strict=False):
        by_offer.setdefault(offer, []).append(entry)
    venues = {offer: Venue(scene_type, offer, tuple(files)) for offer, files in by_offer.items()}
    return [venues[offer] for _, offer in zip(entries, offers, strict=False)]


def _offers_of_scan(folder: Path, scene_id: str) -> frozenset[Need]:
    """Return what a scene file has: a PLY file is one mesh without names, unless a side-car says more."""
    path = scan_path(folder, scene_id)
    if path.suffix.lower() == ".ply" and not sidecar_path(path).exists():
        return frozenset()
    return frozenset({"labels", "moving things"})


def _offers_of_habitat(config: CollectConfig, scene_id: str) -> frozenset[Need]:
    offers: set[Need] = {"labels"}
    if not scene_id.lower().endswith(_STAGE_SUFFIXES):
        offers.add("moving things")
    if config.habitat_lighting == "default":
        offers.add("lamps")
    return frozenset(offers)
