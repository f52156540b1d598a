"""Published weights of the encoders that a configuration names, into a model."""

from backsight.model.appearance import Appearance, load_published_appearance
from backsight.model.config import ModelConfig
from backsight.model.geometry.published import load_published_geometry
from backsight.model.geometry.vggt import VGGT


def load_published_encoders(config: ModelConfig, geometry: VGGT, appearance: Appearance) -> None:
    """Load what `geometry.checkpoint` and `appearance.checkpoint` name; nothing where they are not set.

    Args:
        config: names the checkpoints.
        geometry: of that configuration, not adapted yet.
        appearance: likewise.

    Raises:
        DataError: a checkpoint is missing, damaged, or of other sizes.
        EnvironmentProblem: the hub can't be reached or refuses.
    """
    if config.geometry.checkpoint is not None:
        load_published_geometry(geometry, config.geometry.checkpoint)
    if config.appearance.checkpoint is not None:
        load_published_appearance(appearance, config.appearance.checkpoint)
