"""Measures of a list of upright boxes, each taken once and kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float64

from backsight.geometry import upright_boxes
from backsight.geometry.upright_boxes import UprightBox


@dataclass(frozen=True)
class BoxMeasures:
    """What `upright_boxes` measures of some boxes; relations of the same boxes share it."""

    boxes: Sequence[UprightBox]

    @cached_property
    def corners(self) -> Float64[np.ndarray, "boxes 4 2"]:
        """Corners of the footprints as world (x, z)."""
        return upright_boxes.footprint_corners(self.boxes)

    @cached_property
    def footprint_gaps_m(self) -> Float64[np.ndarray, "boxes boxes"]:
        """Distance between every two footprints; 0 where they touch or overlap."""
        return upright_boxes.footprint_gaps_m(self.boxes)

    @cached_property
    def surface_gaps_m(self) -> Float64[np.ndarray, "boxes boxes"]:
        """Distance between the nearest points of every two boxes."""
        height_gap = np.maximum(
            self.bottoms_m[:, None] - self.tops_m[None, :], self.bottoms_m[None, :] - self.tops_m[:, None]
        )
        return np.hypot(self.footprint_gaps_m, np.maximum(height_gap, 0.0))

    @cached_property
    def centre_to_footprint_m(self) -> Float64[np.ndarray, "subjects anchors"]:
        """Distance of a subject's centre from an anchor's footprint; 0 inside it."""
        return upright_boxes.centre_to_footprint_m(self.boxes)

    @cached_property
    def bottoms_m(self) -> Float64[np.ndarray, " boxes"]:
        """Heights of the lower faces."""
        return upright_boxes.bottoms_m(self.boxes)

    @cached_property
    def tops_m(self) -> Float64[np.ndarray, " boxes"]:
        """Heights of the upper faces."""
        return upright_boxes.tops_m(self.boxes)

    @cached_property
    def longest_sides_m(self) -> Float64[np.ndarray, " boxes"]:
        """Longer side of each footprint."""
        return upright_boxes.longest_sides_m(self.boxes)

    def inside(self, tolerance_m: float) -> Bool[np.ndarray, "subjects anchors"]:
        """Return whether the whole footprint of a subject lies in that of an anchor.

        Args:
            tolerance_m: How far a corner may stick out.
        """
        return upright_boxes.footprint_inside(self.boxes, tolerance_m)
