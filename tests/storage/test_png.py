"""PNGs of depth and ids: whole for every reader, and no larger than those of the library that is not used."""

import io

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from backsight.storage.png import PNG_LEVEL, encode_png

IMAGES = arrays.arrays(np.uint16, st.tuples(st.integers(1, 23), st.integers(1, 37)), elements=st.integers(0, 65535))


@given(IMAGES)
def test_other_readers_see_the_same_pixels(image):
    png = encode_png(image)
    assert np.array_equal(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED), image)
    with Image.open(io.BytesIO(png)) as opened:
        # Checksums of all parts, then the pixels.
        opened.verify()
    with Image.open(io.BytesIO(png)) as opened:
        assert opened.mode == "I;16"
        assert np.array_equal(np.asarray(opened), image)


def test_depth_takes_no_more_room_than_by_opencv():
    rows, columns = np.mgrid[0:131, 0:197]
    slanted_mm = (1500 + 3 * rows + 5 * columns + 400 * (columns // 61)).astype(np.uint16)
    options = [cv2.IMWRITE_PNG_COMPRESSION, PNG_LEVEL, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP]
    _, theirs = cv2.imencode(".png", slanted_mm, options)
    assert len(encode_png(slanted_mm)) < 1.05 * len(theirs)
