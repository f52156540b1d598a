"""How many instructions a walk gets, and where in it."""

from pydantic import BaseModel, ConfigDict, Field


class InstructConfig(BaseModel):
    """How many instructions a walk gets and what they may be about."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    current_fractions: tuple[float, ...] = (0.66, 1.0)
    """Where in the walk the current frames lie: 1 is the last frame."""
    most_per_frame: int = Field(default=6, ge=1, le=50)
    """Instructions of each current frame, with different targets."""
    absent_every: int = Field(default=10, ge=2)
    """One in so many instructions has no answer in memory."""
    colourless_every: int = Field(default=3, ge=2)
    """One in so many instructions names no colour."""
    favoured_share: float = Field(default=0.6, ge=0.0, le=1.0)
    """Share of the instructions of a frame that are of the favoured reasoning type, where there are so many."""
    least_frame_share: float = Field(default=0.1, ge=0, le=1)
    """A target that the current frame doesn't show is shown well by this share of the frames up to it, and two."""


def current_frames(num_frames: int, config: InstructConfig) -> tuple[int, ...]:
    """Return the frames that instructions are bound to, rising; never the first two.

    Args:
        num_frames: Frames of the walk.
        config: Where in the walk they lie.
    """
    wanted = {max(round(fraction * num_frames) - 1, 2) for fraction in config.current_fractions}
    return tuple(sorted(frame for frame in wanted if frame < num_frames))
