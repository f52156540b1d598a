"""What the model's stages hand to each other and to the losses."""

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from backsight.model.config import APPEARANCE_PATCH_PX, MAP_CELL_PX
from backsight.model.heatmap.odometry import Odometry, RelativePoses


@dataclass(frozen=True)
class FrameFeatures:
    """What depends on each frame alone; everything else depends on the frames beside it."""

    skip: Float[Tensor, "batch frames skip map_rows map_columns"]
    """Of the stem."""
    embedded: Float[Tensor, "batch frames patches geometry_width"]
    """VGGT's patch embedding, before any attention between frames."""
    appearance: Float[Tensor, "batch frames patches appearance_width"]
    """DINOv3's patches."""

    @property
    def patch_rows(self) -> int:
        """Rows of the patch grid."""
        return self.skip.shape[-2] * MAP_CELL_PX // APPEARANCE_PATCH_PX


@dataclass(frozen=True)
class Encoding:
    """Every frame of a batch, encoded once."""

    match: Float[Tensor, "batch frames channels rows columns"]
    """Fused features of unit length on the correlation grid."""
    context: Float[Tensor, "batch frames context rows columns"]
    """What a decoder should know of the current view, on the correlation grid."""
    skip: Float[Tensor, "batch frames skip map_rows map_columns"]
    """Full detail from the stem, on the map grid."""
    trunk: Float[Tensor, "batch frames channels rows columns"]
    """Fused features before they are projected for matching."""
    fused_tokens: Float[Tensor, "batch frames tokens width"]
    """VGGT and DINOv3 combined, on the patch grid in row-major order."""
    geometry_features: Float[Tensor, "batch frames geometry_channels patch_rows patch_columns"]
    """VGGT's tapped layer, length sqrt(weight): with the next field its inner products are the
    combined similarity."""
    appearance_features: Float[Tensor, "batch frames appearance_channels patch_rows patch_columns"]
    """DINOv3, length sqrt(weight)."""
    camera_tokens: Float[Tensor, "batch frames camera_width"]
    pose_encodings: Float[Tensor, "iterations batch frames 9"]
    """VGGT's own encoding: translation, quaternion (xyzw) of camera-from-first-frame, vertical and
    horizontal field of view in radians; every refinement iteration, the last one best."""
    depth: Float[Tensor, "batch frames depth_rows depth_columns"]
    """Planar, in the units of the translations."""
    depth_confidence: Float[Tensor, "batch frames depth_rows depth_columns"]
    """At least 1."""


@dataclass(frozen=True)
class Footprints:
    """Where each history frame lies in the current view of its group."""

    logits: Float[Tensor, "groups history map_rows map_columns"]
    presence_logits: Float[Tensor, "groups history"]
    bearing: Float[Tensor, "groups history 3"]
    """Unit vector to the history frame's camera, in the camera frame of the current view."""
    log_distance: Float[Tensor, "groups history"]
    """Natural logarithm of metres."""
    similarity: Float[Tensor, "groups history cells cells"]
    """Cosine of current cell (rows) and history cell (columns), before the temperature."""
    direct: RelativePoses
    """Of each history frame (other) in its current view (this), read from the pair alone: "groups history"."""
    odometry: Odometry
    """Of every sample; bearing and log_distance weigh it against `direct`."""


@dataclass(frozen=True)
class AnswerLikelihood:
    """How likely the true answers are, token by token: all that their loss needs, without the vocabulary's logits."""

    log_probability: Float[Tensor, "batch instructions answer_tokens"]
    """Of each true token, given the true ones before it; 0 where there is none."""
    likeliest: Bool[Tensor, "batch instructions answer_tokens"]
    """Whether it is the most likely one. Where all of an answer's are, that answer is what would be generated."""
    counted: Bool[Tensor, "batch instructions answer_tokens"]
    """False for padding, and for instructions without an answer in words."""


@dataclass(frozen=True)
class Targets:
    """Where each instruction's target lies in each keyframe."""

    logits: Float[Tensor, "batch instructions keyframes map_rows map_columns"]
    presence_logits: Float[Tensor, "batch instructions keyframes"]
    imagined_logits: Float[Tensor, "batch instructions imagined map_rows map_columns"] | None = None
    """When imagined views were asked for."""
    imagined_presence_logits: Float[Tensor, "batch instructions imagined"] | None = None
    answers: AnswerLikelihood | None = None
    """When true answers were given."""
    attention: Float[Tensor, "batch instructions keyframes keyframes image_tokens"] | None = None
    """When asked for: from each keyframe's `<heat>` token to the image tokens of each keyframe."""
