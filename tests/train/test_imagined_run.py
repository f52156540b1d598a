"""A short run on walks with imagined views."""

from backsight.data.batches import BatchConfig
from backsight.model.backsight import Backsight
from backsight.monitor.run_folder import read_metrics
from backsight.train.config import TrainConfig
from backsight.train.loop import train


def test_a_run_learns_calibrates_and_logs_imagined_views(make_dataset, tmp_path):
    data = make_dataset(tmp_path / "set", places=3, frames=7, width=128, height=96, imagined=3)
    batch = BatchConfig(num_frames=5, num_keyframes=3, batch_size=1, currents_per_sample=2, instructions_per_sample=3)
    report = train(
        TrainConfig(
            data=data, run=tmp_path / "run", steps=2, batch=batch, log_every=1, validate_every=1, threads=1,
            validation_samples=1, calibration_samples=1,
        )
    )  # fmt: skip
    names = {name for record in read_metrics(report.run) for name in record.values}
    for term in ("imagined_bce", "imagined_iou", "imagined_presence"):
        assert {f"loss/{term}", f"constant/{term}"} <= names
    model = Backsight.from_pretrained(report.model)
    assert model.calibration.imagined != model.calibration.target
    # Parameters that start at zero have moved: the run reached the decoder.
    assert model.heatmap["imagined"].logit.weight.any()
    assert model.heatmap["imagined"].key.weight.any()
