"""DINOv3, or DINOv2 with registers, through transformers: appearance features of single frames."""

import inspect
from pathlib import Path
from typing import cast

import torch
from jaxtyping import Float
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn import functional
from transformers import (
    Dinov2WithRegistersConfig,
    Dinov2WithRegistersModel,
    DINOv3ViTConfig,
    DINOv3ViTModel,
    PreTrainedConfig,
)

from backsight.model.config import APPEARANCE_PATCH_PX, AppearanceConfig
from backsight.model.hub import is_hub_id, unreachable
from backsight.records.errors import DataError

IMAGE_MEAN = (0.485, 0.456, 0.406)
IMAGE_DEVIATION = (0.229, 0.224, 0.225)

SAVED_ADVICE = "give a folder that save_pretrained wrote"
IRRELEVANT = frozenset(
    {
        "_out_features",
        "_out_indices",
        "apply_layernorm",
        "attention_dropout",
        "attention_probs_dropout_prob",
        "drop_path_rate",
        "hidden_dropout_prob",
        "initializer_range",
        "layerscale_value",
        "pos_embed_jitter",
        "pos_embed_rescale",
        "pos_embed_shift",
        "reshape_hidden_states",
    }
)
"""What two configurations may differ in: first values, noise while training, what a backbone returns."""


class Appearance(nn.Module):
    """Patch features of every frame on its own.

    DINOv2, with patches of 14 pixels, sees the image smaller by 14 / 16, so that both have one patch grid.

    Args:
        config: family and sizes.
        attention: of transformers.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: AppearanceConfig, attention: str) -> None:
        super().__init__()
        self.patch_px = config.patch_px
        self.model: DINOv3ViTModel | Dinov2WithRegistersModel
        if config.family == "dinov3":
            self.model = DINOv3ViTModel._from_config(_dinov3(config), attn_implementation=attention)
        else:
            self.model = Dinov2WithRegistersModel._from_config(_dinov2(config), attn_implementation=attention)
        self.model.embeddings.mask_token.requires_grad_(False)
        self.first_patch = 1 + config.registers
        self.register_buffer("mean", torch.tensor(IMAGE_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(IMAGE_DEVIATION).view(3, 1, 1), persistent=False)

    def forward(self, images: Float[Tensor, "images 3 height width"]) -> Float[Tensor, "images patches channels"]:
        """Return patch tokens in row-major order.

        Args:
            images: in [0, 1]; height and width multiples of 16.
        """
        if self.patch_px != APPEARANCE_PATCH_PX:
            size = [side // APPEARANCE_PATCH_PX * self.patch_px for side in images.shape[2:]]
            images = functional.interpolate(images, size=size, mode="bilinear", antialias=True, align_corners=False)
            images = images.clamp(0, 1)
        normalised = (images - self.mean) / self.deviation
        return self.model(pixel_values=normalised).last_hidden_state[:, self.first_patch :].float()


def load_published_appearance(appearance: Appearance, source: str | Path) -> None:
    """Copy published weights into an appearance encoder of the same family and sizes.

    Nothing is copied unless everything fits.

    Args:
        appearance: to fill.
        source: a hub id, or a folder that `save_pretrained` of transformers wrote.

    Raises:
        DataError: the folder is missing or damaged, or holds another family or other sizes.
        EnvironmentProblem: the hub can't be reached or refuses.
    """
    if not is_hub_id(source) and not Path(source).is_dir():
        raise DataError(source, "folder", "no such folder, and no hub id", "a hub id reads owner/name")
    kind = type(appearance.model)
    try:
        _check_same(source, appearance.model.config)
        # With output_loading_info a pair is returned, which its signature does not say.
        loaded, report = cast(
            tuple[nn.Module, dict[str, list[str]]],
            kind.from_pretrained(source, dtype=torch.float32, use_safetensors=True, output_loading_info=True),
        )
    except SafetensorError as error:
        raise DataError(source, "weights", f"not a whole safetensors file: {error}", "download it again") from error
    except OSError as error:
        if is_hub_id(source):
            raise unreachable(str(source), error) from error
        reason = str(error).strip().splitlines()[0]
        raise DataError(source, "weights", reason, SAVED_ADVICE) from error
    for trouble, problem in (("missing_keys", "missing"), ("unexpected_keys", "not part of the model")):
        for name in sorted(report[trouble]):
            raise DataError(source, name, problem, "the weights are of another family or version")
    appearance.model.load_state_dict(loaded.state_dict(), strict=True)


def _check_same(source: str | Path, wanted: PreTrainedConfig) -> None:
    stored, _ = PreTrainedConfig.get_config_dict(source)
    if "model_type" not in stored:
        raise DataError(source, "config.json", "missing, or names no model_type", SAVED_ADVICE)
    if stored["model_type"] != wanted.model_type:
        problem = f"is {stored['model_type']!r}, the configuration asks for {wanted.model_type!r}"
        raise DataError(source, "model_type", problem, "set appearance.family to that of its checkpoint")
    found = type(wanted).from_dict(stored)
    without = {"image_size"} if isinstance(wanted, DINOv3ViTConfig) else set()
    for name in sorted(inspect.get_annotations(type(wanted)).keys() - IRRELEVANT - without):
        one, other = getattr(found, name), getattr(wanted, name)
        if one != other:
            problem = f"is {one!r}, the configuration of appearance makes it {other!r}"
            raise DataError(source, name, problem, "set the sizes of appearance to those of its checkpoint")


def _dinov3(config: AppearanceConfig) -> DINOv3ViTConfig:
    return DINOv3ViTConfig(
        hidden_size=config.width,
        intermediate_size=config.mlp_width,
        num_hidden_layers=config.depth,
        num_attention_heads=config.heads,
        num_register_tokens=config.registers,
        patch_size=config.patch_px,
        # Random rescaling of positions would make two passes over one frame differ.
        pos_embed_rescale=None,
    )


def _dinov2(config: AppearanceConfig) -> Dinov2WithRegistersConfig:
    return Dinov2WithRegistersConfig(
        hidden_size=config.width,
        mlp_ratio=config.mlp_width // config.width,
        num_hidden_layers=config.depth,
        num_attention_heads=config.heads,
        num_register_tokens=config.registers,
        patch_size=config.patch_px,
        image_size=config.positions * config.patch_px,
    )
