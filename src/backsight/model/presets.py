"""Presets: each returns a complete configuration; every class is the real one at every size."""

from backsight.model.config import (
    AppearanceConfig,
    FusionConfig,
    GeometryConfig,
    HeatmapConfig,
    LanguageConfig,
    ModelConfig,
)
from backsight.records.errors import UsageError


def tiny() -> ModelConfig:
    """Return the preset that trains on two CPU cores in minutes: images 128 x 96, maps 32 x 24."""
    return ModelConfig(
        preset="tiny",
        attention="eager",
        patch_rows=6,
        patch_columns=8,
        keyframes=5,
        geometry=GeometryConfig(
            width=96,
            heads=4,
            depth=3,
            patch_depth=1,
            patch_heads=4,
            positions=8,
            camera_depth=1,
            camera_heads=4,
            depth_features=16,
            depth_channels=(16, 16, 32, 32),
            depth_layers=(0, 1, 2, 2),
            depth_down_ratio=3.5,
            tapped_layer=1,
        ),
        appearance=AppearanceConfig(width=64, heads=4, depth=3, mlp_width=256),
        language=LanguageConfig(
            vocabulary=1024,
            width=96,
            mlp_width=256,
            depth=3,
            heads=4,
            key_value_heads=2,
            rotary_sections=(4, 4, 4),
            vision_width=64,
            vision_mlp_width=128,
            vision_depth=2,
            vision_heads=4,
            vision_full_attention=(1,),
        ),
        fusion=FusionConfig(skip=64, channels=96, blocks=2, tokens=128, context=32),
        heatmap=HeatmapConfig(footprint=64, footprint_map=32, target=48),
    )


def small() -> ModelConfig:
    """Return the preset that trains from scratch on one GPU: images 256 x 192, maps 64 x 48."""
    return ModelConfig(
        preset="small",
        attention="sdpa",
        patch_rows=12,
        patch_columns=16,
        keyframes=8,
        geometry=GeometryConfig(
            width=384,
            heads=6,
            depth=8,
            patch_depth=6,
            patch_heads=6,
            positions=16,
            camera_depth=2,
            camera_heads=12,
            depth_features=64,
            depth_channels=(64, 128, 256, 256),
            depth_layers=(1, 3, 5, 7),
            depth_down_ratio=3.5,
            tapped_layer=4,
        ),
        appearance=AppearanceConfig(width=384, heads=6, depth=12, mlp_width=1536),
        language=LanguageConfig(
            vocabulary=4096,
            width=512,
            mlp_width=1408,
            depth=8,
            heads=8,
            key_value_heads=2,
            rotary_sections=(8, 12, 12),
            vision_width=256,
            vision_mlp_width=704,
            vision_depth=6,
            vision_heads=4,
            vision_full_attention=(2, 5),
        ),
        fusion=FusionConfig(skip=96, channels=192, blocks=4, tokens=384, context=64),
        heatmap=HeatmapConfig(footprint=128, footprint_map=64, target=96),
    )


def full() -> ModelConfig:
    """Return the preset with the sizes of the published checkpoints: images 576 x 448, maps 144 x 112."""
    return ModelConfig(
        preset="full",
        attention="sdpa",
        patch_rows=28,
        patch_columns=36,
        keyframes=16,
        geometry=GeometryConfig(
            width=1024,
            heads=16,
            depth=24,
            patch_depth=24,
            patch_heads=16,
            positions=37,
            camera_depth=4,
            camera_heads=16,
            depth_features=256,
            depth_channels=(256, 512, 1024, 1024),
            depth_layers=(4, 11, 17, 23),
            tapped_layer=15,
            checkpoint="facebook/VGGT-1B",
        ),
        # Gated; facebook/dinov2-with-registers-large, of family dinov2_with_registers, is not.
        appearance=AppearanceConfig(
            width=1024,
            heads=16,
            depth=24,
            mlp_width=4096,
            checkpoint="facebook/dinov3-vitl16-pretrain-lvd1689m",
        ),
        language=LanguageConfig(
            checkpoint="Qwen/Qwen2.5-VL-3B-Instruct",
            vocabulary=151936,
            width=2048,
            mlp_width=11008,
            depth=36,
            heads=16,
            key_value_heads=2,
            rotary_sections=(16, 24, 24),
            vision_width=1280,
            vision_mlp_width=3420,
            vision_depth=32,
            vision_heads=16,
            vision_full_attention=(7, 15, 23, 31),
        ),
        fusion=FusionConfig(skip=128, channels=256, blocks=4, tokens=1024, context=96, correlation_scale=1),
        heatmap=HeatmapConfig(footprint=192, footprint_map=96, target=128),
    )


def preset(name: str) -> ModelConfig:
    """Return the preset called `name`.

    Args:
        name: tiny, small or full.

    Raises:
        UsageError: there is no such preset.
    """
    if name == "tiny":
        return tiny()
    if name == "small":
        return small()
    if name == "full":
        return full()
    raise UsageError(f"preset {name!r} is not known: use tiny, small or full")
