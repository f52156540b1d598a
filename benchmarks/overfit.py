"""Can the smallest preset learn four walks by heart, and does it fail when words or frames are mixed up?

    python benchmarks/overfit.py [--out DIR] [--steps 800] [--json FILE]

Four walks of four flats, all in the training split; training, calibration and evaluation read the same frames: the
latest 11 up to each current view, keyframes uniform in time. What must come out:

    footprint soft-IoU      above 0.9, calibrated (the uncalibrated one is shown beside it)
    target pointing hit     1: the largest cell of every map shows the target
    answers exact           1
    shuffled instructions   target hit at chance: that of the maps of other instructions of the same current view
    shuffled history        frame identification at chance or below: no frame has its own image

Exit status 1 when something falls short. A finished data set is kept, training starts anew each time.
"""

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from backsight.collect.config import CollectConfig
from backsight.collect.dataset_run import collect_dataset
from backsight.data.batches import BatchConfig
from backsight.evaluate.predict import predict_split
from backsight.evaluate.prediction_files import read_predictions
from backsight.evaluate.samples import EvaluationConfig, SequenceSource, samples_of
from backsight.evaluate.score import score_predictions
from backsight.evaluate.truth import target_maps
from backsight.losses.total import LossWeights, TermWeights
from backsight.metrics.spatial import eligible, pointing_hit
from backsight.model.backsight import Backsight
from backsight.model.calibration import Calibration
from backsight.records.errors import BacksightError
from backsight.records.instruction import Instruction
from backsight.storage.dataset import read_splits, write_splits
from backsight.train.config import OptimiserConfig, TrainConfig
from backsight.train.loop import train

WALKS = 4
FRAMES = 16
HISTORY = 10
KEYFRAMES = 5
INSTRUCTIONS = 6
"""Of each current view: all that there are."""
CURRENT_VIEWS = 2 * WALKS
LEAST_SOFT_IOU = 0.9
ABOVE_CHANCE = 0.1
"""How far above chance a figure may be by chance: there are about a hundred maps."""


@dataclass
class Arguments:
    """What to run."""

    out: Path = Path("out/overfit")
    """Folder for data, run and predictions."""
    steps: int = 800
    batch_size: int = 4
    learning_rate: float = 2e-3
    seed: int = 0
    threads: int = 0
    """Threads of torch on the CPU; 0 keeps torch's own choice."""
    json: Path | None = None
    """Write the figures there."""


@dataclass(frozen=True)
class Figure:
    """One line of the result."""

    name: str
    value: float
    wanted: str
    """Empty: shown for comparison alone."""
    reached: bool
    maps: int


def overfit(arguments: Arguments) -> list[Figure]:
    """Collect, train, evaluate in-sample and return every figure.

    Raises:
        BacksightError: a step fell short.
    """
    data = collect_training_only(arguments.out / "data")
    run = arguments.out / "run"
    shutil.rmtree(run, ignore_errors=True)
    trained = train(training(data, run, arguments))
    config = EvaluationConfig(
        split="train", max_history=HISTORY, num_keyframes=KEYFRAMES, keyframes="uniform", bootstrap_samples=100
    )
    source = SequenceSource(data, "train")
    predictions = arguments.out / "predictions"
    model = predict_split(trained.model, source, predictions, config)
    folders = [model, *(predict_split(trained.model, source, predictions, config, each) for each in config.shuffles)]
    rows = {(row.metric, row.predictor): row for row in score_predictions(folders, source, config)}
    raw = predict_split(uncalibrated(trained.model, arguments.out), source, arguments.out / "uncalibrated", config)
    raw_rows = {row.metric: row for row in score_predictions([raw], source, config)}

    def of(metric: str, predictor: str = "model") -> tuple[float, int]:
        return rows[metric, predictor].value, rows[metric, predictor].maps

    views = list(asked_views(model, source, config))
    soft_iou, maps = raw_rows["footprint_soft_iou"].value, raw_rows["footprint_soft_iou"].maps
    return [
        *learnt(of),
        Figure("footprint soft-IoU, uncalibrated", soft_iou, "", True, maps),
        *mixed_up(of, *hit_of_other_instructions(views)),
        Figure("  blind guess: some target of the view's instructions", *_shown(hit_of_blind_guess(views))),
    ]


def collect_training_only(folder: Path) -> Path:
    """Collect the walks and put every place into the training split."""
    collected = collect_dataset(
        CollectConfig(
            out=folder,
            num_sequences=WALKS,
            sequences_per_place=1,
            scene_types=("flat",),
            kinds=("sharp turns", "how do I get there", "own trajectory", "where is it from here"),
            seed=7,
            size="128x96",
            rgb_samples_per_axis=2,
            min_frames=FRAMES,
            mean_frames=FRAMES,
            max_frames=FRAMES,
        )
    )
    if not collected.complete:
        raise BacksightError(f"{folder}: not all walks were collected")
    write_splits(folder, dict.fromkeys(read_splits(folder), "train"))
    return folder


def training(data: Path, run: Path, arguments: Arguments) -> TrainConfig:
    """Return a training without anything that works against learning by heart."""
    return TrainConfig(
        data=data,
        run=run,
        steps=arguments.steps,
        seed=arguments.seed,
        threads=arguments.threads,
        # Half precision would round the last hundredth away.
        precision="fp32",
        validation_split="train",
        validate_every=max(1, arguments.steps // 5),
        validation_samples=CURRENT_VIEWS,
        calibration_samples=CURRENT_VIEWS,
        checkpoint_every=arguments.steps,
        keep_checkpoints=1,
        batch=BatchConfig(
            num_frames=HISTORY + 1,
            max_history=HISTORY,
            num_keyframes=KEYFRAMES,
            keyframes="uniform",
            batch_size=arguments.batch_size,
            # What is evaluated is the sample's own current view.
            currents_per_sample=1,
            instructions_per_sample=INSTRUCTIONS,
        ),
        optimiser=OptimiserConfig(learning_rate=arguments.learning_rate, weight_decay=0.0, warmup_steps=30),
        weights=LossWeights(reasoning=1.0, terms=TermWeights(answer=0.5)),
    )


def uncalibrated(model: Path, out: Path) -> Path:
    """Write the model once more without its calibration and return the folder."""
    bare = Backsight.from_pretrained(model)
    bare.calibration = Calibration()
    bare.save_pretrained(out / "uncalibrated" / "weights")
    return out / "uncalibrated" / "weights"


def learnt(of: Callable[..., tuple[float, int]]) -> list[Figure]:
    """Return what must have been learnt by heart."""
    figures = []
    for name, metric, least, wanted in (
        ("footprint soft-IoU, calibrated", "footprint_soft_iou", LEAST_SOFT_IOU, f"> {LEAST_SOFT_IOU:g}"),
        ("target pointing hit", "target_hit", 1.0, "1"),
        ("answers exact", "reasoning_accuracy", 1.0, "1"),
    ):
        value, maps = of(metric)
        reached = value > least if least < 1.0 else value >= 1.0
        figures.append(Figure(name, value, wanted, reached, maps))
    for name, metric in (
        ("footprint AUC", "footprint_auc"),
        ("frame identification", "frame_identification"),
        ("median bearing error, degrees", "bearing_median_deg"),
        ("target soft-IoU", "target_soft_iou"),
        ("answers exact by always saying the commonest", "reasoning_accuracy_chance"),
    ):
        figures.append(Figure(name, *_shown(of(metric))))
    return figures


def mixed_up(of: Callable[..., tuple[float, int]], chance: float, chance_maps: int) -> list[Figure]:
    """Return what must be at chance once words or frames are mixed up."""
    hit, hits = of("target_hit", "model_shuffled")
    identified, frames = of("frame_identification", "model_shuffled_history")
    by_chance, _ = of("frame_identification_chance", "model_shuffled_history")
    at_most, most = f"<= chance + {ABOVE_CHANCE:g}", by_chance + ABOVE_CHANCE
    history = "frame identification, shuffled history"
    return [
        Figure("target hit, shuffled instructions", hit, at_most, hit <= chance + ABOVE_CHANCE, hits),
        Figure("  chance: maps of the view's other instructions", chance, "", True, chance_maps),
        Figure("answers exact, shuffled instructions", *_shown(of("reasoning_accuracy", "model_shuffled"))),
        Figure(history, identified, at_most, identified <= most, frames),
        Figure("  chance: one of the present frames", by_chance, "", True, frames),
        Figure("footprint AUC, shuffled history", *_shown(of("footprint_auc", "model_shuffled_history"))),
        Figure("footprint pointing hit, shuffled history", *_shown(of("footprint_hit", "model_shuffled_history"))),
    ]


def _shown(found: tuple[float, int]) -> tuple[float, str, bool, int]:
    return found[0], "", True, found[1]


@dataclass(frozen=True)
class Asked:
    """One current view's instructions with their truth and what the model drew."""

    instructions: Sequence[Instruction]
    predicted: np.ndarray
    truth: np.ndarray
    judged: np.ndarray
    """Whether an instruction's target is to be seen in a keyframe."""
    everywhere: np.ndarray


def asked_views(folder: Path, source: SequenceSource, config: EvaluationConfig) -> Iterator[Asked]:
    """Yield all current views of an evaluation.

    Args:
        folder: predictions of the model.
        source: the walks.
        config: of the evaluation.
    """
    for prediction in read_predictions(folder):
        sequence = source.read(prediction.info.sequence_id)
        samples = samples_of(sequence.annotations, config.max_history)
        asked = next(s for s in samples if s.current_frame == prediction.info.current_frame).instructions
        truth, present = target_maps(sequence, prediction.keyframes, asked, config.fit_of(sequence))
        everywhere = np.ones(truth.shape[1:], dtype=bool)
        judged = np.stack([eligible(maps, everywhere) for maps in truth]) & present
        yield Asked(asked, prediction.target, truth, judged, everywhere)


def hit_of_other_instructions(views: Iterable[Asked]) -> tuple[float, int]:
    """Return the pointing hit of each target with the maps of instructions that name another category, and how many."""
    hits = [
        pointing_hit(view.predicted[other], view.truth[own], view.everywhere)[view.judged[own]]
        for view in views
        for own, instruction in enumerate(view.instructions)
        for other, told in enumerate(view.instructions)
        if told.category != instruction.category
    ]
    found = np.concatenate(hits)
    return float(found.mean()), len(found)


def hit_of_blind_guess(views: Iterable[Asked]) -> tuple[float, int]:
    """Return the pointing hit of the mean truth of the view's instructions: the best that can be done without words."""
    hits = [
        pointing_hit(view.truth.mean(axis=0), view.truth[own], view.everywhere)[view.judged[own]]
        for view in views
        for own in range(len(view.instructions))
    ]
    found = np.concatenate(hits)
    return float(found.mean()), len(found)


def main() -> int:
    arguments = tyro.cli(Arguments, description=__doc__)
    console = Console()
    try:
        found = overfit(arguments)
    except BacksightError as error:
        Console(stderr=True).print(str(error), markup=False)
        return error.exit_status
    table = Table(title=f"{WALKS} walks by heart, {arguments.steps} steps")
    for heading in ("figure", "value", "wanted", "", "maps"):
        table.add_column(heading, justify="left" if heading in ("figure", "wanted", "") else "right")
    for one in found:
        verdict = ("reached" if one.reached else "MISSED") if one.wanted else ""
        table.add_row(one.name, f"{one.value:.3f}", one.wanted, verdict, str(one.maps))
    console.print(table)
    if arguments.json is not None:
        content = {"steps": arguments.steps, "figures": [asdict(one) for one in found]}
        arguments.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return 0 if all(one.reached for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
