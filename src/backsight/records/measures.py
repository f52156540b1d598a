"""What is measured of a finished sequence: its promise is judged by these, its statistics count them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MotionMeasures:
    """Of the camera's poses alone."""

    path_m: float
    """Length of the walk."""
    turn_deg: float
    """Sum of all rotations."""
    sharp_turns: float
    """Number of turns of 60 degrees or more to one side within 4 seconds; none overlap."""
    height_range_m: float
    """Between the highest and the lowest camera."""
    pitch_range_deg: float
    """Between the highest and the lowest pitch."""
    forward_share: float
    """Share of the way that is walked within 45 degrees of the viewing direction, seen from above; 0 without a way."""
    backward_share: float
    """Share walked within 45 degrees of the opposite direction."""
    sideways_share: float
    """Share walked to either side."""
    blur_px: float
    """Mean length over the frames of the image motion of the picture's centre, at 2 m distance, while the shutter is
    open."""


@dataclass(frozen=True)
class FocusMeasures:
    """Of the things that a walk was planned around (`SequenceAnnotations.focus_ids`), and of what its frames share.

    Without such things every `focus` measure is 0.
    """

    focus_count: float
    """Number of things that at least one frame shows."""
    focus_share: float
    """Share of the frames that show each thing (0.1 % of the picture or more): that of the rarest."""
    focus_returns: float
    """How often things come back after two frames or more out of sight, all things together."""
    focus_hidden_share: float
    """Share of the frames in which the first thing lies in the field of view and is hidden, or mostly hidden, by
    others: track states 'hidden' and 'partly hidden'."""
    focus_distance_ratio: float
    """Largest over smallest distance of the camera from the first thing, over frames that show it."""
    view_spread_deg: float
    """Smallest arc that holds the directions, seen from above, from which the first thing was seen; without a focus,
    the arc of the viewing directions."""
    overlap_next: float
    """Mean co-visible share of neighbouring frames, 0 to 1."""
    overlap_all: float
    """Mean co-visible share of all ordered pairs of different frames."""
    coverage_share: float
    """Share of the surface that could be seen in the planned rooms and was seen; 1 where no coverage was planned."""


@dataclass(frozen=True)
class SceneMeasures:
    """Of what the pictures show and what happens in them."""

    corner_share: float
    """Share of the frames in which walls of two directions meet."""
    opening_share: float
    """Share of the frames in which a door or window covers 0.5 % of the picture or more."""
    furniture_per_frame: float
    """Mean number of things, parts of the building left out, that cover 0.5 % of the picture or more."""
    things_per_frame: float
    """Mean number of things that cover 16 pixels of 128 x 96 or more."""
    tracked_things: float
    """Number of things that half of the frames show."""
    brightness_ratio: float
    """Brightest over darkest frame, mean linear light."""
    light_changes: float
    """Number of events of that kind."""
    moved_in_view: float
    """Number of things that move while frames show them."""
    moved_unseen: float
    """Number of things that were seen, moved while no frame showed them, and were seen again."""
    kind_instructions: float
    """Number of instructions of the kind's reasoning type."""


@dataclass(frozen=True)
class WalkMeasures:
    """All measures of a sequence."""

    motion: MotionMeasures
    focus: FocusMeasures
    scene: SceneMeasures

    def value(self, name: str) -> float:
        """Return a measure by its name.

        Raises:
            KeyError: No record has such a field.
        """
        for record in (self.motion, self.focus, self.scene):
            if name in record.__dataclass_fields__:
                return float(getattr(record, name))
        raise KeyError(name)
