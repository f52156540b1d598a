"""What a collection is asked for."""

import difflib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from backsight.records.vocabulary import PATTERNS
from backsight.sim.embedded.scans.folder import place_of_scan
from backsight.sim.embedded.scenes.scene_id import SCENE_TYPES
from backsight.storage.layout import MAX_FRAMES

MIN_SIDE_PX, MAX_SIDE_PX = 32, 2048

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
    scene_types: tuple[str, ...] = ("flat",)
    """Types of scenes that are made, in turn."""
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
    patterns: tuple[str, ...] = ("circular", "room_transition")
    """Trajectory patterns, used in turn."""
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

    @field_validator("patterns")
    @classmethod
    def _check_patterns(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        if not patterns:
            raise ValueError(f"name at least one of {', '.join(PATTERNS)}")
        for name in patterns:
            if name not in PATTERNS:
                near = difflib.get_close_matches(name, PATTERNS, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(PATTERNS)}"
                raise ValueError(f"unknown pattern {name!r}{hint}")
        return patterns

    @field_validator("scene_types")
    @classmethod
    def _check_scene_types(cls, scene_types: tuple[str, ...]) -> tuple[str, ...]:
        if not scene_types or len(set(scene_types)) != len(scene_types):
            raise ValueError(f"name each type once, at least one of {', '.join(SCENE_TYPES)}")
        for name in scene_types:
            if name not in SCENE_TYPES:
                near = difflib.get_close_matches(name, SCENE_TYPES, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(SCENE_TYPES)}"
                raise ValueError(f"unknown scene type {name!r}{hint}")
        return scene_types

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
