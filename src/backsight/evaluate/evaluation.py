"""One evaluation from end to end: predict, baselines, score, table, report."""

from dataclasses import dataclass
from pathlib import Path

from backsight.evaluate.baselines.dataset_mean import measure_training_means
from backsight.evaluate.baselines.run import keyframes_of_predictions, predict_baselines
from backsight.evaluate.imagined import predict_imagined
from backsight.evaluate.imagined_files import IMAGINED_FOLDER
from backsight.evaluate.imagined_scores import score_imagined
from backsight.evaluate.predict import predict_split
from backsight.evaluate.report.content import SELECTION_RULE, RealWalks, ReportContent
from backsight.evaluate.report.drawings import CurvePoint
from backsight.evaluate.report.gather import gather_walks
from backsight.evaluate.report.page import write_report
from backsight.evaluate.samples import EvaluationConfig, SequenceSource, open_source
from backsight.evaluate.score import Scores, score_all
from backsight.evaluate.table import write_results
from backsight.monitor.run_folder import read_metrics
from backsight.records.score import ScoreRow

PREDICTIONS_FOLDER = "predictions"
RESULTS_FILE = "results.json"
MODEL = "model"
CURVES = ("loss/total", "loss/footprint_bce", "loss/matching", "loss/target_bce")
"""Losses drawn in the report beside every validation figure."""


@dataclass(frozen=True)
class EvaluationResult:
    """What an evaluation left behind."""

    rows: tuple[ScoreRow, ...]
    recorded_rows: tuple[ScoreRow, ...]
    """Of the recorded walk; empty when there was none."""
    report: Path


def evaluate_checkpoint(
    checkpoint: Path,
    data: Path,
    out: Path,
    config: EvaluationConfig,
    recording: Path | None = None,
    run: Path | None = None,
    facts: tuple[tuple[str, str], ...] = (),
) -> EvaluationResult:
    """Predict and score a split with all baselines, and write results.json, the report and the prediction files.

    Args:
        checkpoint: folder that `Backsight.save_pretrained` wrote.
        data: data set.
        out: folder to write.
        config: of the evaluation.
        recording: a recorded RGB-D walk, scored zero-shot beside the data set.
        run: run folder whose learning curve the report shows.
        facts: name and value of what the report should say about training and data.
    """
    source = open_source(data, config)
    training = SequenceSource(data, "train")
    predictions = out / PREDICTIONS_FOLDER
    model = predict_split(checkpoint, source, predictions, config)
    folders = [model, *(predict_split(checkpoint, source, predictions, config, each) for each in config.shuffles)]
    if config.geometry == "given":
        folders.append(predict_split(checkpoint, source, predictions, config, geometry="given"))
    means = measure_training_means(training, config)
    folders += predict_baselines(source, config, predictions, means, keyframes_of_predictions(model))
    scores = score_all(folders, source, config)
    imagined = predict_imagined(checkpoint, source, out / IMAGINED_FOLDER, config)
    if imagined is not None:
        scores.rows.extend(score_imagined(imagined, source, training, config))
    write_results(out / RESULTS_FILE, scores.rows)
    recorded = _evaluate_recording(checkpoint, recording, out, config) if recording is not None else None
    content = ReportContent(
        title="Backsight: where was I, and where is it?",
        summary=_summary(scores, data),
        rows=tuple(scores.rows),
        walks=gather_walks(model, source, config, scores.sample_aucs[MODEL]),
        selection_rule=SELECTION_RULE,
        real=recorded,
        curve_points=_curves(run) if run is not None else (),
        facts=facts,
    )
    report = write_report(out, content)
    return EvaluationResult(tuple(scores.rows), recorded.rows if recorded else (), report)


def _evaluate_recording(checkpoint: Path, recording: Path, out: Path, config: EvaluationConfig) -> RealWalks:
    source = open_source(recording, config)
    predictions = out / "recording" / PREDICTIONS_FOLDER
    model = predict_split(checkpoint, source, predictions, config)
    folders = [model, *predict_baselines(source, config, predictions, None, keyframes_of_predictions(model))]
    # A recording holds no instructions to shuffle.
    if "history" in config.shuffles:
        folders.append(predict_split(checkpoint, source, predictions, config, "history"))
    if config.geometry == "given":
        folders.append(predict_split(checkpoint, source, predictions, config, geometry="given"))
    scores = score_all(folders, source, config)
    write_results(out / "recording" / RESULTS_FILE, scores.rows)
    return RealWalks(
        description=(
            f"{recording.name}: a recorded walk, cut into {len(source.sequence_ids())} overlapping windows. The model "
            "has seen rendered flats only and gets no depth and no pose: zero-shot, geometry estimated. Truth comes "
            "from the recording's depth and poses. Windows of one walk are one place, so intervals are not given."
        ),
        rows=tuple(scores.rows),
        walks=gather_walks(model, source, config, scores.sample_aucs[MODEL], num_random=1),
    )


def _curves(run: Path) -> tuple[CurvePoint, ...]:
    points = [
        (record.step, name.removeprefix("validation/").removeprefix("loss/").replace("_", " "), value)
        for record in read_metrics(run)
        for name, value in record.values.items()
        if name.startswith("validation/") or name in CURVES
    ]
    return tuple(sorted(points, key=lambda point: point[1]))


def _summary(scores: Scores, data: Path) -> str:
    footprint = next(row for row in scores.rows if row.metric == "footprint_auc" and row.predictor == MODEL)
    return (
        "An agent walks through flats that it was never trained in and remembers what it saw. For each remembered "
        "frame the model draws where that frame's surfaces lie in the present view (footprints) and, for an "
        "instruction, where the named thing lies in each keyframe (targets). It is given images and words only; depth "
        f"and poses make the truth. Footprint figures rest on {footprint.maps} maps of {footprint.places} places of "
        f"{data.name}; intervals are 95 %, by bootstrap over places."
    )
