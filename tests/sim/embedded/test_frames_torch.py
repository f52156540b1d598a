import numpy as np

from backsight.geometry.poses import look_pose
from backsight.sim.embedded.batch_renderer import BatchRenderer
from backsight.sim.embedded.frames_torch import render_torch, torch_frames

INTRINSICS = np.array([[31.0, 0.0, 24.3], [0.0, 37.0, 22.9], [0.0, 0.0, 1.0]])
POSE = look_pose(np.array([3.3, 1.1, 1.4]), -1.55, 0.1)[None]
INSIDE = np.zeros(1, dtype=int)


def test_tensors_hold_what_numpy_arrays_hold(flat):
    renderer = BatchRenderer((flat,))
    expected = renderer.render(POSE, INSIDE, INTRINSICS, 53, 41)
    tensors = render_torch(renderer, POSE, INSIDE, INTRINSICS, (53, 41))
    np.testing.assert_array_equal(tensors.rgb.numpy(), expected.rgb)
    np.testing.assert_array_equal(tensors.depth_m.numpy(), expected.depth_m)
    np.testing.assert_array_equal(tensors.instance_ids.numpy(), expected.instance_ids)


def test_tensors_share_the_memory_of_their_frames(flat):
    renderer = BatchRenderer((flat,))
    frames = renderer.frames(1, 53, 41)
    tensors = torch_frames(frames)
    tensors.depth_m.fill_(-1.0)
    renderer.draw(frames, POSE, INSIDE, INTRINSICS)
    assert tensors.depth_m.min() >= 0.0
    assert tensors.rgb.data_ptr() == frames.rgb.ptr
