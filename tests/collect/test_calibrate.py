import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from backsight.collect.calibrate import (
    Calibration,
    Measured,
    _choose,
    _per_frame,
    _spread,
    calibrate,
    count_loads,
    expect,
)
from backsight.collect.config import CollectConfig
from backsight.collect.plan import make_plan

CALIBRATION = Calibration(
    sequences=5, kinds=3, scenes=2, rejected=1, seconds_per_frame=Measured(0.02, 0.01, 0.03, 0.001),
    bytes_per_frame=Measured(30e3, 20e3, 40e3, 1e3), seconds_per_scene=1.5,
)  # fmt: skip


def test_a_few_sequences_are_measured_and_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    config = CollectConfig(
        out=tmp_path / "never", num_sequences=40, size="64x48", min_frames=9, mean_frames=11, max_frames=13,
        scene_types=("living_room", "gym"), kinds=("forward", "backward"),
    )  # fmt: skip
    shown = []
    found = calibrate(config, make_plan(config), 0.5, on_progress=lambda share, count: shown.append((share, count)))
    assert found is not None
    assert 1 <= found.sequences <= 6
    assert found.scenes >= 1
    # Far less than a byte or far more than a pixel's raw size would be no measurement.
    assert 0.1 < found.bytes_per_frame.mean / (64 * 48) < 9.0
    assert 1e-4 < found.seconds_per_frame.mean < 5.0
    assert found.seconds_per_frame.low <= found.seconds_per_frame.mean * 1.001
    assert [count for _, count in shown] == list(range(len(shown)))
    assert shown[-1][0] == 1.0
    assert list(tmp_path.iterdir()) == []


def test_what_is_expected_follows_from_frames_loads_and_workers():
    plans = make_plan(CollectConfig(num_sequences=50))
    frames = sum(plan.num_frames for plan in plans)
    one, two = (expect(plans, CALIBRATION, workers) for workers in (1, 2))
    assert one.size_bytes == pytest.approx(30e3 * frames)
    assert one.hours == pytest.approx((0.02 * frames + 1.5 * count_loads(plans)) / 3600)
    assert two.hours == pytest.approx(one.hours / 2)
    assert two.size_bytes == one.size_bytes
    assert one.size_range_bytes == pytest.approx((28e3 * frames, 32e3 * frames))
    assert one.hours_range[1] - one.hours_range[0] == pytest.approx(4 * 0.001 * frames / 3600)


def test_loads_are_counted_where_the_scene_changes():
    plans = make_plan(CollectConfig(num_sequences=3, scene_types=("flat",)))
    a, b = (replace_scene(plans[0], name) for name in ("a", "b"))
    assert [count_loads(order) for order in ([], [a], [a, a, b], [a, b, a])] == [0, 1, 2, 3]


def replace_scene(plan, scene_id):
    import msgspec

    return msgspec.structs.replace(plan, scene_id=scene_id)


def test_measured_sequences_are_spread_over_scenes_and_kinds():
    plans = make_plan(CollectConfig(num_sequences=1_000))
    chosen = list(itertools.chain.from_iterable(itertools.islice(_choose(plans), 12)))
    assert len({plan.kind for plan in chosen}) > 20
    assert len({plan.scene_type for plan in chosen}) >= 6
    everything = [plan.sequence_id for scene in _choose(plans) for plan in scene]
    assert len(everything) == len(set(everything))


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 97])
def test_every_beginning_of_the_order_is_spread(count):
    order = list(_spread(count))
    assert sorted(order) == list(range(count))
    for number in range(2, count + 1):
        gaps = np.diff([-1, *sorted(order[:number]), count])
        assert gaps.max() <= 4 * math.ceil(count / number)


def test_the_error_is_that_of_a_ratio():
    assert _per_frame([(10, 5.0), (30, 15.0)]) == Measured(0.5, 0.5, 0.5, 0.0)
    generator = np.random.default_rng(7)
    frames = generator.integers(16, 65, size=2_000)
    seconds = 0.03 * frames + generator.normal(0.0, 0.2, size=2_000)
    found = _per_frame(list(zip(frames.tolist(), seconds.tolist(), strict=True)))
    # Independent: resample the sequences.
    picks = generator.integers(0, 2_000, size=(300, 2_000))
    resampled = seconds[picks].sum(axis=1) / frames[picks].sum(axis=1)
    assert found.mean == pytest.approx(0.03, rel=0.02)
    assert found.error == pytest.approx(resampled.std(), rel=0.2)
    assert _per_frame([(10, 5.0), (0, 1.0)]).mean == pytest.approx(0.6)
    assert replace(found, error=0.0).low <= found.mean
