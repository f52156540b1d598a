import importlib.util
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "overfit.py"


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("overfit", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    sys.modules["overfit"] = module
    spec.loader.exec_module(module)
    return module


def test_figures_are_judged_against_what_is_wanted(benchmark):
    values = {
        ("footprint_soft_iou", "model"): 0.9,
        ("target_hit", "model"): 1.0,
        ("reasoning_accuracy", "model"): 0.999,
        ("target_hit", "model_shuffled"): 0.31,
        ("frame_identification", "model_shuffled_history"): 0.0,
        ("frame_identification_chance", "model_shuffled_history"): 0.1,
    }

    def of(metric, predictor="model"):
        return values.get((metric, predictor), 0.5), 7

    found = {one.name: one.reached for one in [*benchmark.learnt(of), *benchmark.mixed_up(of, 0.2, 7)] if one.wanted}
    assert found == {
        "footprint soft-IoU, calibrated": False,
        "target pointing hit": True,
        "answers exact": False,
        "target hit, shuffled instructions": False,
        "frame identification, shuffled history": True,
    }


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_four_walks_are_learnt_by_heart_and_nothing_is_known_without_words_or_frames(benchmark, tmp_path):
    figures = benchmark.overfit(benchmark.Arguments(out=tmp_path))
    missed = {one.name: one.value for one in figures if not one.reached}
    assert not missed
    values = {one.name: one.value for one in figures}
    # Chance itself must be far from what was learnt, or falling to it would say nothing.
    assert values["  chance: maps of the view's other instructions"] < 0.5
    assert values["  chance: one of the present frames"] < 0.3
    assert values["frame identification"] > 0.9
