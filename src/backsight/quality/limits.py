"""What quality control demands, in one place."""

from pydantic import BaseModel, ConfigDict, Field


class MotionLimits(BaseModel):
    """What a recorded walk may not exceed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    speed_mps: float = Field(default=0.5, gt=0.0, le=100.0)
    """Fastest walk in metres a second."""
    turn_dps: float = Field(default=30.0, gt=0.0, le=3600.0)
    """Fastest turn in degrees a second."""
    acceleration_mps2: float = Field(default=0.5, gt=0.0, le=1000.0)
    """Largest acceleration."""
    turn_acceleration_dps2: float = Field(default=60.0, gt=0.0, le=36000.0)
    """Largest angular acceleration."""
    allowance: float = Field(default=0.02, ge=0.0, le=1.0)
    """Share by which a limit may be exceeded before it counts. A speed or acceleration measured on samples is a mean of
    the true one and never larger; the allowance covers rotations that are measured as if their axis stood still."""


class QualityLimits(BaseModel):
    """All limits of quality control."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    motion: MotionLimits | None = MotionLimits()
    """None for walks recorded elsewhere: only jumps are looked for."""
    nearest_m: float = Field(default=0.1, gt=0.0, le=10.0)
    """Readings below are suspicious; a frame mostly below is a camera inside an object."""
    farthest_m: float = Field(default=50.0, gt=0.0, le=65.535)
    """Readings above are suspicious."""
    least_valid_share: float = Field(default=0.5, ge=0.0, lt=1.0)
    """Share of pixels with depth at which a frame scores half."""
    least_agreement: float = Field(default=0.8, ge=0.0, lt=1.0)
    """Below this share of reprojected depth that agrees, depth and poses contradict each other."""
    agreement_m: float = Field(default=0.01, gt=0.0, le=1.0)
    """Depths of two frames agree within so many metres, or"""
    agreement_share: float = Field(default=0.01, gt=0.0, le=0.2)
    """within so large a share of the depth, whichever is more."""
    box_m: float = Field(default=0.01, gt=0.0, le=1.0)
    """A surface may lie so far outside the box of its object, or"""
    box_share: float = Field(default=0.005, gt=0.0, le=0.2)
    """so large a share of its depth, whichever is more."""
    most_outside_boxes: float = Field(default=0.1, ge=0.0, lt=1.0)
    """Above this share of surface outside its boxes, a frame contradicts the table of objects."""
    jump_factor: float = Field(default=3.0, gt=1.0, le=1000.0)
    """A step so many times over the limit is a jump."""
