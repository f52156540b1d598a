"""The training loop: batches in, a calibrated model and a run folder out."""

import logging
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import nn

from backsight.data.batches import Tokenize
from backsight.data.sampler import EpochSampler, SamplerState
from backsight.data.truth import MapGrid
from backsight.losses.total import LossWeights, total_loss
from backsight.model.adaptation import adapt
from backsight.model.backsight import Backsight
from backsight.model.checkpoint import save_pretrained
from backsight.model.encoders import load_published_encoders
from backsight.model.presets import preset
from backsight.model.question import Question
from backsight.model.start import new_model
from backsight.model.tokenizer import token_ids
from backsight.monitor.run_folder import RunWriter
from backsight.records.batch import Batch
from backsight.train.ahead import BatchesAhead
from backsight.train.checkpoint import TrainState, load_checkpoint, newest_checkpoint, save_checkpoint
from backsight.train.config import TrainConfig
from backsight.train.data import SplitData, batch_source, given_of, gives_geometry, map_grid, model_images, open_split
from backsight.train.optimiser import learning_rate_factor, make_optimiser, set_learning_rate
from backsight.train.step import batch_truth, constant_map_terms, loss_terms
from backsight.train.validate import ValidationOutputs, fit_calibration, validation_metrics, validation_outputs

PHASE = "joint"
"""All five losses at once, from the first step."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainReport:
    """What came of a run."""

    model: Path
    """Folder that `Backsight.from_pretrained` loads."""
    run: Path
    steps: int
    parameters: int
    minutes: float
    """Wall time of this call."""
    places: int
    sequences: int


def train(config: TrainConfig) -> TrainReport:
    """Train on the data set's training places, validate and calibrate on its validation places.

    Raises:
        DataError: the data set does not fit the configuration.
        LossNotFiniteError: a loss became NaN or infinite; names the term.
    """
    began_s = time.monotonic()
    if config.threads:
        torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    training, validation = open_split(config.data, "train"), open_split(config.data, config.validation_split)
    model_config = preset(config.preset).model_copy(update={"parts": config.parts})
    model = new_model(model_config, training.texts())
    grid = map_grid(training, model_config)
    run = _Run(config, model, training, validation, grid)
    run.train()
    calibrated = run.finish()
    return TrainReport(
        model=calibrated,
        run=config.run,
        steps=run.step,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        minutes=(time.monotonic() - began_s) / 60,
        places=training.places,
        sequences=len(training.cache),
    )


def mixed_precision(precision: str) -> str:
    """Return accelerate's name of the precision to compute in.

    Args:
        precision: auto, bf16 or fp32; auto takes bf16 on a GPU, and on a processor that multiplies it natively.
    """
    if precision != "auto":
        return {"bf16": "bf16", "fp32": "no"}[precision]
    if torch.cuda.is_available():
        return "bf16"
    able = torch.cpu.get_capabilities()
    return "bf16" if able.get("avx512_bf16") or able.get("amx_bf16") else "no"


class _Run:
    """One run's objects; `train` and `finish` are its life."""

    def __init__(
        self, config: TrainConfig, model: Backsight, training: SplitData, validation: SplitData, grid: MapGrid
    ) -> None:
        self.config, self.grid = config, grid
        self.accelerator = Accelerator(mixed_precision=mixed_precision(config.precision))
        tokenize = _tokenize(model)
        tokens = token_ids(model.tokenizer, model.config.language.frame_tokens)
        self.training = batch_source(training, config.batch, tokenize, tokens.padding, tokens.end)
        # Validation shows frames as they come, not the partly co-visible ones that training prefers.
        wide = config.batch.model_copy(update={"partial_share": 0.0, "currents_per_sample": 1})
        self.validation = batch_source(validation, wide, tokenize, tokens.padding, tokens.end)
        self.sampled = SamplerState()
        self.step = 0
        self.trained_s = 0.0
        resumed = newest_checkpoint(config.run / "checkpoints") if config.resume else None
        if resumed is None:
            load_published_encoders(model.config, model.geometry, model.appearance)
        adapt(model, config.adaptation)
        optimiser = make_optimiser(model, config.optimiser)
        self._resume(resumed, model, optimiser)
        self.bare = model
        self.model: nn.Module
        self.model, self.optimiser = self.accelerator.prepare(model, optimiser)
        first = self.accelerator.is_main_process
        # The model's own configuration too: results depend on the attention backend.
        described = config.model_dump(mode="json") | {"model": model.config.model_dump(mode="json")}
        self.writer = RunWriter(config.run, described) if first else None

    def _resume(self, newest: Path | None, model: Backsight, optimiser: torch.optim.Optimizer) -> None:
        if newest is not None:
            state = load_checkpoint(newest, model, optimiser)
            self.step, self.sampled, self.trained_s = state.step, state.sampler, state.trained_s
            _log.warning("going on from %s", newest)

    @property
    def samples(self) -> int:
        """Training samples seen so far, over all ranks."""
        return self.step * self.config.batch.batch_size * self.accelerator.num_processes

    def train(self) -> None:
        """Take all steps that are left, in the time that is left."""
        columns = (TextColumn("training"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
        self.model.train()
        began_s = time.monotonic() - self.trained_s
        with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn()) as progress, self._batches() as batches:
            bar = progress.add_task("", total=self.config.steps, completed=self.step)
            while not self._done():
                batch, self.sampled = batches.next()
                logged = self._take_step(batch.to(self.accelerator.device))
                self.trained_s = self._agreed(time.monotonic() - began_s)
                if self._logs(self.step):
                    self._log({name: value.item() for name, value in logged.items()})
                    progress.update(bar, completed=self.step, description=f"loss {logged['loss/total'].item():.3f}")
                if self.step % self.config.validate_every == 0 and not self._done():
                    self._judge(self.config.validation_samples)
                if self.step % self.config.checkpoint_every == 0 or self._done():
                    self._save()

    def _batches(self) -> BatchesAhead[Batch]:
        accelerator, size = self.accelerator, self.config.batch.batch_size
        sampler = EpochSampler(len(self.training.items), self.config.seed, self.sampled)
        ranks = accelerator.process_index, accelerator.num_processes
        return BatchesAhead(self.training.batch, sampler, size, *ranks, ahead=self.config.batches_ahead)

    def _agreed(self, seconds: float) -> float:
        """Return the first rank's time where time ends the run, so that all ranks end at the same step."""
        values = [seconds]
        if self.config.minutes is not None and self.accelerator.num_processes > 1:
            broadcast_object_list(values)
        return values[0]

    def _done(self) -> bool:
        return self.step >= self.config.steps or self._progress() >= 1.0

    def _progress(self) -> float:
        """Return the share of the run that is behind: of its steps, or of its time where that is further."""
        minutes = self.config.minutes
        of_time = 0.0 if minutes is None else self.trained_s / (60 * minutes)
        return max(self.step / self.config.steps, of_time)

    def _logs(self, step: int) -> bool:
        return step % self.config.log_every == 0 or step == 1

    def _take_step(self, batch: Batch) -> dict[str, torch.Tensor]:
        accelerator, config = self.accelerator, self.config
        factor = learning_rate_factor(self.step, self._progress(), config.steps, config.optimiser.warmup_steps)
        set_learning_rate(self.optimiser, config.optimiser.learning_rate * factor)
        truth = batch_truth(batch, self.grid)
        with accelerator.autocast():
            question = question_of(batch, config.weights)
            given = given_of(batch, self.grid, gives_geometry(config.geometry, config.seed, self.step))
            outputs = self.model(model_images(batch, self.grid), question, batch.current, batch.history, given)
        total, losses = total_loss(loss_terms(batch, truth, *outputs, matching=config.matching), config.weights)
        accelerator.backward(total)
        accelerator.clip_grad_norm_(self.model.parameters(), config.optimiser.clip_norm)
        self.optimiser.step()
        self.optimiser.zero_grad()
        self.step += 1
        logged = {f"loss/{name}": value for name, value in losses.items()}
        if self._logs(self.step):
            constants = constant_map_terms(batch, truth).means()
            logged |= {f"constant/{name}": value for name, value in constants.items()}
        return logged

    def _judge(self, samples: int) -> ValidationOutputs:
        outputs = validation_outputs(
            self.bare, self.validation, self.grid, samples, lambda: self.accelerator.autocast()
        )
        self._log({f"validation/{name}": value for name, value in validation_metrics(outputs).items()})
        return outputs

    def _log(self, values: dict[str, float]) -> None:
        if self.writer is not None:
            self.writer.log(self.step, self.sampled.epoch, PHASE, self.samples, values)

    def _save(self) -> None:
        if self.accelerator.is_main_process:
            state = TrainState(self.step, self.samples, self.sampled, self.trained_s)
            folder = self.config.run / "checkpoints"
            optimiser = self.optimiser.optimizer
            save_checkpoint(
                folder, state, lambda path: save_pretrained(self.bare, path), optimiser, self.config.keep_checkpoints
            )

    def finish(self) -> Path:
        """Calibrate on validation places, save the model and return its folder."""
        self.bare.calibration = fit_calibration(self._judge(self.config.calibration_samples))
        folder = self.config.run / "model"
        if self.writer is not None:
            save_pretrained(self.bare, folder)
            self.writer.close()
        self.accelerator.wait_for_everyone()
        return folder


def question_of(batch: Batch, weights: LossWeights) -> Question:
    """Return what the model is asked: answers and attention only where their terms count."""
    return Question(
        batch.keyframes,
        batch.frame_index,
        batch.instruction_tokens,
        answer_tokens=batch.answer_tokens if weights.terms.answer > 0 else None,
        with_attention=weights.terms.attention_alignment > 0,
    )


def _tokenize(model: Backsight) -> Tokenize:
    def tokenize(texts: list[str]) -> list[list[int]]:
        return [model.tokenizer.encode(text, add_special_tokens=False) for text in texts]

    return tokenize
