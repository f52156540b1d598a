import json
import shutil

import msgspec
import numpy as np
import pytest
from rich.console import Console

from backsight.cli.chain import ChainConfig, run_chain
from backsight.cli.main import main
from backsight.collect.config import CollectConfig
from backsight.data.batches import BatchConfig
from backsight.evaluate.samples import EvaluationConfig
from backsight.evaluate.table import read_results
from backsight.records.score import ScoreRow
from backsight.train.config import TrainConfig


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("chain") / "out"


@pytest.fixture(scope="module")
def report(out):
    """The whole chain at its smallest: three flats, two steps."""
    batch = BatchConfig(num_frames=5, num_keyframes=3, batch_size=2, currents_per_sample=2)
    config = ChainConfig(
        out=out,
        collect=CollectConfig(
            num_sequences=3, sequences_per_place=1, seed=5, size="128x96", min_frames=16, mean_frames=18, max_frames=20
        ),
        train=TrainConfig(steps=2, batch=batch, calibration_samples=2, validation_samples=1, threads=1),
        evaluate=EvaluationConfig(max_history=5, bootstrap_samples=20),
    )
    return run_chain(config, Console(quiet=True))


def test_the_chain_ends_in_a_report_that_stands_alone(report, out):
    page = report.read_text()
    assert report == out / "report" / "index.html"
    assert "data:image/" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


def test_results_are_rows_of_every_predictor(report, out):
    rows = read_results(out / "results.json")
    predictors = {row.predictor for row in rows}
    assert {
        "model",
        "model_shuffled",
        "model_shuffled_history",
        "uniform",
        "centre",
        "dataset_mean",
        "colour_histogram",
        "oracle_depth_noise",
    } <= predictors
    raw = json.loads((out / "results.json").read_text())
    assert set(raw[0]) == set(ScoreRow.__struct_fields__)
    uniform = next(r for r in rows if r.metric == "footprint_auc" and r.predictor == "uniform")
    assert uniform.value == 0.5
    assert uniform.maps > 0


def test_scoring_the_same_predictions_again_gives_the_same_rows(report, out, tmp_path):
    before = read_results(out / "results.json")
    status = main(
        ["score", "--data", str(out / "data"), "--out", str(out), "--max-history", "5", "--bootstrap-samples", "20"]
    )
    after = read_results(out / "results.json")
    assert status == 0
    # The folders are read in another order, so the rows come in another order.
    before, after = (sorted(rows, key=lambda row: (row.metric, row.predictor)) for rows in (before, after))
    assert [(r.metric, r.predictor, r.maps) for r in before] == [(r.metric, r.predictor, r.maps) for r in after]
    np.testing.assert_allclose([r.value for r in before], [r.value for r in after])


def test_validate_accepts_what_was_collected_and_names_a_flipped_byte(report, out, capsys):
    assert main(["validate", str(out / "data")]) == 0
    victim = next((out / "data" / "sequences").rglob("depth.zip"))
    data = bytearray(victim.read_bytes())
    data[len(data) // 3] ^= 1
    victim.write_bytes(bytes(data))
    assert main(["validate", str(out / "data")]) == 3
    assert "depth.zip" in capsys.readouterr().out
    data[len(data) // 3] ^= 1
    victim.write_bytes(bytes(data))
    assert main(["validate", str(out / "data")]) == 0


def test_a_checkpoint_of_another_preset_is_refused(report, out, tmp_path, capsys):
    other = tmp_path / "other"
    shutil.copytree(out / "run" / "model", other)
    config = json.loads((other / "config.json").read_text())
    config["model"]["fusion"]["channels"] = 192
    (other / "config.json").write_text(json.dumps(config))
    status = main(["predict", "--checkpoint", str(other), "--data", str(out / "data"), "--out", str(tmp_path / "p")])
    assert status == 3
    assert "model.safetensors" in capsys.readouterr().err
    assert not (tmp_path / "p").exists()


def test_report_of_collection_is_sealed(report, out):
    raw = (out / "data" / "report.json").read_bytes()
    assert msgspec.json.decode(raw)["planned"] == 3
    (out / "data" / "report.json").write_bytes(raw.replace(b'"planned"', b'"plannee"'))
    assert main(["validate", str(out / "data")]) == 3
    (out / "data" / "report.json").write_bytes(raw)
