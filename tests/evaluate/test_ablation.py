import io
import json
from pathlib import Path

import pytest
from pydantic import ValidationError
from rich.console import Console

from backsight.cli.ablate import AblateCommand, configured
from backsight.cli.configuration import load_yaml
from backsight.data.batches import BatchConfig
from backsight.evaluate.ablation import FULL, AblationConfig, Variant, ablation_jobs, changed
from backsight.evaluate.ablation_run import Measured, run_ablation, train_and_score
from backsight.evaluate.ablation_table import ablation_lines, ablation_markdown, print_ablation, write_ablation
from backsight.evaluate.samples import EvaluationConfig
from backsight.evaluate.table import read_results
from backsight.losses.total import TERMS_OF_LOSS
from backsight.model.config import PartsConfig
from backsight.records.errors import BacksightError, DataError, UsageError
from backsight.train.config import TrainConfig

STANDARD = Path(__file__).parents[2] / "configs" / "ablation.yaml"
VARIANTS = (
    Variant(name=FULL),
    Variant(name="no_vggt", meaning="a | b", train={"parts": {"geometry": False}}),
    Variant(name="uniform", train={"batch": {"keyframes": "uniform"}}, evaluate={"keyframes": "uniform"}),
)


def small(tmp_path, **changes):
    values = {"out": tmp_path / "out", "seeds": (3, 5), "variants": VARIANTS} | changes
    return AblationConfig(**values)


class Stub:
    """Measures nothing: the figure is 0.5 for the full model, 0.3 without VGGT, plus a hundredth of the seed."""

    def __init__(self, failing=()):
        self.ran = []
        self.failing = failing

    def __call__(self, job):
        self.ran.append((job.variant, job.seed))
        if (job.variant, job.seed) in self.failing:
            raise DataError(job.folder, "loss", "became NaN")
        value = (0.5 if job.train.parts.geometry else 0.3) + job.seed / 100
        values = {"footprint_auc": value, "bearing_median_deg": 40.0 - job.seed}
        return Measured(values, 1.5, 1234)


def nothing(text):
    del text


def test_each_training_is_the_full_one_with_one_change(tmp_path):
    config = small(tmp_path, train=TrainConfig(steps=7, batch=BatchConfig(batch_size=3)))
    jobs = {(job.variant, job.seed): job for job in ablation_jobs(config)}
    assert list(jobs)[:3] == [(FULL, 3), ("no_vggt", 3), ("uniform", 3)]
    full = jobs[FULL, 3].train
    assert full == config.train.model_copy(update={"seed": 3, "run": tmp_path / "out" / "full" / "seed-3" / "run"})
    changes = {"parts": PartsConfig(geometry=False), "run": jobs["no_vggt", 3].train.run}
    assert jobs["no_vggt", 3].train == full.model_copy(update=changes)
    assert jobs["uniform", 5].train.batch == config.train.batch.model_copy(update={"keyframes": "uniform"})
    assert jobs["uniform", 5].evaluate.keyframes == "uniform"
    assert jobs["no_vggt", 5].evaluate == config.evaluate
    assert len({job.folder for job in jobs.values()}) == 6


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"parts": {"geometri": False}}, "geometri"),
        ({"weights": {"geometric": -1}}, "geometric"),
        ({"parts": {"language": False, "words": False}}, "nothing would carry"),
    ],
)
def test_a_change_that_is_not_possible_is_named_at_once(changes, told, tmp_path):
    with pytest.raises(ValidationError, match=f"(?s)'odd'.*{told}"):
        small(tmp_path, variants=(Variant(name=FULL), Variant(name="odd", train=changes)))


def test_names_are_needed_once_and_the_full_model_always(tmp_path):
    with pytest.raises(ValidationError, match="'full' is needed"):
        small(tmp_path, variants=(Variant(name="other"),))
    with pytest.raises(ValidationError, match="must differ"):
        small(tmp_path, seeds=(1, 1))
    with pytest.raises(ValidationError, match="name"):
        Variant(name="../up")


def test_nested_changes_keep_what_they_do_not_name():
    weights = changed(TrainConfig(), {"weights": {"terms": {"answer": 0}}}).weights
    assert weights.terms.answer == 0.0
    assert weights.model_copy(update={"terms": TrainConfig().weights.terms}) == TrainConfig().weights
    assert weights.terms.model_copy(update={"answer": 0.2}) == TrainConfig().weights.terms


def test_what_is_finished_is_not_run_again(tmp_path):
    config, first, second = small(tmp_path), Stub(failing=[("no_vggt", 3)]), Stub()
    with pytest.raises(BacksightError, match=r"1 of 6 trainings failed(?s:.*)no_vggt, seed 3.*became NaN"):
        run_ablation(config, first, nothing)
    assert len(first.ran) == 6, "a failure must not stop the others"
    found = run_ablation(config, second, nothing)
    assert second.ran == [("no_vggt", 3)]
    assert len(found) == 6
    assert found["no_vggt", 5] == Measured({"footprint_auc": 0.35, "bearing_median_deg": 35.0}, 1.5, 1234)
    third = Stub()
    run_ablation(small(tmp_path, seeds=(3, 5, 7)), third, nothing)
    assert [seed for _, seed in third.ran] == [7, 7, 7]


def test_results_of_other_settings_are_refused_and_threads_do_not_matter(tmp_path):
    run_ablation(small(tmp_path), Stub(), nothing)
    again = Stub()
    run_ablation(small(tmp_path, train=TrainConfig(threads=1, batches_ahead=2)), again, nothing)
    assert again.ran == []
    with pytest.raises(UsageError, match=r"other settings \(train.steps\)"):
        run_ablation(small(tmp_path, train=TrainConfig(steps=11)), again, nothing)
    with pytest.raises(UsageError, match=r"evaluate\.split"):
        run_ablation(small(tmp_path, evaluate=EvaluationConfig(split="val")), again, nothing)
    assert again.ran == []


def test_a_changed_result_is_found(tmp_path):
    config = small(tmp_path)
    run_ablation(config, Stub(), nothing)
    path = config.out / "full" / "seed-3" / "measured.json"
    path.write_text(path.read_text().replace("0.53", "0.93"))
    with pytest.raises(DataError, match=r"measured.json"):
        run_ablation(config, Stub(), nothing)


def test_the_table_holds_means_spreads_and_differences(tmp_path):
    config = small(tmp_path)
    found = run_ablation(config, Stub(), nothing)
    del found["no_vggt", 5]
    full, without, uniform = ablation_lines(config, found)
    assert full.cells["footprint_auc"].mean == pytest.approx(0.54)
    assert full.cells["footprint_auc"].spread == pytest.approx(0.01 * 2**0.5)
    assert full.cells["footprint_auc"].difference is None
    assert without.cells["footprint_auc"].mean == pytest.approx(0.33)
    assert without.cells["footprint_auc"].difference == pytest.approx(-0.2), "the seeds that both have"
    assert (without.cells["footprint_auc"].seeds, without.cells["footprint_auc"].spread) == (1, None)
    assert uniform.cells["footprint_auc"].difference == pytest.approx(0.0)
    assert (uniform.cells["minutes"].mean, uniform.cells["minutes"].difference) == (1.5, None)
    assert "target_auc" not in uniform.cells
    lines = [full, without, uniform]
    text = ablation_markdown(lines)
    assert "| full | 0.540 ±0.014 | - |" in text
    assert "| no_vggt: a \\| b | 0.330 (-0.200) |" in text
    assert "37.0 (+0.0)" in text
    assert json.loads((write_ablation(config, lines).parent / "ablation.json").read_text())["seeds"] == [3, 5]
    out = io.StringIO()
    print_ablation(lines, Console(file=out, width=120, color_system=None))
    assert "-0.200" in out.getvalue()
    assert "…" not in out.getvalue()


def test_the_standard_configuration_leaves_out_every_part_and_every_loss():
    config = load_yaml(STANDARD, AblationConfig)
    jobs = [job for job in ablation_jobs(config) if job.seed == 0]
    parts = {name for job in jobs for name, used in job.train.parts.model_dump().items() if not used}
    assert parts == set(PartsConfig.model_fields)
    losses = {loss for job in jobs for loss in TERMS_OF_LOSS if getattr(job.train.weights, loss) == 0}
    assert losses == set(TERMS_OF_LOSS)
    assert all(variant.meaning for variant in config.variants)


def test_options_are_laid_over_the_file(tmp_path):
    command = AblateCommand(
        config=STANDARD, variants="no_vggt, no_words", seeds="4,2", jobs=3, steps=9, out=tmp_path, data=tmp_path / "d"
    )
    config = configured(command)
    assert [variant.name for variant in config.variants] == [FULL, "no_vggt", "no_words"]
    assert (config.seeds, config.jobs, config.train.steps, config.out) == ((4, 2), 3, 9, tmp_path)
    assert config.train.data == tmp_path / "d"
    assert len(configured(AblateCommand(config=STANDARD)).variants) == 15
    with pytest.raises(UsageError, match="no_vgt are not known"):
        configured(command.model_copy(update={"variants": "no_vgt"}))
    with pytest.raises(UsageError, match="whole numbers"):
        configured(command.model_copy(update={"seeds": "1;2"}))


@pytest.fixture(scope="module")
def real(make_dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ablation")
    data = make_dataset(folder / "data", places=3, frames=7, width=128, height=96)
    batch = BatchConfig(num_frames=5, num_keyframes=3, batch_size=1, currents_per_sample=1, instructions_per_sample=2)
    train = TrainConfig(data=data, steps=2, batch=batch, calibration_samples=1, validation_samples=1, threads=1)
    evaluate = EvaluationConfig(max_history=4, num_keyframes=3, bootstrap_samples=10)
    return AblationConfig(out=folder / "out", seeds=(0,), variants=VARIANTS[:2], train=train, evaluate=evaluate)


def test_two_steps_of_two_variants_end_in_figures_of_the_model_alone(real):
    found = run_ablation(real, train_and_score, nothing)
    full, without = ablation_lines(real, found)
    assert 0.0 <= full.cells["footprint_auc"].mean <= 1.0
    assert {"target_auc", "minutes", "reasoning_accuracy"} <= full.cells.keys()
    assert without.cells["footprint_auc"].difference is not None
    rows = read_results(real.out / "full" / "seed-0" / "results.json")
    assert {row.predictor for row in rows} == {"model"}
    described = json.loads((real.out / "no_vggt" / "seed-0" / "run" / "run.json").read_text())
    assert described["configuration"]["parts"]["geometry"] is False


@pytest.mark.slow
def test_processes_work_beside_each_other_and_write_their_own_logs(real, tmp_path):
    config = real.model_copy(update={"out": tmp_path, "jobs": 2})
    found = run_ablation(config, train_and_score, nothing)
    assert len(found) == 2
    assert "training" in (tmp_path / "full" / "seed-0" / "log.txt").read_text()
