import logging
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_model
from torch import nn

from backsight.data.sampler import SamplerState
from backsight.records.errors import DataError
from backsight.train.checkpoint import TrainState, check_manifest, load_checkpoint, newest_checkpoint, save_checkpoint


def _trained(seed: int) -> tuple[nn.Module, torch.optim.AdamW]:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.Linear(5, 2))
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.01)
    for _ in range(3):
        model(torch.randn(7, 3)).square().mean().backward()
        optimiser.step()
        optimiser.zero_grad()
    return model, optimiser


def _save(folder: Path, model: nn.Module, optimiser: torch.optim.Optimizer, step: int, keep: int = 5) -> Path:
    def write(target: Path) -> None:
        target.mkdir()
        save_model(model, str(target / "model.safetensors"))

    return save_checkpoint(folder, TrainState(step, step * 4, SamplerState(1, step)), write, optimiser, keep)


def test_a_resumed_run_takes_the_same_next_step(tmp_path):
    model, optimiser = _trained(0)
    path = _save(tmp_path, model, optimiser, step=13)
    other, other_optimiser = _trained(1)
    state = load_checkpoint(path, other, other_optimiser)
    assert state == TrainState(13, 52, SamplerState(1, 13))
    inputs = torch.randn(7, 3)
    for m, o in ((model, optimiser), (other, other_optimiser)):
        m(inputs).square().mean().backward()
        o.step()
    for mine, theirs in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_only_the_newest_are_kept(tmp_path):
    model, optimiser = _trained(0)
    for step in (5, 7, 11):
        _save(tmp_path, model, optimiser, step, keep=2)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step-000007", "step-000011"]


@pytest.mark.parametrize("name", ["model/model.safetensors", "optimiser.safetensors", "state.json", "manifest.json"])
def test_a_damaged_checkpoint_is_passed_over_and_named(tmp_path, caplog, name):
    model, optimiser = _trained(0)
    older = _save(tmp_path, model, optimiser, 5)
    newest = _save(tmp_path, model, optimiser, 7)
    data = bytearray((newest / name).read_bytes())
    data[len(data) // 2] ^= 1
    (newest / name).write_bytes(bytes(data))
    with caplog.at_level(logging.WARNING):
        assert newest_checkpoint(tmp_path) == older
    assert Path(name).name in caplog.text


def test_a_file_that_was_added_is_named(tmp_path):
    model, optimiser = _trained(0)
    path = _save(tmp_path, model, optimiser, 5)
    (path / "extra.bin").write_bytes(b"x")
    with pytest.raises(DataError, match=r"extra\.bin"):
        check_manifest(path)


def test_half_written_checkpoints_are_never_taken(tmp_path):
    (tmp_path / ".incoming-step-000009").mkdir()
    assert newest_checkpoint(tmp_path) is None
    assert newest_checkpoint(tmp_path / "absent") is None


def test_weights_of_another_model_are_refused(tmp_path):
    model, optimiser = _trained(0)
    path = _save(tmp_path, model, optimiser, 5)
    other = nn.Sequential(nn.Linear(3, 5))
    with pytest.raises(DataError, match=r"(0\.weight|1\.|2\.)"):
        load_checkpoint(path, other, torch.optim.AdamW(other.parameters()))
