"""All techniques of a run; each is off unless it is asked for."""

from pydantic import BaseModel, ConfigDict, model_validator

from backsight.data.curriculum import CurriculumConfig
from backsight.train.techniques.adversarial import AdversarialConfig
from backsight.train.techniques.average import AverageConfig
from backsight.train.techniques.multi_scale import MultiScaleConfig
from backsight.train.techniques.pseudo_labels import PseudoLabelConfig
from backsight.train.techniques.teacher import DistillationConfig


class TechniquesConfig(BaseModel):
    """Switches."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    average: AverageConfig = AverageConfig()
    """Averaged weights are validated and saved."""
    multi_scale: MultiScaleConfig = MultiScaleConfig()
    distillation: DistillationConfig = DistillationConfig()
    pseudo_labels: PseudoLabelConfig = PseudoLabelConfig()
    """For samples without truth."""
    curriculum: CurriculumConfig = CurriculumConfig()
    adversarial: AdversarialConfig = AdversarialConfig()

    @model_validator(mode="after")
    def _check(self) -> "TechniquesConfig":
        if self.pseudo_labels.enabled and self.pseudo_labels.teacher is None and not self.average.enabled:
            raise ValueError("pseudo_labels needs a teacher: name one, or enable average")
        return self
