from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

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


def test_the_full_configuration_has_exactly_the_published_names_and_shapes(full_shapes):
    lines = [line for line in GOLDEN.read_text().splitlines() if not line.startswith("#")]
    published = {name: tuple(int(side) for side in shape.split("x")) for name, shape in map(str.split, lines)}
    assert full_shapes == published


@pytest.mark.parametrize(
    ("part", "numbers"), [("aggregator", 909_112_320), ("camera_head", 216_174_610), ("depth_head", 32_654_562)]
)
def test_each_part_has_as_many_numbers_as_the_published_one(full_shapes, part, numbers):
    shapes = [shape for name, shape in full_shapes.items() if name.startswith(part + ".")]
    assert sum(torch.Size(shape).numel() for shape in shapes) == numbers


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
