import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backsight.geometry.cameras import pixel_centres
from backsight.geometry.cells import ImageFit, cell_share, cell_share_of_mask, pool_sums, target_cells
from backsight.geometry.covisibility import Label

side = st.integers(1, 61)


def test_a_wide_image_loses_the_same_at_the_left_and_at_the_right():
    fit = ImageFit(540, 360, 128, 96)
    assert (fit.left_px, fit.top_px, fit.crop_width_px, fit.crop_height_px) == (30.0, 0.0, 480.0, 360.0)
    assert fit.scale == pytest.approx(96 / 360)


def test_a_tall_image_loses_the_same_at_the_top_and_at_the_bottom():
    fit = ImageFit(100, 110, 50, 50)
    assert (fit.left_px, fit.top_px, fit.crop_width_px, fit.crop_height_px) == (0.0, 5.0, 100.0, 100.0)
    assert fit.scale == 0.5


@given(side, side, side, side)
def test_a_fit_crops_along_one_axis_only_and_reaches_the_target_exactly(source_w, source_h, target_w, target_h):
    fit = ImageFit(source_w, source_h, target_w, target_h)
    assert fit.left_px == 0.0 or fit.top_px == 0.0
    assert fit.left_px >= 0.0
    assert fit.top_px >= 0.0
    assert fit.crop_width_px * fit.scale == pytest.approx(target_w)
    assert fit.crop_height_px * fit.scale == pytest.approx(target_h)


def test_an_image_without_pixels_is_refused():
    with pytest.raises(ValueError, match="sides"):
        ImageFit(13, 0, 7, 5)


def test_fitted_intrinsics_send_the_same_ray_to_the_same_place():
    fit = ImageFit(540, 360, 112, 84)
    intrinsics = np.array([[495.0, 0.0, 269.0], [0.0, 490.0, 169.0], [0.0, 0.0, 1.0]])
    fitted = fit.fit_intrinsics(intrinsics)
    ray = np.array([0.2, -0.3, 1.0])
    source_px, target_px = (intrinsics @ ray)[:2], (fitted @ ray)[:2]
    crop_px = source_px - [fit.left_px, fit.top_px]
    np.testing.assert_allclose(target_px, crop_px * fit.scale)
    # A symmetric camera stays symmetric under a centre crop.
    centred = fit.fit_intrinsics(np.array([[495.0, 0.0, 270.0], [0.0, 495.0, 180.0], [0.0, 0.0, 1.0]]))
    np.testing.assert_allclose(centred[:2, 2], [56.0, 42.0])


def test_cell_borders_divide_the_crop():
    columns, rows = ImageFit(540, 360, 128, 96).cell_bounds(4, 3)
    np.testing.assert_allclose(columns, [30, 150, 270, 390, 510])
    np.testing.assert_allclose(rows, [0, 120, 240, 360])


def test_a_pixel_belongs_to_the_cell_that_holds_its_centre():
    # Cells are 7 / 3 px wide: borders 0, 2.33, 4.67, 7 against centres 0.5, 1.5, 2.5, ...
    columns, rows = ImageFit(7, 5, 7, 5).pixel_cells(3, 2)
    np.testing.assert_array_equal(columns, [0, 0, 1, 1, 1, 2, 2])
    # A centre on the border (2.5) belongs to the cell below.
    np.testing.assert_array_equal(rows, [0, 0, 1, 1, 1])


def test_pixels_whose_centre_is_cut_off_belong_to_no_cell():
    # The crop spans 2.5 to 6.5: the centre at 2.5 is the first inside, the one at 6.5 the first outside.
    columns, rows = ImageFit(9, 4, 4, 4).pixel_cells(2, 2)
    np.testing.assert_array_equal(columns, [-1, -1, 0, 0, 1, 1, -1, -1, -1])
    np.testing.assert_array_equal(rows, [0, 0, 1, 1])


@given(side, side, side, side, st.integers(1, 9), st.integers(1, 7))
def test_every_pixel_of_the_crop_is_counted_once(source_w, source_h, target_w, target_h, cells_w, cells_h):
    fit = ImageFit(source_w, source_h, target_w, target_h)
    sums = pool_sums(np.ones((source_h, source_w)), fit, cells_w, cells_h)
    x_px, y_px = np.moveaxis(pixel_centres(source_w, source_h), -1, 0)
    inside = (x_px >= fit.left_px) & (x_px < fit.left_px + fit.crop_width_px)
    inside &= (y_px >= fit.top_px) & (y_px < fit.top_px + fit.crop_height_px)
    assert sums.sum() == inside.sum()


@given(st.integers(1, 5), st.integers(1, 4), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_pooling_whole_pixels_is_a_reshape(cells_w, cells_h, cell_px, seed):
    width, height = cells_w * cell_px, cells_h * cell_px
    values = np.random.default_rng(seed).integers(0, 9, (height, width))
    expected = values.reshape(cells_h, cell_px, cells_w, cell_px).sum(axis=(1, 3))
    np.testing.assert_array_equal(pool_sums(values, ImageFit(width, height, width, height), cells_w, cells_h), expected)


def test_an_image_of_another_size_is_refused():
    with pytest.raises(ValueError, match="5 x 7"):
        pool_sums(np.ones((7, 5)), ImageFit(7, 5, 7, 5), 1, 1)


def test_a_footprint_map_by_hand():
    covisible, occluded, out, invalid = Label.COVISIBLE, Label.OCCLUDED, Label.OUT_OF_VIEW, Label.INVALID
    labels = np.array(
        [
            [covisible, covisible, covisible, invalid, invalid, invalid],
            [covisible, occluded, out, invalid, invalid, covisible],
        ],
        dtype=np.uint8,
    )
    share, valid, presence = cell_share(labels, ImageFit(6, 2, 6, 2), 3, 1)
    np.testing.assert_allclose(share, [[0.75, 0.5, 1.0]])
    # The second cell knows exactly half of its pixels, which is enough; the third knows a quarter.
    np.testing.assert_array_equal(valid, [[True, True, False]])
    assert presence == pytest.approx(5 / 12)


def test_cells_without_a_pixel_are_invalid():
    labels = np.full((1, 2), Label.COVISIBLE, dtype=np.uint8)
    _, valid, presence = cell_share(labels, ImageFit(2, 1, 2, 1), 5, 1)
    assert valid.sum() == 2
    assert presence == 1.0


def test_what_is_cut_off_does_not_count():
    labels = np.full((4, 10), Label.OUT_OF_VIEW, dtype=np.uint8)
    labels[:, :3] = Label.COVISIBLE
    _, _, presence = cell_share(labels, ImageFit(10, 4, 4, 4), 2, 2)
    assert presence == 0.0


def test_the_share_of_a_mask_by_hand():
    mask = np.zeros((4, 6), dtype=bool)
    mask[0, 0] = mask[2:, 4:] = True
    share = cell_share_of_mask(mask, ImageFit(6, 4, 6, 4), 3, 2)
    np.testing.assert_allclose(share, [[0.25, 0, 0], [0, 0, 1.0]])


def _two_instances() -> np.ndarray:
    ids = np.zeros((8, 12), dtype=np.int32)
    ids[0:4, 0:4] = 3
    ids[4:6, 4:6] = 3
    ids[4:6, 8:10] = 5
    return ids


def test_each_instance_peaks_at_one_however_small():
    heatmap, present = target_cells(_two_instances(), (3, 5), ImageFit(12, 8, 12, 8), 3, 2)
    assert present
    np.testing.assert_allclose(heatmap, [[1.0, 0, 0], [0, 0.25, 1.0]])


def test_a_target_of_too_few_pixels_is_absent_and_its_map_empty():
    fit = ImageFit(12, 8, 12, 8)
    heatmap, present = target_cells(_two_instances(), (5,), fit, 3, 2)
    assert not present
    assert not heatmap.any()


@pytest.mark.parametrize(("pixels", "expected"), [(15, False), (16, True)])
def test_sixteen_stored_pixels_make_a_target_present(pixels, expected):
    ids = np.zeros((20, 20), dtype=np.int32)
    ids.ravel()[:pixels] = 7
    assert target_cells(ids, (7,), ImageFit(20, 20, 20, 20), 5, 5)[1] is expected


@pytest.mark.parametrize(("pixels", "expected"), [(19, False), (20, True)])
def test_in_a_large_image_its_share_decides(pixels, expected):
    ids = np.zeros((200, 200), dtype=np.int32)
    ids.ravel()[:pixels] = 7
    assert target_cells(ids, (7,), ImageFit(200, 200, 200, 200), 5, 5)[1] is expected


def test_a_target_that_is_cut_off_is_absent():
    ids = np.zeros((20, 60), dtype=np.int32)
    ids[:, :20] = 7
    assert not target_cells(ids, (7,), ImageFit(60, 20, 20, 20), 5, 5)[1]


def test_an_instruction_without_answer_has_no_target():
    assert not target_cells(_two_instances(), (), ImageFit(12, 8, 12, 8), 3, 2)[1]


def test_nothing_is_no_target():
    with pytest.raises(ValueError, match="positive"):
        target_cells(_two_instances(), (0,), ImageFit(12, 8, 12, 8), 3, 2)
