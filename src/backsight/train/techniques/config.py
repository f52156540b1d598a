"""All techniques of a run; each is off unless it is asked for."""

from pydantic import BaseModel, ConfigDict

from backsight.train.techniques.average import AverageConfig
from backsight.train.techniques.multi_scale import MultiScaleConfig
from backsight.train.techniques.teacher import DistillationConfig


class TechniquesConfig(BaseModel):
    """Switches."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    average: AverageConfig = AverageConfig()
    """Averaged weights are validated and saved."""
    multi_scale: MultiScaleConfig = MultiScaleConfig()
    distillation: DistillationConfig = DistillationConfig()
