import shutil
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from backsight.geometry.cameras import intrinsics_from_hfov, pixel_centres
from backsight.geometry.poses import invert_pose, look_pose
from backsight.geometry.projection import look_up_nearest
from backsight.interchange.rgbd_folder import read_rgbd_folder, windows
from backsight.records.errors import DataError, UsageError

WIDTH, HEIGHT, FRAMES = 37, 23, 7


def _write(folder: Path, suffix: str = ".png") -> Path:
    generator = np.random.default_rng(0)
    (folder / "images").mkdir(parents=True)
    (folder / "depth").mkdir()
    poses = []
    for frame in range(FRAMES):
        name = f"{frame * 2 + 3:05d}"
        image = np.empty((HEIGHT, WIDTH, 3), dtype=np.uint8)
        image[...] = (10 * frame, 50, 200)  # blue, green, red as OpenCV writes them
        depth_mm = generator.integers(500, 4000, (HEIGHT, WIDTH)).astype(np.uint16)
        depth_mm[0, 0] = 0
        cv2.imwrite(str(folder / "images" / f"{name}{suffix}"), image)
        cv2.imwrite(str(folder / "depth" / f"{name}.png"), depth_mm)
        poses.append(look_pose(np.array([0.1 * frame, 1.5, -0.2]), 0.1 * frame, 0.05).ravel())
    np.savetxt(folder / "poses.txt", np.array(poses))
    np.savetxt(folder / "K.txt", intrinsics_from_hfov(WIDTH, HEIGHT, 80.0))
    return folder


@pytest.fixture
def folder(tmp_path):
    return _write(tmp_path / "office-3")


def test_a_folder_is_read_as_a_recorded_sequence(folder):
    sequence = read_rgbd_folder(folder)
    assert sequence.image_size == (WIDTH, HEIGHT)
    assert sequence.num_frames == FRAMES
    np.testing.assert_array_equal(sequence.rgb[2, 5, 7], [200, 50, 20])
    stored_mm = cv2.imread(str(folder / "depth" / "00007.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_allclose(sequence.depth_m[2], stored_mm / 1000.0, rtol=1e-6)
    np.testing.assert_allclose(sequence.world_from_camera[3][:3, 3], [0.3, 1.5, -0.2])
    assert not sequence.instance_ids.any()
    annotations = sequence.annotations
    assert (annotations.sequence_id, annotations.kind, annotations.simulator) == ("office-3", "recorded", "recording")
    assert annotations.frame_rate_hz == 2.0
    assert (annotations.objects, annotations.instructions) == ((), ())
    assert len(annotations.visible_objects) == FRAMES
    np.testing.assert_allclose(np.array(annotations.intrinsics), sequence.intrinsics)
    np.testing.assert_allclose(np.array(annotations.world_from_camera[4]).reshape(4, 4), sequence.world_from_camera[4])
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(annotations), type=type(annotations)) == annotations


def test_jpeg_images_are_read(tmp_path):
    sequence = read_rgbd_folder(_write(tmp_path / "jpeg", ".jpg"))
    assert np.abs(sequence.rgb[0, 5, 7].astype(int) - [200, 50, 0]).max() < 6


def test_a_stride_takes_every_so_manieth_frame_with_its_pose(folder):
    whole, third = read_rgbd_folder(folder), read_rgbd_folder(folder, stride=3, frame_rate_hz=5.0)
    for name in ("rgb", "depth_m", "world_from_camera"):
        np.testing.assert_array_equal(getattr(third, name), getattr(whole, name)[::3])
    assert third.annotations.world_from_camera == whole.annotations.world_from_camera[::3]
    assert third.annotations.frame_rate_hz == 5.0


def test_resized_depth_is_a_choice_of_readings_at_the_places_that_intrinsics_say(folder):
    whole, small = read_rgbd_folder(folder), read_rgbd_folder(folder, image_size=(11, 13))
    assert small.image_size == (11, 13)
    assert set(np.unique(small.depth_m)) <= set(np.unique(whole.depth_m))
    # The ray of each small pixel's centre, through the intrinsics of either size, must hit the same reading.
    rays = np.concatenate([pixel_centres(11, 13), np.ones((13, 11, 1))], axis=-1) @ np.linalg.inv(small.intrinsics).T
    expected, inside = look_up_nearest(whole.depth_m[1], (rays @ whole.intrinsics.T)[..., :2])
    assert inside.all()
    np.testing.assert_array_equal(small.depth_m[1], expected)
    np.testing.assert_allclose(np.array(small.annotations.intrinsics), small.intrinsics)


def test_resized_colour_is_the_average_of_the_area(folder):
    ramp = np.repeat(np.arange(WIDTH, dtype=np.uint8)[None, :, None] * 6, HEIGHT, axis=0).repeat(3, axis=2)
    cv2.imwrite(str(folder / "images" / "00003.png"), ramp)
    small = read_rgbd_folder(folder, image_size=(7, 5))
    # The crop is 32.2 px wide, so each of the 7 pixels covers 4.6; a ramp averages to its value at the centre.
    centres_px = (WIDTH - 32.2) / 2 + (np.arange(7) + 0.5) * 4.6
    np.testing.assert_allclose(small.rgb[0, 2, :, 1], (centres_px - 0.5) * 6, atol=0.6)
    assert (small.rgb[1:, ..., 0] == 200).all()


def test_the_stored_size_asked_for_changes_nothing(folder):
    whole, same = read_rgbd_folder(folder), read_rgbd_folder(folder, image_size=(WIDTH, HEIGHT))
    np.testing.assert_array_equal(whole.rgb, same.rgb)
    np.testing.assert_array_equal(whole.depth_m, same.depth_m)
    np.testing.assert_allclose(whole.intrinsics, same.intrinsics)


def _png(path: Path, image: np.ndarray) -> None:
    cv2.imwrite(str(path), image)


def _change_pose(folder: Path, change) -> None:
    poses = np.loadtxt(folder / "poses.txt").reshape(-1, 4, 4)
    np.savetxt(folder / "poses.txt", change(poses).reshape(-1, 16))


def _not_a_number(poses: np.ndarray) -> np.ndarray:
    poses[4, 0, 3] = np.nan
    return poses


def _flip_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)


def _rename_numbers(folder: Path) -> None:
    for kind in ("images", "depth"):
        for number, path in enumerate(sorted((folder / kind).iterdir()), start=8):
            path.rename(path.with_name(f"frame{number}.png"))


DAMAGE = {
    "no images folder": (lambda f: shutil.rmtree(f / "images"), "images: folder: is missing"),
    "no depth folder": (lambda f: shutil.rmtree(f / "depth"), "depth: folder: is missing"),
    "no poses": (lambda f: (f / "poses.txt").unlink(), "poses.txt: file: is missing"),
    "no intrinsics": (lambda f: (f / "K.txt").unlink(), "K.txt: file: is missing"),
    "one depth image less": (lambda f: (f / "depth" / "00009.png").unlink(), "6 depth images for 7"),
    "one image less": (lambda f: (f / "images" / "00009.png").unlink(), "7 depth images for 6"),
    "other name": (lambda f: (f / "depth" / "00009.png").rename(f / "depth" / "00010.png"), "00010.png: name"),
    "numbers not padded": (_rename_numbers, "frame8.png: name: sorted names are not in the order"),
    "one pose less": (lambda f: _change_pose(f, lambda p: p[:-1]), "poses.txt: lines: 6 poses for 7 images"),
    "transposed poses": (
        lambda f: _change_pose(f, lambda p: p.transpose(0, 2, 1)),
        "poses.txt: pose: pose 0 has a last",
    ),
    "scaled poses": (lambda f: _change_pose(f, lambda p: p * [[[2], [2], [2], [1]]]), "not orthonormal"),
    "mirrored poses": (lambda f: _change_pose(f, lambda p: p * [[[1], [1], [-1], [1]]]), "mirrors"),
    "infinite pose": (lambda f: _change_pose(f, _not_a_number), "poses.txt: row 5: holds a number that is not finite"),
    "words for poses": (lambda f: (f / "poses.txt").write_text("one " * 16), "poses.txt: line 1: could not convert"),
    "short pose line": (lambda f: (f / "poses.txt").write_text("1 0 0"), "line 1: 3 numbers instead of 16"),
    "empty intrinsics": (lambda f: (f / "K.txt").write_text(""), "K.txt: matrix"),
    "intrinsics of another size": (
        lambda f: np.savetxt(f / "K.txt", intrinsics_from_hfov(640, 480, 80.0)),
        "K.txt: principal point",
    ),
    "negative focal length": (lambda f: np.savetxt(f / "K.txt", np.diag([-1.0, 1, 1])), "K.txt: focal length"),
    "transposed intrinsics": (
        lambda f: np.savetxt(f / "K.txt", intrinsics_from_hfov(WIDTH, HEIGHT, 80.0).T),
        "K.txt: matrix",
    ),
    "8-bit depth": (
        lambda f: _png(f / "depth" / "00005.png", np.ones((HEIGHT, WIDTH), np.uint8)),
        "00005.png: type: uint8",
    ),
    "colour depth": (
        lambda f: _png(f / "depth" / "00005.png", np.ones((HEIGHT, WIDTH, 3), np.uint16)),
        "00005.png: type: uint16 with 3",
    ),
    "65535 for none": (
        lambda f: _png(f / "depth" / "00005.png", np.full((HEIGHT, WIDTH), 65535, np.uint16)),
        "00005.png: value",
    ),
    "depth of another size": (
        lambda f: _png(f / "depth" / "00005.png", np.ones((WIDTH, HEIGHT), np.uint16)),
        "00005.png: size: 23x37, the first image has 37x23",
    ),
    "image of another size": (
        lambda f: _png(f / "images" / "00015.png", np.ones((HEIGHT, WIDTH + 1, 3), np.uint8)),
        "00015.png: size: 38x23",
    ),
    "image cut off": (
        lambda f: (f / "images" / "00007.png").write_bytes((f / "images" / "00007.png").read_bytes()[:-20]),
        "00007.png: content: ends early",
    ),
    "depth altered": (lambda f: _flip_byte(f / "depth" / "00007.png"), "00007.png: content"),
    "empty image": (lambda f: (f / "images" / "00007.png").write_bytes(b""), "00007.png: content"),
    "text for an image": (lambda f: (f / "images" / "00007.png").write_text("hello"), "00007.png: content"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_folder_is_refused_with_file_field_and_advice(folder, damage):
    apply, message = DAMAGE[damage]
    apply(folder)
    with pytest.raises(DataError) as caught:
        read_rgbd_folder(folder)
    assert message in str(caught.value)
    assert str(caught.value).endswith(")")


def test_damage_in_a_frame_that_the_stride_leaves_out_is_found_too(folder):
    _flip_byte(folder / "depth" / "00005.png")
    with pytest.raises(DataError, match="00005"):
        read_rgbd_folder(folder, stride=3)


def test_a_jpeg_cut_off_is_refused(tmp_path):
    folder = _write(tmp_path / "jpeg", ".jpg")
    path = folder / "images" / "00007.jpg"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match=r"00007\.jpg: content"):
        read_rgbd_folder(folder)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="nowhere"):
        read_rgbd_folder(tmp_path / "nowhere")


def test_a_folder_whose_name_is_no_id_is_refused(tmp_path):
    with pytest.raises(DataError, match="name"):
        read_rgbd_folder(_write(tmp_path / "my office"))


@pytest.mark.parametrize("options", [{"stride": 0}, {"image_size": (0, 5)}])
def test_impossible_arguments_are_refused(folder, options):
    with pytest.raises(UsageError):
        read_rgbd_folder(folder, **options)


def test_windows_are_sequences_with_their_own_frames_and_poses(folder):
    sequence = read_rgbd_folder(folder)
    pieces = windows(sequence, 3, 2)
    assert [piece.annotations.sequence_id for piece in pieces] == [f"office-3-00000{start}" for start in (0, 2, 4)]
    for start, piece in zip((0, 2, 4), pieces, strict=True):
        np.testing.assert_array_equal(piece.depth_m, sequence.depth_m[start : start + 3])
        np.testing.assert_array_equal(piece.rgb, sequence.rgb[start : start + 3])
        np.testing.assert_array_equal(piece.world_from_camera, sequence.world_from_camera[start : start + 3])
        assert piece.annotations.world_from_camera == sequence.annotations.world_from_camera[start : start + 3]
        assert piece.annotations.place_id == "office-3"
        assert len(piece.annotations.visible_objects) == piece.num_frames == 3


def test_relations_of_a_viewer_move_with_the_window(make_sequence):
    sequence = make_sequence(frames=7)
    whole = msgspec.structs.replace(sequence.annotations, instructions=())
    pieces = windows(type(sequence)(**{**vars(sequence), "annotations": whole}), 3, 2)
    in_world = {relation for relation in whole.relations if relation.frame is None}
    of_viewer = {relation for relation in whole.relations if relation.frame == 6}
    assert in_world
    assert set(pieces[0].annotations.relations) == in_world
    moved = {msgspec.structs.replace(relation, frame=2) for relation in of_viewer}
    assert set(pieces[2].annotations.relations) == in_world | moved


@pytest.mark.parametrize(("length", "step"), [(8, 1), (0, 1), (3, 0)])
def test_windows_that_can_not_be_are_refused(folder, length, step):
    with pytest.raises(UsageError):
        windows(read_rgbd_folder(folder), length, step)


def test_a_walk_with_instructions_is_not_cut(make_sequence):
    with pytest.raises(UsageError, match="instructions"):
        windows(make_sequence(frames=5), 3, 1)


def test_the_poses_are_taken_as_camera_to_world(folder):
    # The centre of frame 6 lies at x = 0.6 m; read the other way round it would lie elsewhere.
    pose = read_rgbd_folder(folder).world_from_camera[6]
    np.testing.assert_allclose(pose[:3, 3], [0.6, 1.5, -0.2])
    assert np.abs(invert_pose(pose)[:3, 3] - [0.6, 1.5, -0.2]).max() > 0.1
