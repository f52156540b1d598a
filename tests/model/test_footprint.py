from dataclasses import replace

import torch

from backsight.model.heatmap.correlation import cell_positions


def test_the_closer_look_brings_history_detail_from_where_it_was_found(model, inputs):
    decoder = model.heatmap["footprint"]
    current, history = torch.tensor([[1, 4]]), torch.tensor([[2, 0, 3]])
    rows, columns = 12, 16
    # One coarse cell to the right and two down, which is two and four map cells.
    shift = torch.tensor([2.0 / columns, 2 * 2.0 / rows])
    found = (cell_positions(rows, columns, inputs.rgb) + shift).T.unflatten(1, (rows, columns)).expand(3, -1, -1, -1)
    with torch.no_grad():
        encoding = model.encode(inputs.rgb)
        detail = decoder.detail(encoding.skip.flatten(0, 1)).unflatten(0, encoding.skip.shape[:2])
        there = detail[1, history[0]]
        brought = torch.zeros_like(there)
        brought[..., :-4, :-2] = there[..., 4:, 2:]
        expected = decoder.compared(torch.cat([brought * detail[1, 4], brought], dim=1))
        looked = decoder._closer_look(encoding, current, history, found)
    # Half a coarse cell of border is clamped.
    inner = (..., slice(1, -6), slice(1, -4))
    torch.testing.assert_close(looked[inner], expected[inner], rtol=1e-4, atol=1e-4)
    assert (looked[inner] - looked.flip(0)[inner]).abs().max() > 1e-2


def test_without_the_closer_look_fine_detail_of_history_is_not_seen(model, inputs):
    decoder = model.heatmap["footprint"]
    with torch.no_grad():
        encoding = model.encode(inputs.rgb)
        other = encoding.skip.clone()
        other[:, :4] = other[:, :4].flip(-1)
        blurred = replace(encoding, skip=other)
        current, history = torch.tensor([[0, 4]]), torch.tensor([[1, 2, 3]])
        looks, same = (model.footprints(each, current, history).logits for each in (encoding, blurred))
        assert (looks - same).abs().max() > 1e-3
        decoder.looks_closer = False
        try:
            one, two = (model.footprints(each, current, history).logits for each in (encoding, blurred))
        finally:
            decoder.looks_closer = True
    assert torch.equal(one, two)
