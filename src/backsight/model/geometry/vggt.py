"""VGGT assembled: aggregator, camera head, depth head."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from backsight.model.config import GEOMETRY_PATCH_PX, GeometryConfig
from backsight.model.geometry.aggregator import Aggregator
from backsight.model.geometry.camera_head import CameraHead
from backsight.model.geometry.depth_head import DepthHead
from backsight.model.geometry.patch_embed import PatchTransformer


@dataclass(frozen=True)
class Geometry:
    """What VGGT says about a batch of frames; fields as in `outputs.Encoding`."""

    patches: Float[Tensor, "batch frames patches twice_width"]
    camera_tokens: Float[Tensor, "batch frames twice_width"]
    pose_encodings: Float[Tensor, "iterations batch frames 9"]
    depth: Float[Tensor, "batch frames depth_rows depth_columns"]
    depth_confidence: Float[Tensor, "batch frames depth_rows depth_columns"]


class VGGT(nn.Module):
    """Geometry from images alone; parameter names are those of the published checkpoint.

    Args:
        config: sizes.
        fused: whether torch's fused attention is used.

    Source: Wang et al., VGGT: Visual Geometry Grounded Transformer, arXiv 2503.11651.
    """

    def __init__(self, config: GeometryConfig, fused: bool) -> None:
        super().__init__()
        self.tapped_layer, self.last_layer = config.tapped_layer, config.depth - 1
        self.aggregator = Aggregator(config, fused)
        self.camera_head = CameraHead(config, fused)
        self.depth_head = DepthHead(config)

    def forward(self, images: Float[Tensor, "batch frames 3 height width"]) -> Geometry:
        """Estimate the geometry of all frames together; the first frame's camera is the world.

        Args:
            images: in [0, 1]; height and width multiples of 14.
        """
        return self.read(self.aggregator.embed(images), images.shape[-2] // GEOMETRY_PATCH_PX)

    def read(
        self,
        embedded: Float[Tensor, "batch frames patches channels"],
        rows: int,
        cameras: Float[Tensor, "batch frames channels"] | None = None,
    ) -> Geometry:
        """Estimate the geometry of frames whose patches are embedded already.

        Args:
            embedded: of `aggregator.embed`, possibly with known depth added.
            rows: of the patch grid.
            cameras: added to the camera tokens, where cameras are known beforehand.
        """
        tokens = self.aggregator.attend(embedded, rows, cameras)
        camera_tokens = tokens.layers[self.last_layer][:, :, 0].float()
        depth, confidence = self.depth_head(tokens)
        return Geometry(
            patches=tokens.layers[self.tapped_layer][:, :, tokens.first_patch :].float(),
            camera_tokens=camera_tokens,
            pose_encodings=self.camera_head(camera_tokens),
            depth=depth,
            depth_confidence=confidence,
        )

    def recompute_activations(self) -> None:
        """Keep no activations of the blocks while training: the backward pass runs them again."""
        for part in self.modules():
            if isinstance(part, Aggregator | PatchTransformer | CameraHead):
                part.recompute = True
