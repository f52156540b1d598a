"""What a collection is asked for."""

import difflib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from backsight.records.kinds import GROUPS, KINDS
from backsight.sim.embedded.scans.folder import place_of_scan
from backsight.sim.embedded.scenes.scene_id import SCENE_TYPES, TEXTURE_CHOICES
from backsight.storage.layout import MAX_FRAMES

MIN_SIDE_PX, MAX_SIDE_PX = 32, 2048
LOOKS = tuple(f"textures={choice}" for choice in TEXTURE_CHOICES if choice != "mixed")
"""What can be held out beside types of scenes."""

_NOT_CONTENT = frozenset(
    {"out", "workers", "sequence_timeout_s", "max_worker_memory_gb", "scene_dir", "shard"}
    | {"habitat_python", "habitat_gpu", "scenes", "scene_dataset"}
)


class CollectConfig(BaseModel):
    """What to collect and where to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    out: Path = Path("data/collected")
    """Folder of the data set."""
    num_sequences: int = Field(default=100, ge=1, le=1_000_000)
    """Number of sequences."""
    seed: int = Field(default=0, ge=0, lt=2**31)
    """Seed of the data set: with the sequence's id it decides the walk."""
    size: str = "640x480"
    """Width x height of the images in pixels; even, 32 to 2048 each."""
    hfov_deg: float = Field(default=79.0, ge=20.0, le=150.0)
    """Horizontal field of view in degrees."""
    camera_height_m: float = Field(default=1.25, ge=0.2, le=2.2)
    """Height of the camera above the floor in metres."""
    frame_rate_hz: float = Field(default=2.0, ge=0.5, le=60.0)
    """Frames a second."""
    min_frames: int = Field(default=16, ge=2, le=MAX_FRAMES)
    """Frames of the shortest sequence."""
    mean_frames: float = Field(default=32.0, ge=2.0, le=MAX_FRAMES)
    """Mean number of frames; lengths follow a triangular distribution."""
    max_frames: int = Field(default=64, ge=2, le=MAX_FRAMES)
    """Frames of the longest sequence."""
    sequences_per_place: int = Field(default=10, ge=1, le=10_000)
    """Walks in each place."""
    first_place: int = Field(default=0, ge=0, lt=2**31)
    """Number of the first place, so that data sets can be kept apart; of made scenes, not of files."""
    places: int | None = Field(default=None, ge=1, le=1_000_000)
    """Largest number of places; walks that are left over go to these as well."""
    scene_types: tuple[str, ...] = SCENE_TYPES
    """Types of scenes that are made, in turn; all sixteen unless given."""
    scene_dir: Path | None = None
    """Folder of scene files (GLB, glTF, OBJ, PLY) to walk in instead, in turn; see docs/scans.md."""
    simulator: Literal["embedded", "habitat"] = "embedded"
    """Where to walk; 'habitat' needs --habitat-python and --scenes, see docs/habitat.md."""
    habitat_python: Path | None = None
    """The Python in whose environment habitat_sim is installed."""
    scenes: tuple[str, ...] = ()
    """Scenes of Habitat, in turn: files, or names that the scene data set knows."""
    scene_dataset: str = "default"
    """Habitat's *.scene_dataset_config.json; without it most scans have no semantics."""
    habitat_gpu: int = Field(default=0, ge=-1, le=63)
    """Graphics device of Habitat, as EGL numbers them; -1 takes whatever there is, Mesa on the CPU among it."""
    habitat_lighting: Literal["scene", "default"] = "scene"
    """How Habitat lights scenes: as the data set says, which for scans is not at all, or with its own lamps."""
    groups: tuple[str, ...] = tuple(GROUPS)
    """Groups of kinds that are collected; see docs/collection.md."""
    kinds: tuple[str, ...] = ()
    """Kinds that are collected, of these groups, such as 'sharp turns' or sharp_turns; all of them unless given."""
    hold_out: tuple[str, ...] = ()
    """Scene types, and looks such as textures=repetitive, whose places all go to the test split."""
    imagined_views: int = Field(default=4, ge=0, le=64)
    """Views of each current frame that are asked for by pose alone: half of them turned, half turned and moved."""
    rgb_samples_per_axis: int = Field(default=1, ge=1, le=8)
    """Colour samples along each side of a pixel; more is smoother and slower."""
    max_retries: int = Field(default=3, ge=0, le=100)
    """How often a sequence that fails quality control is collected anew with the next seed."""
    workers: int = Field(default=1, ge=1, le=256)
    """Processes that collect at the same time."""
    sequence_timeout_s: float = Field(default=600.0, ge=1.0, le=86_400.0)
    """A worker that takes longer for a sequence is taken for hung and replaced."""
    max_worker_memory_gb: float = Field(default=8.0, ge=0.25, le=1024.0)
    """A worker that holds more memory is replaced."""
    shard: str | None = None
    """Which part of the plan this run collects, as i/n with i from 1 to n; whole places go to one part."""

    @field_validator("size")
    @classmethod
    def _check_size(cls, size: str) -> str:
        width, separator, height = size.partition("x")
        if not (separator and width.isascii() and width.isdigit() and height.isascii() and height.isdigit()):
            raise ValueError(f"{size!r} is no image size; write width x height, such as 640x480")
        for side in (int(width), int(height)):
            if not MIN_SIDE_PX <= side <= MAX_SIDE_PX or side % 2:
                raise ValueError(f"{size!r}: use even sides of {MIN_SIDE_PX} to {MAX_SIDE_PX} pixels")
        return f"{int(width)}x{int(height)}"

    @field_validator("groups")
    @classmethod
    def _check_groups(cls, groups: tuple[str, ...]) -> tuple[str, ...]:
        return _known_names(groups, tuple(GROUPS), "group")

    @field_validator("kinds")
    @classmethod
    def _check_kinds(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple(name.replace("_", " ") for name in kinds)
        return _known_names(names, tuple(kind.name for kind in KINDS), "kind") if names else ()

    @field_validator("scene_types")
    @classmethod
    def _check_scene_types(cls, scene_types: tuple[str, ...]) -> tuple[str, ...]:
        return _known_names(scene_types, SCENE_TYPES, "scene type")

    @field_validator("hold_out")
    @classmethod
    def _check_hold_out(cls, hold_out: tuple[str, ...]) -> tuple[str, ...]:
        return _known_names(hold_out, (*SCENE_TYPES, *LOOKS), "scene type or look") if hold_out else ()

    @model_validator(mode="after")
    def _check_what_is_left(self) -> "CollectConfig":
        groups = {kind.group for kind in KINDS if kind.name in self.kinds}
        if self.kinds and not groups & set(self.groups):
            raise ValueError(f"none of kinds {', '.join(self.kinds)} is in groups {', '.join(self.groups)}")
        if self.hold_out and (self.scene_dir is not None or self.simulator != "embedded"):
            raise ValueError("hold_out is for scenes that are made: files have no type and no looks")
        for name in self.hold_out:
            if name not in (*self.scene_types, *LOOKS):
                raise ValueError(f"hold_out {name}: scene_types has no such type, so nothing would be held out")
        if set(self.scene_types) <= set(self.hold_out):
            raise ValueError("hold_out: every scene type is held out, nothing is left for training")
        return self

    @model_validator(mode="after")
    def _check_lengths(self) -> "CollectConfig":
        low, mean, high = self.min_frames, self.mean_frames, self.max_frames
        # A triangular distribution on [low, high] has its mean between a third and two thirds of the way.
        if low > high or not 2 * low + high <= 3 * mean <= low + 2 * high:
            raise ValueError(
                f"mean_frames {mean:g} is not possible with min_frames {low} and max_frames {high}: "
                f"use {(2 * low + high) / 3:.1f} to {(low + 2 * high) / 3:.1f}"
            )
        return self

    @model_validator(mode="after")
    def _check_habitat(self) -> "CollectConfig":
        if self.simulator == "habitat":
            if self.habitat_python is None or not self.scenes:
                raise ValueError("simulator habitat needs habitat_python (its Python) and scenes; see docs/habitat.md")
            if self.scene_dir is not None or self.rgb_samples_per_axis > 1:
                raise ValueError("scene_dir and rgb_samples_per_axis belong to the embedded simulator")
            habitat_places(self.scenes)
        elif self.habitat_python is not None or self.scenes or self.scene_dataset != "default":
            raise ValueError("habitat_python, scenes and scene_dataset need simulator habitat")
        return self

    @field_validator("shard")
    @classmethod
    def _check_shard(cls, shard: str | None) -> str | None:
        if shard is not None:
            parse_shard(shard)
        return shard

    @property
    def width(self) -> int:
        """Image width in pixels."""
        return int(self.size.split("x")[0])

    @property
    def height(self) -> int:
        """Image height in pixels."""
        return int(self.size.split("x")[1])

    def content(self) -> dict[str, Any]:
        """Return everything that the collected sequences depend on, as plain JSON values."""
        content = self.model_dump(mode="json", exclude=set(_NOT_CONTENT))
        if self.simulator != "habitat":
            return {key: value for key, value in content.items() if key not in ("simulator", "habitat_lighting")}
        # Where the files lie on this machine says nothing about what is in them.
        return content | {"scenes": habitat_places(self.scenes), "scene_dataset": Path(self.scene_dataset).name}


def _known_names(names: tuple[str, ...], known: tuple[str, ...], what: str) -> tuple[str, ...]:
    if not names or len(set(names)) != len(names):
        raise ValueError(f"name each {what} once, at least one of {', '.join(known)}")
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}"
            raise ValueError(f"unknown {what} {name!r}{hint}")
    return names


def parse_shard(text: str) -> tuple[int, int]:
    """Return which part of how many a shard is.

    Args:
        text: 'i/n'.

    Raises:
        ValueError: It is written in another way, or i is not one of 1 to n.
    """
    match = re.fullmatch(r"([1-9][0-9]{0,5})/([1-9][0-9]{0,5})", text)
    if match is None or int(match[1]) > int(match[2]):
        raise ValueError(f"{text!r} is no shard; write i/n with i from 1 to n, such as 1/4 to 4/4")
    return int(match[1]), int(match[2])


def habitat_places(scenes: Sequence[str]) -> list[str]:
    """Return the names of the places of Habitat's scenes: file names without folders and suffixes.

    Args:
        scenes: Files, or names in a scene data set.

    Raises:
        ValueError: Two scenes have one name.
    """
    places = [place_of_scan(Path(scene_id).name.split(".")[0] or "scene") for scene_id in scenes]
    twice = [place for place in places if places.count(place) > 1]
    if twice:
        raise ValueError(f"scenes: {twice[0]} is there twice; walks are named by their scene's file")
    return places
