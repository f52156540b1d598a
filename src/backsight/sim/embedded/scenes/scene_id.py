"""Ids of procedural scenes: `kitchen-12`, `shop-3+clutter=0.8+textures=repetitive`."""

import difflib
import math
import re
from dataclasses import dataclass
from typing import Literal, cast, get_args

from backsight.records.errors import UsageError

SceneType = Literal[
    "living_room",
    "bedroom",
    "kitchen",
    "bathroom",
    "dining_room",
    "study",
    "hallway",
    "open_plan_office",
    "meeting_room",
    "classroom",
    "library",
    "shop",
    "warehouse",
    "gym",
    "two_storey_house",
    "flat",
]
LightingChoice = Literal["mixed", "day", "evening", "bright", "dim"]
TextureChoice = Literal["mixed", "plain", "distinctive", "repetitive"]

SCENE_TYPES: tuple[SceneType, ...] = get_args(SceneType)
LIGHTING_CHOICES: tuple[LightingChoice, ...] = get_args(LightingChoice)
TEXTURE_CHOICES: tuple[TextureChoice, ...] = get_args(TextureChoice)
OPTIONS = ("clutter", "lighting", "textures")

_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")
_CLUTTER_DIGITS = 3


@dataclass(frozen=True)
class SceneId:
    """Which procedural scene: all that its content depends on, besides the simulator's version.

    Raises:
        UsageError: a negative seed, or a clutter level outside [0, 1] or of more than three decimals.
    """

    scene_type: SceneType
    seed: int
    clutter: float = 0.5
    """How many small things lie about, 0 (next to none) to 1."""
    lighting: LightingChoice = "mixed"
    """Which lamps burn and how; mixed: drawn from the seed."""
    textures: TextureChoice = "mixed"
    """How walls, floors and rugs look."""

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise UsageError(f"scene id: seed {self.seed}: give a seed of 0 or more")
        in_range = 0.0 <= self.clutter <= 1.0 and math.copysign(1.0, self.clutter) > 0.0
        if not in_range or round(self.clutter, _CLUTTER_DIGITS) != self.clutter:
            raise UsageError(f"scene id: clutter={self.clutter}: give a number from 0 to 1 with at most three decimals")

    def __str__(self) -> str:
        """Return the one spelling of this id."""
        options = []
        if self.clutter != 0.5:
            options.append(f"+clutter={self.clutter:g}")
        if self.lighting != "mixed":
            options.append(f"+lighting={self.lighting}")
        if self.textures != "mixed":
            options.append(f"+textures={self.textures}")
        return f"{self.scene_type}-{self.seed}" + "".join(options)


def parse_scene_id(text: str) -> SceneId:
    """Return what a scene id says.

    Args:
        text: `<type>-<seed>`, then options as `+key=value` in alphabetical order, none at its default: a scene has
            one id.

    Raises:
        UsageError: no such type or option (the nearest valid one is named), a value that cannot be, or another
            spelling than the one of `str(SceneId)`.
    """
    head, *options = text.split("+")
    name, dash, number = head.rpartition("-")
    if not dash:
        name, number = head, ""
    scene_type = cast(SceneType, _one_of(name, SCENE_TYPES, text, "scene type"))
    if _NUMBER.fullmatch(number) is None:
        raise UsageError(
            f"scene id {text!r}: no scene {number!r} of type {name}; a seed is a number without leading zeros, "
            f"such as {name}-12"
        )
    values: dict[str, str] = {}
    for option in options:
        key, equals, value = option.partition("=")
        _one_of(key, OPTIONS, text, "option")
        if not equals or key in values:
            raise UsageError(f"scene id {text!r}: option {option!r}: write each option once, as key=value")
        values[key] = value
    scene_id = SceneId(
        scene_type,
        int(number),
        _clutter(values["clutter"], text) if "clutter" in values else 0.5,
        cast(LightingChoice, _one_of(values.get("lighting", "mixed"), LIGHTING_CHOICES, text, "lighting")),
        cast(TextureChoice, _one_of(values.get("textures", "mixed"), TEXTURE_CHOICES, text, "textures")),
    )
    if str(scene_id) != text:
        raise UsageError(f"scene id {text!r}: a scene has one id, write this one as {str(scene_id)!r}")
    return scene_id


def _one_of(value: str, allowed: tuple[str, ...], text: str, what: str) -> str:
    if value in allowed:
        return value
    near = difflib.get_close_matches(value, allowed, 1, 0.4)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise UsageError(f"scene id {text!r}: no scene of {what} {value!r}; {hint}There are: {', '.join(allowed)}")


def _clutter(value: str, text: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise UsageError(f"scene id {text!r}: clutter={value!r} is not a number") from error
