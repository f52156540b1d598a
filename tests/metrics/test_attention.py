import numpy as np
import pytest

from backsight.metrics.attention import attention_alignment


def naive(row, truth, rows, columns):
    side_y, side_x = truth.shape[0] // rows, truth.shape[1] // columns
    q = np.array(
        [
            truth[r * side_y : (r + 1) * side_y, c * side_x : (c + 1) * side_x].mean()
            for r in range(rows)
            for c in range(columns)
        ]
    )
    return sum(min(a, b) for a, b in zip(row / row.sum(), q / q.sum(), strict=True))


def test_values_are_those_of_the_definition_and_the_control_is_the_other_views_tokens():
    random = np.random.default_rng(0)
    attention, truth = random.random((2, 3, 3, 3 * 5)), random.random((2, 3, 6, 10))
    found = attention_alignment(attention, truth, rows=3)
    for one in range(2):
        for view in range(3):
            values = [naive(attention[one, heat, view], truth[one, view], 3, 5) for heat in range(3)]
            assert found.value[one, view] == pytest.approx(values[view])
            others = [value for heat, value in enumerate(values) if heat != view]
            assert found.control[one, view] == pytest.approx(np.mean(others))


def test_attention_on_the_target_exceeds_its_control():
    truth = np.zeros((1, 2, 6, 10))
    truth[0, 0, :2, :2] = truth[0, 1, 4:, 8:] = 1.0
    attention = np.full((1, 2, 2, 15), 1e-6)
    attention[0, 0, 0, 0] = attention[0, 1, 1, 14] = 0.3
    attention[0, 0, 1, 7] = attention[0, 1, 0, 7] = 0.3
    found = attention_alignment(attention, truth, rows=3)
    assert (found.value > 0.99).all()
    assert (found.control < 0.01).all()


def test_a_single_view_has_no_control():
    found = attention_alignment(np.full((1, 1, 1, 15), 0.1), np.ones((1, 1, 6, 10)), rows=3)
    assert found.value[0, 0] == pytest.approx(1.0)
    assert np.isnan(found.control).all()
