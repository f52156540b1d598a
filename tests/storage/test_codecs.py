import io
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backsight.records.errors import DataError, UsageError
from backsight.storage.codecs import (
    decode_png_zip,
    decode_rgb,
    depth_to_mm,
    encode_png_zip,
    encode_rgb,
    instances_to_uint16,
    mm_to_depth,
)

PATH = Path("set/sequences/ab/walk/file")


def smooth_images(frames: int = 11, width: int = 74, height: int = 46) -> np.ndarray:
    row, column = np.mgrid[0:height, 0:width]
    ramps = [
        np.stack([40 + 2 * column, 210 - 3 * row, np.full((height, width), 30 + 4 * frame)], axis=-1)
        for frame in range(frames)
    ]
    return np.stack(ramps).astype(np.uint8)


def test_smooth_video_comes_back_in_the_right_channels_and_order():
    rgb = smooth_images()
    back = decode_rgb(encode_rgb(rgb, 2.0), 11, 74, 46, PATH)
    error = back.astype(float) - rgb
    assert back.shape == rgb.shape
    assert np.abs(error).mean(axis=(0, 1, 2)).max() < 2.5
    assert np.abs(error.mean(axis=(0, 1, 2))).max() < 2.0, "a colour matrix or range is mixed up"
    assert np.abs(back[3].astype(float) - rgb[3]).mean() < np.abs(back[3].astype(float) - rgb[4]).mean()


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (176, 58, 52)])
def test_plain_colours_survive_the_video(colour):
    rgb = np.broadcast_to(np.array(colour, dtype=np.uint8), (3, 32, 32, 3)).copy()
    back = decode_rgb(encode_rgb(rgb, 2.0), 3, 32, 32, PATH)
    assert np.abs(back.astype(int) - rgb).max() <= 4


def test_noisy_images_give_equal_bytes_however_memory_lies():
    generator = np.random.default_rng(3)
    rgb = np.clip(smooth_images(9, 64, 48) + generator.normal(0, 12, (9, 48, 64, 3)), 0, 255).astype(np.uint8)
    found = set()
    for _ in range(40):
        clutter = [generator.integers(0, 256, int(size), dtype=np.uint8) for size in generator.integers(1e3, 4e5, 5)]
        del clutter
        found.add(encode_rgb(rgb, 2.0))
    assert len(found) == 1


def test_equal_images_give_equal_bytes():
    rgb = smooth_images()
    assert encode_rgb(rgb, 2.0) == encode_rgb(rgb.copy(), 2.0)
    depth = (rgb[..., 0].astype(np.uint16) * 37).astype(np.uint16)
    assert encode_png_zip(depth) == encode_png_zip(depth.copy())


@pytest.mark.parametrize(("width", "height"), [(33, 22), (34, 23), (4098, 2)])
def test_sizes_that_the_video_can_not_hold_are_refused(width, height):
    with pytest.raises(UsageError, match=f"{width}x{height}"):
        encode_rgb(np.zeros((1, height, width, 3), dtype=np.uint8), 2.0)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.95])
def test_a_truncated_video_is_named(share):
    data = encode_rgb(smooth_images(), 2.0)
    with pytest.raises(DataError, match=r"rgb\.mp4"):
        decode_rgb(data[: int(share * len(data))], 11, 74, 46, PATH.with_name("rgb.mp4"))


@pytest.mark.parametrize(("frames", "width", "height"), [(10, 74, 46), (12, 74, 46), (11, 46, 74)])
def test_a_video_of_other_frames_or_size_is_refused(frames, width, height):
    with pytest.raises(DataError):
        decode_rgb(encode_rgb(smooth_images(), 2.0), frames, width, height, PATH)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 7), st.integers(1, 23), st.integers(1, 19), st.integers(0, 2**32 - 1))
def test_sixteen_bit_images_come_back_exactly(frames, width, height, seed):
    images = np.random.default_rng(seed).integers(0, 65536, (frames, height, width), dtype=np.uint16)
    assert np.array_equal(decode_png_zip(encode_png_zip(images), frames, width, height, PATH), images)


def test_the_zip_is_readable_by_anything_and_has_no_date():
    with zipfile.ZipFile(io.BytesIO(encode_png_zip(np.zeros((3, 5, 7), np.uint16)))) as archive:
        assert archive.namelist() == ["000000.png", "000001.png", "000002.png"]
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.testzip() is None


@pytest.mark.parametrize(("frames", "width", "height"), [(4, 7, 5), (6, 7, 5), (5, 5, 7)])
def test_a_zip_of_other_frames_or_size_is_refused(frames, width, height):
    with pytest.raises(DataError, match="file"):
        decode_png_zip(encode_png_zip(np.zeros((5, 5, 7), np.uint16)), frames, width, height, PATH)


def test_a_png_that_claims_to_be_huge_is_refused_before_it_is_decoded():
    header = struct.pack(">IIBBBBB", 60000, 60000, 16, 0, 0, 0, 0)
    chunk = b"IHDR" + header
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("000000.png", png)
    with pytest.raises(DataError, match=r"000000\.png.*60000x60000"):
        decode_png_zip(buffer.getvalue(), 1, 7, 5, PATH)


@pytest.mark.parametrize("flipped", [1, 2, 128, 255])
def test_a_damaged_zip_is_a_data_error_or_still_the_same_images(flipped):
    images = np.arange(3 * 5 * 7, dtype=np.uint16).reshape(3, 5, 7) * 601
    whole = encode_png_zip(images)
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= flipped
        try:
            back = decode_png_zip(bytes(damaged), 3, 7, 5, PATH)
        except DataError:
            continue
        assert np.array_equal(back, images), position


def test_depth_is_stored_in_millimetres_and_zero_stays_none():
    depth = np.array([[[0.0, 0.001, 0.0004], [1.2345, 65.535, 9.9996]]], dtype=np.float32)
    millimetres = depth_to_mm(depth, PATH)
    assert millimetres.tolist() == [[[0, 1, 1], [1234, 65535, 10000]]] or millimetres[0, 1, 0] == 1235
    assert np.abs(mm_to_depth(millimetres) - depth).max() <= 0.00061


@pytest.mark.parametrize("value", [65.54, -0.1, np.nan, np.inf])
def test_depth_that_can_not_be_stored_names_its_pixel(value):
    depth = np.ones((3, 5, 7), dtype=np.float32)
    depth[1, 4, 6] = value
    with pytest.raises(DataError, match="frame 1, row 4, column 6"):
        depth_to_mm(depth, PATH)


@pytest.mark.parametrize("value", [65536, -1])
def test_instance_ids_that_can_not_be_stored_name_their_pixel(value):
    ids = np.ones((3, 5, 7), dtype=np.int32)
    ids[2, 0, 5] = value
    with pytest.raises(DataError, match="frame 2, row 0, column 5"):
        instances_to_uint16(ids, PATH)
