import pytest

from backsight.data.batches import BatchConfig
from backsight.model.backsight import Backsight
from backsight.monitor.run_folder import read_metrics
from backsight.records.errors import BacksightError
from backsight.train.config import TrainConfig
from backsight.train.launch import launch


def config(data, run, **changes):
    small = BatchConfig(num_frames=4, num_keyframes=2, batch_size=1, currents_per_sample=1, instructions_per_sample=2)
    settings = {"threads": 1, "log_every": 1, "precision": "fp32", "calibration_samples": 1, "validation_samples": 1}
    return TrainConfig(data=data, run=run, steps=2, batch=small, processes=2, **settings).model_copy(update=changes)


def test_two_processes_write_one_run_of_twice_the_samples(make_dataset, tmp_path):
    data = make_dataset(tmp_path / "set", places=3, frames=5, width=128, height=96)
    report = launch(config(data, tmp_path / "run"))
    assert report.steps == 2
    assert Backsight.from_pretrained(report.model).config.preset == "tiny"
    losses = [record for record in read_metrics(report.run) if "loss/total" in record.values]
    assert [(record.step, record.samples) for record in losses] == [(1, 2), (2, 4)]


def test_what_goes_wrong_in_a_process_is_said_with_its_status(tmp_path):
    with pytest.raises(BacksightError, match=r"process \d of 2 failed:\n.*dataset\.json") as caught:
        launch(config(tmp_path / "nothing", tmp_path / "run"))
    assert caught.value.exit_status == 3
