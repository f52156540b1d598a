from collections import Counter
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from backsight.model.config import GeometryConfig
from backsight.model.geometry.pose_encoding import (
    intrinsics_of,
    pose_encoding_from_cameras,
    quaternion_xyzw_from_rotation,
    rotation_from_quaternion_xyzw,
    world_from_camera_of,
)
from backsight.model.geometry.vggt import VGGT
from backsight.model.presets import full, tiny

GOLDEN = Path(__file__).with_name("vggt_1b_parameters.txt")


@pytest.fixture(scope="module")
def full_shapes() -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        model = VGGT(full().geometry, True)
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


@pytest.fixture(scope="module")
def published_shapes() -> dict[str, tuple[int, ...]]:
    lines = [line for line in GOLDEN.read_text().splitlines() if not line.startswith("#")]
    return {name: tuple(int(side) for side in shape.split("x")) for name, shape in map(str.split, lines)}


def test_the_full_configuration_has_exactly_the_published_names_and_shapes(full_shapes, published_shapes):
    assert full_shapes == published_shapes
    assert len(published_shapes) == 1341


PUBLISHED_NUMBERS = {"aggregator": 909_112_320, "camera_head": 216_174_610, "depth_head": 32_654_562}
TRACK_NUMBERS = 65_941_396
PUBLISHED_TOTAL = 1_256_537_516


def test_head_by_head_there_are_as_many_numbers_as_in_the_published_one(full_shapes, published_shapes):
    for shapes in (full_shapes, published_shapes):
        heads = Counter()
        for name, shape in shapes.items():
            heads[name.split(".", 1)[0]] += torch.Size(shape).numel()
        assert heads == PUBLISHED_NUMBERS


def test_with_the_heads_not_built_here_the_numbers_add_up_to_the_published_total(full_shapes):
    # The point head is the depth head with four output channels in place of two, each of 32 weights and a bias.
    assert full_shapes["depth_head.scratch.output_conv2.2.weight"] == (2, 32, 1, 1)
    point_numbers = PUBLISHED_NUMBERS["depth_head"] + 2 * (32 + 1)
    assert sum(PUBLISHED_NUMBERS.values()) + point_numbers + TRACK_NUMBERS == PUBLISHED_TOTAL


@pytest.fixture(scope="module")
def pair() -> tuple[VGGT, VGGT]:
    torch.manual_seed(1)
    plain, fused = VGGT(tiny().geometry, False).eval(), VGGT(tiny().geometry, True).eval()
    with torch.no_grad():
        for parameter in plain.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    fused.load_state_dict(plain.state_dict())
    return plain, fused


def test_fused_and_plain_attention_agree(pair):
    images = torch.rand(2, 3, 3, 70, 98)
    with torch.no_grad():
        one, two = (vggt(images) for vggt in pair)
    for name, value in vars(one).items():
        torch.testing.assert_close(value, getattr(two, name), rtol=1e-4, atol=1e-4)


def test_shapes_follow_the_image_not_the_weights(pair):
    with torch.no_grad():
        found = pair[0](torch.rand(1, 2, 3, 70, 98))
    assert found.patches.shape == (1, 2, 35, 192)
    assert found.pose_encodings.shape == (4, 1, 2, 9)
    assert found.depth.shape == found.depth_confidence.shape == (1, 2, 20, 28)
    assert (found.depth > 0).all()
    assert (found.depth_confidence >= 1).all()


def test_frames_inform_each_other_and_the_first_frame_is_special(pair):
    images = torch.rand(1, 3, 3, 56, 70)
    with torch.no_grad():
        base = pair[0](images).camera_tokens
        other = images.clone()
        other[:, 2] = torch.rand(1, 3, 56, 70)
        seen = pair[0](other).camera_tokens
        turned = pair[0](images.flip(1)).camera_tokens.flip(1)
        later = pair[0](images[:, [0, 2, 1]]).camera_tokens[:, [0, 2, 1]]
    assert (base[:, 0] - seen[:, 0]).abs().max() > 1e-4
    assert (base - turned).abs().max() > 1e-3
    torch.testing.assert_close(base, later, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_the_tapped_layer_is_what_comes_out_of_that_pair_of_blocks(pair, layer):
    tapped = VGGT(tiny().geometry.model_copy(update={"tapped_layer": layer}), False).eval()
    tapped.load_state_dict(pair[0].state_dict())
    seen = {"frame": [], "global": []}
    for kind, blocks in (("frame", tapped.aggregator.frame_blocks), ("global", tapped.aggregator.global_blocks)):
        for block in blocks:
            block.register_forward_hook(lambda _, __, tokens, kind=kind: seen[kind].append(tokens))
    with torch.no_grad():
        found = tapped(torch.rand(2, 3, 3, 42, 70))
    assert len(seen["frame"]) == len(seen["global"]) == 3
    special, width = 1 + tiny().geometry.registers, 96
    for other in range(3):
        within = seen["frame"][other].reshape(2, 3, -1, width)[:, :, special:]
        across = seen["global"][other].reshape(2, 3, -1, width)[:, :, special:]
        same = torch.equal(found.patches, torch.cat([within, across], dim=-1))
        assert same == (other == layer)
    last = torch.cat([seen[kind][2].reshape(2, 3, -1, width)[:, :, 0] for kind in ("frame", "global")], dim=-1)
    assert torch.equal(found.camera_tokens, last)


def test_only_layers_that_are_read_are_kept(pair):
    geometry = tiny().geometry.model_copy(update={"depth": 7, "tapped_layer": 3, "depth_layers": (0, 1, 5, 5)})
    with torch.no_grad():
        tokens = VGGT(geometry, False).aggregator(torch.rand(1, 2, 3, 28, 42))
    assert set(tokens.layers) == {0, 1, 3, 5, 6}


@pytest.mark.parametrize("field", ["tapped_layer", "depth_layers"])
def test_a_layer_beyond_the_last_is_refused(field):
    sizes = tiny().geometry.model_dump()
    sizes[field] = 3 if field == "tapped_layer" else (0, 1, 2, 3)
    with pytest.raises(ValueError, match="must be smaller than depth"):
        GeometryConfig(**sizes)


def random_cameras(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    quaternion = torch.nn.functional.normalize(torch.randn(2, 5, 4, generator=generator), dim=-1)
    poses = torch.eye(4).repeat(2, 5, 1, 1)
    poses[..., :3, :3] = rotation_from_quaternion_xyzw(quaternion)
    poses[..., :3, 3] = torch.randn(2, 5, 3, generator=generator)
    intrinsics = torch.tensor([[53.0, 0, 64], [0, 61, 48], [0, 0, 1]]).repeat(2, 1, 1)
    return poses, intrinsics


@given(st.integers(0, 10_000))
def test_cameras_survive_encoding_relative_to_the_first_frame(seed):
    poses, intrinsics = random_cameras(seed)
    encoding = pose_encoding_from_cameras(poses, intrinsics, 128, 96)
    torch.testing.assert_close(
        world_from_camera_of(encoding), torch.linalg.inv(poses[:, :1]) @ poses, rtol=1e-4, atol=1e-4
    )
    torch.testing.assert_close(intrinsics_of(encoding, 128, 96)[:, 3], intrinsics, rtol=1e-4, atol=1e-4)


def test_the_encoding_holds_camera_from_world_as_published():
    # The second camera stands 2 m right of the first and looks the same way: the world moves left in it.
    poses = torch.eye(4).repeat(1, 2, 1, 1)
    poses[0, 1, 0, 3] = 2.0
    intrinsics = torch.tensor([[[64.0, 0, 64], [0, 48, 48], [0, 0, 1]]])
    encoding = pose_encoding_from_cameras(poses, intrinsics, 128, 96)
    quarter = torch.pi / 2
    expected = torch.tensor([-2.0, 0, 0, 0, 0, 0, 1, quarter, quarter])
    torch.testing.assert_close(encoding[0, 1], expected)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_half_turns_have_a_quaternion(axis):
    rotation = -torch.eye(3)
    rotation[axis, axis] = 1
    quaternion = quaternion_xyzw_from_rotation(rotation)
    torch.testing.assert_close(rotation_from_quaternion_xyzw(quaternion), rotation)
