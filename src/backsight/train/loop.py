"""The training loop: batches in, a calibrated model and a run folder out."""

import logging
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs, broadcast_object_list
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import nn

from backsight.data.batches import Tokenize
from backsight.data.curriculum import Curriculum, item_difficulty
from backsight.data.sampler import EpochSampler, SamplerState
from backsight.data.truth import MapGrid
from backsight.losses.total import TERMS_OF_LOSS, LossWeights, total_loss
from backsight.losses.weighting import Weighting
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
from backsight.train.checkpoint import TrainState, load_average, load_checkpoint, newest_checkpoint, save_checkpoint
from backsight.train.config import TrainConfig
from backsight.train.data import SplitData, batch_source, given_of, gives_geometry, map_grid, model_images, open_split
from backsight.train.optimiser import learning_rate_factor, make_optimiser, set_learning_rate
from backsight.train.self_supervision import supervised_constant_terms, supervised_terms, unsupervised
from backsight.train.step import batch_truth, loss_terms
from backsight.train.techniques.adversarial import candidates, looks_for_worst, sample_losses, worst_of
from backsight.train.techniques.average import WeightAverage
from backsight.train.techniques.lessons import Teachers
from backsight.train.techniques.multi_scale import scaled_grid, step_scale
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
        # A batch may lack what a parameter learns from (instructions, imagined views), and some are never trained.
        parallel = DistributedDataParallelKwargs(find_unused_parameters=True)
        self.accelerator = Accelerator(mixed_precision=mixed_precision(config.precision), kwargs_handlers=[parallel])
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
        self.weighting = Weighting(config.weighting, tuple(TERMS_OF_LOSS), config.seed).to(self.accelerator.device)
        optimiser = make_optimiser(model, config.optimiser, self.weighting)
        self._resume(resumed, model, optimiser)
        self.bare = model
        self.model: nn.Module
        self.model, self.optimiser = self.accelerator.prepare(model, optimiser)
        self._start_techniques(resumed)
        first = self.accelerator.is_main_process
        # The model's own configuration too: results depend on the attention backend.
        described = config.model_dump(mode="json") | {"model": model.config.model_dump(mode="json")}
        self.writer = RunWriter(config.run, described) if first else None

    def _resume(self, newest: Path | None, model: Backsight, optimiser: torch.optim.Optimizer) -> None:
        if newest is not None:
            state = load_checkpoint(newest, model, optimiser)
            self.step, self.sampled, self.trained_s = state.step, state.sampler, state.trained_s
            if state.weighting is not None:
                self.weighting.restore(state.weighting)
            _log.warning("going on from %s", newest)

    def _start_techniques(self, resumed: Path | None) -> None:
        techniques = self.config.techniques
        self.average = WeightAverage(self.bare, techniques.average.decay) if techniques.average.enabled else None
        if self.average is not None and resumed is not None:
            tensors = load_average(resumed)
            if tensors is None:
                _log.warning("%s holds no averaged weights: the average begins here", resumed)
            else:
                self.average.restore(tensors, resumed)
        self.teachers = Teachers(techniques, self.bare, self.average)

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
                epoch = self.sampled.epoch
                batch, self.sampled = batches.next()
                logged = self._take_step(batch.to(self.accelerator.device))
                if self.sampled.epoch > epoch:
                    self.weighting.end_epoch(self._sum_over_ranks)
                self.trained_s = self._agreed(time.monotonic() - began_s)
                if self._logs(self.step):
                    self._log({name: value.item() for name, value in logged.items()})
                    progress.update(bar, completed=self.step, description=f"loss {logged['loss/total'].item():.3f}")
                if self.writer is not None and self.step % self.config.validate_every == 0 and not self._done():
                    self._judge(self.config.validation_samples)
                if self.step % self.config.checkpoint_every == 0 or self._done():
                    self._save()

    def _batches(self) -> BatchesAhead[Batch]:
        accelerator, size = self.accelerator, self.config.batch.batch_size
        sampler = EpochSampler(len(self.training.items), self.config.seed, self.sampled, self._curriculum())
        ranks = accelerator.process_index, accelerator.num_processes
        return BatchesAhead(self.training.batch, sampler, size, *ranks, ahead=self.config.batches_ahead)

    def _curriculum(self) -> Curriculum | None:
        config = self.config.techniques.curriculum
        if not config.enabled:
            return None
        items = [(item.sequence, item.current_frame) for item in self.training.items]
        return Curriculum(item_difficulty(self.training.data.annotations, items), config)

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
        grid = scaled_grid(self.grid, step_scale(config.techniques.multi_scale, config.seed, self.step))
        if looks_for_worst(config.techniques.adversarial, config.seed, self.step):
            batch = self._worst_case(batch, grid)
        truth = batch_truth(batch, grid)
        alone = unsupervised(batch, config.supervision)
        images, places = model_images(batch, grid), (batch.current, batch.history)
        # Neither answers nor attention: teachers show maps and presence.
        plain = Question(batch.keyframes, batch.frame_index, batch.instruction_tokens)
        with accelerator.autocast():
            lessons = self.teachers.show(images, plain, *places, alone)
            given = given_of(batch, grid, gives_geometry(config.geometry, config.seed, self.step))
            outputs = self.model(images, question_of(batch, config.weights), *places, given)
        terms = supervised_terms(batch, truth, *outputs, matching=config.matching, supervision=config.supervision)
        terms = replace(terms, **self.teachers.terms(batch, *outputs[1:], lessons=lessons, alone=alone))
        total, losses = total_loss(terms, config.weights, self.weighting)
        accelerator.backward(total)
        accelerator.clip_grad_norm_(self.model.parameters(), config.optimiser.clip_norm)
        self._average_gradients(self.weighting)
        self.optimiser.step()
        self.optimiser.zero_grad()
        if self.average is not None:
            self.average.update(self.bare, self.step)
        self.step += 1
        logged = {name if name.startswith("weight/") else f"loss/{name}": value for name, value in losses.items()}
        if self._logs(self.step):
            constants = supervised_constant_terms(batch, truth, config.supervision).means()
            logged |= {f"constant/{name}": value for name, value in constants.items()}
        return logged

    def _worst_case(self, batch: Batch, grid: MapGrid) -> Batch:
        """Return the batch with the worst of a few changes of each sample, as the model stands, at rest."""
        config = self.config
        rng = np.random.default_rng([config.seed, self.step, 1 + self.accelerator.process_index])

        @torch.no_grad()
        def losses(one: Batch) -> torch.Tensor:
            with self.accelerator.autocast():
                question = question_of(one, config.weights)
                outputs = self.bare(model_images(one, grid), question, one.current, one.history)
            terms = loss_terms(one, batch_truth(one, grid), *outputs, matching=config.matching)
            return sample_losses(terms, one, config.weights)

        self.bare.eval()
        found = worst_of(candidates(batch, config.techniques.adversarial, self.bare.tokenizer, rng), losses)
        self.bare.train()
        return found

    def _sum_over_ranks(self, values: torch.Tensor) -> torch.Tensor:
        summed = self.accelerator.reduce(values.to(self.accelerator.device), "sum")
        return cast(torch.Tensor, summed)

    def _average_gradients(self, module: nn.Module) -> None:
        """Average gradients over ranks where no wrapper does; a loss that one rank lacked counts as no slope there."""
        if self.accelerator.num_processes > 1:
            for parameter in module.parameters():
                gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
                parameter.grad = cast(torch.Tensor, self.accelerator.reduce(gradient, "mean"))

    def _averaged(self) -> AbstractContextManager[None]:
        """Return a context in which the model has its averaged weights, where the run averages."""
        return nullcontext() if self.average is None else self.average.inside(self.bare)

    def _judge(self, samples: int) -> ValidationOutputs:
        with self._averaged():
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
            state = TrainState(self.step, self.samples, self.sampled, self.trained_s, self.weighting.progress())
            folder = self.config.run / "checkpoints"
            optimiser = self.optimiser.optimizer
            averages = None if self.average is None else self.average.tensors()
            keep = self.config.keep_checkpoints
            save_checkpoint(folder, state, lambda path: save_pretrained(self.bare, path), optimiser, keep, averages)

    def finish(self) -> Path:
        """Calibrate on validation places, save the model and return its folder."""
        folder = self.config.run / "model"
        if self.writer is not None:
            self.bare.calibration = fit_calibration(self._judge(self.config.calibration_samples))
            with self._averaged():
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
        current_from_imagined=batch.imagined.current_from_imagined if batch.imagined is not None else None,
    )


def _tokenize(model: Backsight) -> Tokenize:
    def tokenize(texts: list[str]) -> list[list[int]]:
        return [model.tokenizer.encode(text, add_special_tokens=False) for text in texts]

    return tokenize
