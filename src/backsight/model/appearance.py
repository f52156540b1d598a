"""DINOv3 through transformers: appearance features of single frames."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import DINOv3ViTConfig, DINOv3ViTModel

from backsight.model.config import APPEARANCE_PATCH_PX, AppearanceConfig

IMAGE_MEAN = (0.485, 0.456, 0.406)
IMAGE_DEVIATION = (0.229, 0.224, 0.225)


class Appearance(nn.Module):
    """Patch features of every frame on its own."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: AppearanceConfig, attention: str) -> None:
        super().__init__()
        self.model = DINOv3ViTModel._from_config(
            DINOv3ViTConfig(
                hidden_size=config.width,
                intermediate_size=config.mlp_width,
                num_hidden_layers=config.depth,
                num_attention_heads=config.heads,
                num_register_tokens=config.registers,
                patch_size=APPEARANCE_PATCH_PX,
                # Random rescaling of positions would make two passes over one frame differ.
                pos_embed_rescale=None,
            ),
            attn_implementation=attention,
        )
        self.model.embeddings.mask_token.requires_grad_(False)
        self.first_patch = 1 + config.registers
        self.register_buffer("mean", torch.tensor(IMAGE_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(IMAGE_DEVIATION).view(3, 1, 1), persistent=False)

    def forward(self, images: Float[Tensor, "images 3 height width"]) -> Float[Tensor, "images patches channels"]:
        """Return patch tokens in row-major order.

        Args:
            images: in [0, 1]; height and width multiples of 16.
        """
        normalised = (images - self.mean) / self.deviation
        return self.model(pixel_values=normalised).last_hidden_state[:, self.first_patch :]
