import numpy as np
import pytest

from backsight.sim.embedded.texels import (
    ENCODE_LIMIT,
    MAX_LEVELS,
    encoding_table,
    light_of_shown,
    pack_textures,
)
from backsight.sim.srgb import linear_from_srgb, srgb_from_linear


def unpacked(words):
    """Linear light of packed texels."""
    channels = np.stack([(words >> np.uint32(shift)) & np.uint32(1023) for shift in (0, 10, 20)], axis=-1)
    return (channels / 1023.0) ** 2


def test_packed_texels_keep_every_srgb_byte():
    image = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    buffer = pack_textures((image,))
    start = buffer.level_offset[0, 0]
    light = unpacked(buffer.texels[start : start + 256])
    np.testing.assert_array_equal(np.round(srgb_from_linear(light) * 255).reshape(16, 16, 3), image)


def test_every_mip_level_has_the_mean_light_of_the_texture():
    rng = np.random.default_rng(1)
    image = rng.integers(0, 256, (8, 32, 3), dtype=np.uint8)
    buffer = pack_textures((np.zeros((4, 4, 3), dtype=np.uint8), image))
    mean = linear_from_srgb(image / 255.0).mean(axis=(0, 1))
    for level in range(MAX_LEVELS):
        texels = max(8 >> level, 1) * max(32 >> level, 1)
        start = buffer.level_offset[1, level]
        np.testing.assert_allclose(unpacked(buffer.texels[start : start + texels]).mean(axis=0), mean, atol=2e-3)
    np.testing.assert_array_equal(buffer.size_log2[1], [5, 3])


def test_sides_that_are_not_powers_of_two_are_refused():
    with pytest.raises(ValueError, match="texture 0 is 24 x 16"):
        pack_textures((np.zeros((16, 24, 3), dtype=np.uint8),))


def test_the_encoding_table_is_a_film_curve():
    """Rising without end, nearly proportional in the shadows, never white below half of its range."""
    table = encoding_table().astype(int)
    assert (np.diff(table) >= 0).all()
    assert table[0] == 0
    assert table[-1] >= 254

    def light(value):
        byte = table[round(np.sqrt(value / ENCODE_LIMIT) * (len(table) - 1))]
        return float(linear_from_srgb(np.array([byte / 255.0]))[0])

    assert light(0.04) == pytest.approx(2.0**1.12 * light(0.02), rel=0.1)
    assert 0.1 < light(0.2) < 0.3
    assert light(1.0) < 0.8
    assert table[round(np.sqrt(0.5) * (len(table) - 1))] < 254


def test_the_light_of_a_shown_colour_is_encoded_as_that_colour():
    table, light = encoding_table().astype(int), light_of_shown()
    for byte in range(256):
        place = np.sqrt(linear_from_srgb(np.array(byte / 255.0))) * (len(light) - 1)
        wanted = float(np.interp(place, np.arange(len(light)), light))
        step = min(round(np.sqrt(wanted / ENCODE_LIMIT) * (len(table) - 1)), len(table) - 1)
        assert abs(table[step] - byte) <= 1, byte
