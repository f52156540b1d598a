import numpy as np
import pytest

from backsight.metrics.answers import normalised_answer, pointed_right


def test_case_and_punctuation_do_not_count_but_words_do():
    assert normalised_answer("Seen 3 frames ago, in the  Kitchen.") == "seen 3 frames ago in the kitchen"
    assert normalised_answer("it is in view .") == normalised_answer("It is in view.")
    assert normalised_answer("seen 3 frames ago") != normalised_answer("seen 13 frames ago")
    assert normalised_answer(" ?! ") == ""


def test_the_strongest_cell_of_all_views_decides():
    truth = np.zeros((3, 2, 3, 5))
    truth[0, 1, 2, 4] = truth[1, 1, 2, 4] = 1.0
    present = truth.any(axis=(2, 3))
    target = np.full(truth.shape, 0.1)
    target[:, 0, 0, 0] = 0.9
    target[:, 1, 2, 4] = 0.8
    presence = np.array([[0.2, 0.9], [0.9, 0.2], [0.4, 0.49]])
    assert pointed_right(target, presence, truth, present).tolist() == [1.0, 0.0, 1.0]
    presence[2, 1] = 0.5
    assert pointed_right(target, presence, truth, present)[2] == 0.0


def test_of_equally_strong_cells_the_share_on_the_target_counts():
    truth = np.zeros((1, 2, 3, 5))
    truth[0, 0, 0, :3] = 1.0
    found = pointed_right(np.full(truth.shape, 0.5), np.ones((1, 2)), truth, np.array([[True, False]]))
    assert found[0] == pytest.approx(3 / 30)
