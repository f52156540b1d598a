"""Published VGGT weights: loaded strictly from a file, a folder or the hub."""

import logging

import pytest
import torch
from safetensors.torch import load_file, save_file

from backsight.model.geometry.published import load_published_geometry
from backsight.model.geometry.vggt import VGGT
from backsight.model.hub import is_hub_id
from backsight.model.presets import tiny
from backsight.records.errors import DataError, EnvironmentProblem


def make_vggt(seed: int) -> VGGT:
    torch.manual_seed(seed)
    return VGGT(tiny().geometry, False).eval()


@pytest.fixture(scope="module")
def source() -> VGGT:
    return make_vggt(1)


@pytest.fixture
def published(source, tmp_path):
    """A file as it is published: with the heads that are not used here."""
    unused = {
        "point_head.norm.weight": torch.ones(3),
        "point_head.norm.bias": torch.ones(3),
        "track_head.tracker.query_ref_token": torch.ones(2),
    }
    path = tmp_path / "vggt" / "model.safetensors"
    path.parent.mkdir()
    save_file({**source.state_dict(), **unused}, path)
    return path


def change(path, **changes):
    """Replace tensors (dots written as two underscores); None takes one away."""
    weights = load_file(path)
    for name, tensor in changes.items():
        key = name.replace("__", ".")
        if tensor is None:
            del weights[key]
        else:
            weights[key] = tensor
    save_file(weights, path)


@pytest.mark.parametrize("given", ["file", "folder"])
def test_every_tensor_is_loaded_and_unused_heads_are_dropped_by_name(source, published, given, caplog):
    target = make_vggt(2)
    with caplog.at_level(logging.WARNING):
        loaded = load_published_geometry(target, published if given == "file" else published.parent)
    assert loaded.file == published
    assert loaded.dropped == {"point_head": 2, "track_head": 1}
    assert loaded.tensors == len(source.state_dict())
    assert all(torch.equal(tensor, target.state_dict()[name]) for name, tensor in source.state_dict().items())
    images = torch.rand(1, 2, 3, 42, 70)
    with torch.no_grad():
        assert torch.equal(source(images).depth, target(images).depth)
    assert "2 tensors of point_head" in caplog.text
    assert "1 tensors of track_head" in caplog.text


def test_weights_are_converted_to_the_stored_precision(source, published):
    target = make_vggt(2)
    target.aggregator.to(torch.bfloat16)
    load_published_geometry(target, published)
    expected = source.aggregator.camera_token.to(torch.bfloat16)
    assert torch.equal(target.aggregator.camera_token, expected)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"camera_head__token_norm__bias": None}, r"camera_head\.token_norm\.bias: missing"),
        ({"depth_head__extra": torch.ones(1)}, r"depth_head\.extra: not part of VGGT"),
        ({"pointed_head__norm": torch.ones(1)}, r"pointed_head\.norm: not part of VGGT"),
        ({"point_header": torch.ones(1)}, r"point_header: not part of VGGT"),
        ({"camera_head__token_norm__bias": torch.ones(7)}, r"token_norm\.bias: has shape \(7,\).*asks for \(192,\)"),
        (
            {"camera_head__token_norm__bias": torch.ones(192).long()},
            r"token_norm\.bias: is I64, weights are one of",
        ),
    ],
)
def test_a_tensor_that_does_not_fit_is_named_and_nothing_is_loaded(published, changes, message):
    change(published, **changes)
    target = make_vggt(2)
    before = {name: tensor.clone() for name, tensor in target.state_dict().items()}
    with pytest.raises(DataError, match=message):
        load_published_geometry(target, published)
    assert all(torch.equal(tensor, before[name]) for name, tensor in target.state_dict().items())


def test_a_file_that_was_cut_short_is_refused(published):
    published.write_bytes(published.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"weights: not a whole safetensors file.*download it again"):
        load_published_geometry(make_vggt(2), published)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"model\.safetensors: file: no such file"):
        load_published_geometry(make_vggt(2), tmp_path)
    with pytest.raises(DataError, match="no such file or folder, and no hub id"):
        load_published_geometry(make_vggt(2), tmp_path / "weights.safetensors")


def test_a_hub_id_is_downloaded(published, monkeypatch):
    asked = []

    def download(*arguments):
        asked.append(arguments)
        return str(published)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    assert load_published_geometry(make_vggt(2), "facebook/VGGT-1B").dropped
    assert asked == [("facebook/VGGT-1B", "model.safetensors")]


def test_a_hub_that_cannot_be_reached_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.raises(EnvironmentProblem, match="facebook/VGGT-1B: the published weights can't be had") as caught:
        load_published_geometry(make_vggt(2), "facebook/VGGT-1B")
    assert "hf auth login" in str(caught.value)
    assert "set `checkpoint` to its path" in str(caught.value)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("facebook/VGGT-1B", True),
        ("facebook/dinov3-vitl16-pretrain-lvd1689m", True),
        ("VGGT-1B", False),
        ("./facebook/VGGT-1B", False),
        ("/facebook/VGGT-1B", False),
        ("weights/model.safetensors", False),
        ("a/b/c", False),
    ],
)
def test_hub_ids_read_owner_and_name(source, expected):
    assert is_hub_id(source) is expected


def test_a_folder_of_that_name_wins_over_the_hub(tmp_path, monkeypatch):
    (tmp_path / "facebook" / "VGGT-1B").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert not is_hub_id("facebook/VGGT-1B")
