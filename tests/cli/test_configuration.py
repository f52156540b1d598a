import pytest
from pydantic import BaseModel, ConfigDict, Field

from backsight.cli.configuration import load_yaml, parse
from backsight.records.errors import UsageError


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    learning_rate: float = Field(default=0.1, gt=0)


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    steps: int = Field(default=3, ge=1)
    inner: Inner = Inner()


def test_values_are_read_and_the_rest_keeps_its_default(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("inner:\n  learning_rate: 0.5\n")
    assert load_yaml(path, Outer) == Outer(inner=Inner(learning_rate=0.5))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("step: 3\n", "step: unknown option; did you mean 'steps'?"),
        ("inner:\n  learning_rat: 1\n", "inner.learning_rat: unknown option; did you mean 'learning_rate'?"),
        ("steps: 0\n", "steps: Input should be greater than or equal to 1, got 0"),
        ("steps: many\n", "steps: Input should be a valid integer"),
        ("- 1\n", "must hold a mapping"),
        ("a: [\n", "is not YAML"),
    ],
)
def test_a_mistake_is_one_message_with_file_and_key(tmp_path, text, message):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        load_yaml(path, Outer)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"none\.yaml"):
        load_yaml(tmp_path / "none.yaml", Outer)


def test_several_mistakes_are_all_told():
    with pytest.raises(UsageError) as caught:
        parse({"steps": 0, "inner": {"learning_rate": -1}}, Outer, "here")
    assert len(str(caught.value).splitlines()) == 2
