import numpy as np
import pytest

from backsight.metrics.correspondence import correspondence_counts

ROWS, COLUMNS = 7, 11
CELLS = ROWS * COLUMNS


def middles() -> np.ndarray:
    return np.stack([np.arange(CELLS) % COLUMNS, np.arange(CELLS) // COLUMNS], -1) + 0.5


def pointing_at(target: np.ndarray) -> np.ndarray:
    similarity = np.zeros((1, CELLS, CELLS), dtype=np.float32)
    similarity[0, np.arange(CELLS), target] = 1.0
    return similarity


ALL = np.ones((1, CELLS), dtype=bool)


def test_identity_is_right_everywhere() -> None:
    counts = correspondence_counts(pointing_at(np.arange(CELLS)), middles()[None], ALL, ROWS, COLUMNS)
    assert [int(x[0]) for x in (counts.matched, counts.correct, counts.consistent, counts.consistent_correct)] == [
        CELLS
    ] * 4


@pytest.mark.parametrize(
    ("shift", "right"), [((1.1, 0.0), True), ((1.12, 0.0), False), ((0.8, 0.8), False), ((0.7, 0.8), True)]
)
def test_right_means_within_a_tenth_of_the_longer_side(shift: tuple[float, float], right: bool) -> None:
    counts = correspondence_counts(pointing_at(np.arange(CELLS)), middles()[None] + shift, ALL, ROWS, COLUMNS)
    assert counts.correct[0] == (CELLS if right else 0)


def test_only_matched_patches_count() -> None:
    matched = np.zeros((1, CELLS), dtype=bool)
    matched[0, [3, 20]] = True
    position = middles()[None].copy()
    position[0, 20] += 5
    counts = correspondence_counts(pointing_at(np.arange(CELLS)), position, matched, ROWS, COLUMNS)
    assert (counts.matched[0], counts.correct[0]) == (2, 1)


def test_forward_backward_is_judged_by_the_way_back() -> None:
    # Everything points at patch 0; back from there leads to patch 0: only its neighbours come home.
    counts = correspondence_counts(pointing_at(np.zeros(CELLS, dtype=int)), middles()[None], ALL, ROWS, COLUMNS)
    assert counts.consistent[0] == 4
    # Within 1.1 patches of the true match: patch 0 itself and the ones right of and below it.
    assert counts.consistent_correct[0] == counts.correct[0] == 3


def test_transposed_similarity_changes_the_counts() -> None:
    target = np.roll(np.arange(CELLS), -3)
    position = middles()[target][None]
    similarity = pointing_at(target)
    right = correspondence_counts(similarity, position, ALL, ROWS, COLUMNS)
    wrong = correspondence_counts(np.swapaxes(similarity, 1, 2), position, ALL, ROWS, COLUMNS)
    assert right.correct[0] == right.consistent[0] == CELLS
    assert wrong.correct[0] < CELLS / 4


def test_grid_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="grid"):
        correspondence_counts(pointing_at(np.arange(CELLS)), middles()[None], ALL, ROWS, COLUMNS - 1)
