import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from backsight.model.sequence import PackedLayout

USED = torch.tensor([[3, 5], [0, 4], [5, 1]])


def layout(**changes) -> PackedLayout:
    return PackedLayout(**{"views": 2, "image_tokens": 7, "instructions": 2, "words": 5} | changes)


def described(sizes: PackedLayout) -> list[tuple[str, int | None, int]]:
    """Kind, instruction and number of every token of the sequence, from the definition alone."""
    tokens: list[tuple[str, int | None, int]] = [("prefix", None, n) for n in range(sizes.prefix)]
    for instruction in range(sizes.instructions):
        tokens += [("word", instruction, n) for n in range(sizes.words)]
        tokens += [("heat", instruction, n) for n in range(sizes.views)]
        tokens += [("imagined", instruction, n // 2) for n in range(2 * sizes.imagined)]
        tokens += [("answer", instruction, n) for n in range(sizes.answer)]
    return tokens


def may_see(row, column, later: bool, used) -> bool:
    """The rule in words: nothing later, no other instruction, no padding, no imagined view but oneself."""
    (_, asker, _), (kind, instruction, number) = row, column
    if later:
        return False
    if kind == "prefix":
        return True
    if asker != instruction or (kind == "word" and number >= used[instruction]):
        return False
    return kind != "imagined" or (row[0] == "imagined" and row[2] == number)


@settings(max_examples=25, deadline=None)
@given(
    views=st.integers(1, 3),
    instructions=st.integers(1, 3),
    words=st.integers(1, 4),
    imagined=st.integers(0, 2),
    answer=st.integers(0, 3),
    data=st.data(),
)
def test_the_mask_is_the_rule_token_by_token(views, instructions, words, imagined, answer, data):
    sizes = PackedLayout(views, 2, instructions, words, imagined, answer)
    used = [data.draw(st.integers(0, words)) for _ in range(instructions)]
    tokens = described(sizes)
    assert len(tokens) == sizes.length
    expected = [[may_see(row, column, c > r, used) for c, column in enumerate(tokens)] for r, row in enumerate(tokens)]
    assert torch.equal(sizes.mask(torch.tensor([used]))[0], torch.tensor(expected))


def test_positions_skip_padding_and_go_on_with_heat_and_answer():
    offsets = layout(imagined=2, answer=3).offsets(USED)
    assert offsets.shape == (3, 2, 5 + 2 + 4 + 3)
    assert offsets[0, 0].tolist() == [0, 1, 2, 3, 4, 3, 4, 5, 6, 5, 6, 5, 6, 7]
    assert offsets[1, 0, 5:7].tolist() == [0, 1]
    assert int(offsets.max()) < layout(imagined=2, answer=3).text_positions


def test_slots_name_the_tokens_they_are_called_after():
    sizes = layout(imagined=2, answer=3)
    tokens = described(sizes)
    device = torch.device("cpu")
    heat = sizes.places(sizes.query_slots(device))
    kinds = [[tokens[place] for place in row] for row in heat.tolist()]
    assert kinds[1] == [("heat", 1, 0), ("heat", 1, 1), ("imagined", 1, 0), ("imagined", 1, 1)]
    before_answer = sizes.places(sizes.answer_slots(device))[0].tolist()
    assert [tokens[place] for place in before_answer] == [("heat", 0, 1), *(("answer", 0, n) for n in range(3))]


def test_a_mask_is_needed_as_soon_as_causal_attention_would_see_too_much():
    full = torch.tensor([[5]])
    assert not layout(instructions=1, answer=3).needs_mask(full)
    assert layout(instructions=1).needs_mask(full - 1)
    assert layout(instructions=1, imagined=1).needs_mask(full)
    assert layout().needs_mask(USED)
