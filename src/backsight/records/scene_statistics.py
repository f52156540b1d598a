"""What a scene holds, in numbers."""

import msgspec


class SceneStatistics(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Counts of one scene; written to `scenes.json`."""

    scene_id: str
    scene_type: str
    """What comes before the seed in a procedural id; 'scan' for a scene from a file."""
    room_types: dict[str, int]
    """Rooms of each type."""
    categories: dict[str, int]
    """Things of each category, parts of the building left out; most frequent first."""
    structure: dict[str, int]
    """Parts of the building of each category."""
    navigable_m2: tuple[float, ...]
    """Area of each storey where an agent can stand, rising."""
    relations: dict[str, int]
    """Every relation word, with how often it is true between things of one room. World relations: ordered pairs, so a
    symmetric one counts twice. Viewer relations: ordered pairs for which it is true from at least one of `viewpoints`.
    between: a thing and two others. among: a thing and a category."""
    viewpoints: int
    """Views, all standing, over which viewer relations were looked for."""
    triangles: int | None = None
    """None where the simulator does not say."""
    textures: int | None = None
    """None where the simulator does not say."""

    @property
    def rooms(self) -> int:
        """Number of rooms."""
        return sum(self.room_types.values())

    @property
    def objects(self) -> int:
        """Number of things, parts of the building left out."""
        return sum(self.categories.values())
