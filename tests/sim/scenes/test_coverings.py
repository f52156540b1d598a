"""Coverings and prints: sizes, repeats, and whether a pattern looks the same a little way on."""

import numpy as np
import pytest

from backsight.sim.embedded.scenes import coverings, prints
from backsight.sim.embedded.scenes.coverings import Covering

GROUND, FIGURE, WOOD = (0.82, 0.77, 0.68), (0.27, 0.41, 0.61), (0.62, 0.46, 0.31)
ROOMS = ("open plan office", "meeting room", "classroom", "library", "shop", "warehouse", "gym")


def repetitive(seed: int) -> list[Covering]:
    rng = np.random.default_rng(seed)
    return [coverings.repetitive_wall(rng, GROUND, FIGURE), coverings.repetitive_floor(rng, GROUND, WOOD)]


def distinctive(seed: int) -> list[Covering]:
    rng = np.random.default_rng(seed)
    return [coverings.distinctive_wall(rng, GROUND, FIGURE), coverings.distinctive_floor(rng, GROUND, FIGURE)]


def every_image(seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    images = [one.image for one in repetitive(seed) + distinctive(seed)]
    images += [coverings.public_floor(rng, room, FIGURE, WOOD).image for room in ROOMS]
    images += [coverings.public_ceiling(rng, room).image for room in ROOMS]
    images += [coverings.concrete(rng, GROUND), coverings.rubber(rng, FIGURE), coverings.court(rng, FIGURE)]
    images += [draw(rng) for draw in (prints.screen, prints.scribbles, prints.label, prints.world_map, prints.sheen)]
    images += [draw(rng, FIGURE) for draw in (prints.keys, prints.dial, prints.notice, prints.poster)]
    return [*images, prints.page(rng), prints.perforation(rng, GROUND)]


def test_all_images_are_powers_of_two_and_equal_seeds_draw_them_alike():
    for seed in range(13):
        images = every_image(seed)
        assert {edge for image in images for edge in image.shape[:2]} <= {64, 128, 256}
        assert all(image.dtype == np.uint8 and image.shape[2] == 3 and image.flags.c_contiguous for image in images)
        assert [a.tobytes() for a in images] == [b.tobytes() for b in every_image(seed)]
        assert [a.tobytes() for a in images] != [b.tobytes() for b in every_image(seed + 100)]


def likeness_after(covering: Covering, least_m: float, most_m: float) -> float:
    """Highest correlation of the pattern with itself after a shift along u of `least_m` to `most_m`."""
    grey = covering.image.mean(axis=2)
    grey = grey - grey.mean()
    spectrum = np.abs(np.fft.fft2(grey)) ** 2
    correlation = np.fft.ifft2(spectrum).real[0] / (grey**2).sum()
    width = len(correlation)
    shifts_m = np.arange(width) * covering.metres_per_repeat / width
    inside = (shifts_m >= least_m) & (shifts_m <= min(most_m, covering.metres_per_repeat * 0.75))
    return float(correlation[inside].max())


def test_repetitive_coverings_come_again_within_a_metre_and_distinctive_ones_do_not():
    again = np.array([[likeness_after(one, 0.06, 1.0) for one in repetitive(seed)] for seed in range(24)])
    new = np.array([[likeness_after(one, 0.8, 9.0) for one in distinctive(seed)] for seed in range(24)])
    assert (again > 0.35).mean() > 0.9, again
    assert (new < 0.6).mean() > 0.85, new
    assert np.median(again) > np.median(new) + 0.2
    assert max(one.metres_per_repeat for seed in range(24) for one in repetitive(seed)) <= 2.0
    assert min(one.metres_per_repeat for seed in range(24) for one in distinctive(seed)) >= 2.5


@pytest.mark.parametrize("seed", [3, 7])
def test_coverings_meet_themselves_without_a_seam(seed):
    """The step across the image's edge is no larger than the largest step inside it."""
    rng = np.random.default_rng(seed)
    for image in (coverings.concrete(rng, GROUND), coverings.vinyl(rng, FIGURE), coverings.corrugated(rng, GROUND)):
        grey = image.mean(axis=2)
        for axis in (0, 1):
            steps = np.abs(np.roll(grey, -1, axis=axis) - grey).mean(axis=1 - axis)
            assert steps[-1] <= steps[:-1].max() + 1.0


def test_herringbone_boards_are_whole():
    """Every row of boards across a joint-free line shows runs of one or four widths, as boards at right angles do."""
    for seed in range(5):
        image = coverings.herringbone(np.random.default_rng(seed), WOOD).astype(int).sum(axis=2)
        row = image[4]
        joints = np.flatnonzero(row < 0.8 * np.median(row))
        runs = set(np.diff(np.concatenate([joints, joints[:1] + len(row)])).tolist())
        width = min(runs)
        assert width in (8, 16)
        assert runs <= {width, 4 * width, 1}


def test_public_floors_and_ceilings_suit_their_rooms():
    rng = np.random.default_rng(11)
    for _ in range(10):
        concrete = coverings.public_floor(rng, "warehouse", FIGURE, WOOD)
        red, green, blue = concrete.image.reshape(-1, 3).mean(axis=0)
        assert max(red, green, blue) - min(red, green, blue) < 8
        assert concrete.metres_per_repeat >= 3.0
    assert coverings.public_ceiling(rng, "warehouse").gloss > coverings.public_ceiling(rng, "library").gloss


def test_a_poster_is_mostly_its_ground_and_a_map_has_land_and_sea():
    for seed in range(7):
        rng = np.random.default_rng(seed)
        poster = prints.poster(rng, FIGURE).reshape(-1, 3)
        assert (np.abs(poster - np.round(np.array(FIGURE) * 255)).max(axis=1) < 3).mean() > 0.5
        world = prints.world_map(rng).astype(int)
        sea = (world[..., 2] > world[..., 0] + 20).mean()
        assert 0.5 < sea < 0.8
        upper, lower = world[32:].reshape(-1, 3), world[6:32].reshape(-1, 3)
        land = [(half[:, 2] < half[:, 0] + 20).mean() for half in (upper, lower)]
        assert land[0] > land[1], "row 0 is the bottom, and most land is in the north"
