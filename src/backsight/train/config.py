"""What a training run is told."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from backsight.data.batches import BatchConfig
from backsight.losses.matching import MatchingConfig
from backsight.losses.total import LossWeights
from backsight.losses.weighting import WeightingConfig
from backsight.model.adaptation import AdaptationConfig
from backsight.model.config import PartsConfig
from backsight.train.techniques.config import TechniquesConfig


class OptimiserConfig(BaseModel):
    """AdamW with a warm-up and a cosine to zero."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    learning_rate: float = Field(default=1e-3, gt=0, le=1.0)
    weight_decay: float = Field(default=0.05, ge=0, le=1.0)
    betas: tuple[float, float] = (0.9, 0.98)
    warmup_steps: int = Field(default=60, ge=0)
    clip_norm: float = Field(default=1.0, gt=0)
    """Largest norm of the whole gradient."""


class TrainConfig(BaseModel):
    """One training run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Path = Path("data/collected")
    """Data set to train on; its splits.json says which places."""
    run: Path = Path("runs/first")
    """Run folder to write."""
    preset: Literal["tiny", "small", "full"] = "tiny"
    parts: PartsConfig = PartsConfig()
    """Which parts of the model are heard; for ablations."""
    geometry: Literal["estimated", "given", "mixed"] = "estimated"
    """Whether the model is given depth and poses: never, always, or in half of the steps, drawn by the seed."""
    steps: int = Field(default=1500, ge=1)
    """Optimiser steps."""
    minutes: float | None = Field(default=None, gt=0)
    """Wall time that ends the run before its steps do; the learning rate follows whichever is further."""
    batches_ahead: int = Field(default=1, ge=1, le=64)
    """Batches built in the background while the model works, a thread each."""
    processes: int = Field(default=1, ge=1, le=1024)
    """Processes of this machine that train together, each on its own GPU or its own share of the cores; every one
    takes `batch.batch_size` samples a step."""
    seed: int = Field(default=0, ge=0)
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    """auto takes bf16 where the processor computes with it natively."""
    threads: int = Field(default=0, ge=0)
    """Threads of torch on the CPU; 0 keeps torch's own choice."""
    log_every: int = Field(default=20, ge=1)
    validate_every: int = Field(default=250, ge=1)
    """Steps between validations."""
    validation_samples: int = Field(default=24, ge=1)
    """Current views of validation places behind each point of the learning curve."""
    calibration_samples: int = Field(default=64, ge=1)
    """Current views of validation places behind the calibration."""
    validation_split: Literal["val", "train"] = "val"
    """Split that validation and calibration read; train only where over-fitting is the aim."""
    checkpoint_every: int = Field(default=500, ge=1)
    keep_checkpoints: int = Field(default=2, ge=1)
    resume: bool = True
    """Whether a run folder that holds checkpoints is gone on with."""
    batch: BatchConfig = BatchConfig()
    optimiser: OptimiserConfig = OptimiserConfig()
    supervision: Literal["geometry", "self", "mixed"] = "mixed"
    """geometry: by truth; self: by the model's own estimated geometry; mixed: by truth where a walk has it."""
    weights: LossWeights = LossWeights()
    weighting: WeightingConfig = WeightingConfig()
    """How the weights of the five losses change while training."""
    techniques: TechniquesConfig = TechniquesConfig()
    matching: MatchingConfig = MatchingConfig()
    adaptation: AdaptationConfig = AdaptationConfig()
    """Which components are trained in full, frozen, or through adapters."""

    @model_validator(mode="after")
    def _check(self) -> "TrainConfig":
        if self.supervision == "self" and self.techniques.adversarial.enabled:
            raise ValueError("techniques.adversarial compares with truth, which supervision self does not use")
        return self
