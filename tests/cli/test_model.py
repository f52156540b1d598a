import io
import json

import pytest
from rich.console import Console

from backsight.cli.main import main
from backsight.cli.model import cost_rows, cost_table
from backsight.model.costs import default_sample, model_costs
from backsight.model.presets import tiny


@pytest.fixture(scope="module")
def costs():
    return model_costs(tiny(), default_sample(tiny()))


def test_json_holds_the_figures(capsys, costs):
    assert main(["model", "--preset", "tiny", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["input"] == {"keyframes": 5, "history": 6, "instructions": 1, "words": 12, "currents": 1, "frames": 7}
    assert [component["name"] for component in told["components"]] == [c.whole.name for c in costs.components]
    assert told["total"]["forward_flops"] == costs.total.forward_flops
    for field in ("parameters", "weights_fp32_bytes", "optimiser_bytes", "activation_bytes", "forward_flops"):
        assert told["total"][field] == sum(component[field] for component in told["components"])
        for component in told["components"]:
            assert component[field] == sum(part[field] for part in component["parts"])


def test_options_reach_the_measurement(capsys):
    assert main(["model", "--keyframes", "2", "--history", "3", "--instructions", "5"]) == 0
    told = capsys.readouterr().out
    assert "tiny: 4 images of 128 x 96, 2 keyframes, 3 history frames, 5 instructions" in told
    assert "heatmap full" in told


def test_a_sample_that_cannot_be_is_a_usage_error(capsys):
    assert main(["model", "--keyframes", "9"]) == 2
    assert "9 keyframes, 1 current views, 6 history frames" in capsys.readouterr().err


def test_columns_sum_in_their_unit(costs):
    heads, units, *rows = cost_rows(costs)
    assert heads[0] == units[0] == ""
    assert units[1:] == ("M", "M", "MB", "MB", "MB", "MB", "MB", "GFLOP")
    wholes = [row for row in rows if not row[0].startswith(" ")]
    assert [row[0] for row in wholes] == ["geometry", "appearance", "language", "fusion", "heatmap", "total"]
    for column in range(1, len(heads)):
        *parts, total = (float(row[column]) for row in wholes)
        assert total == pytest.approx(sum(parts), abs=0.003)


def test_no_figure_is_cut_at_100_columns(costs):
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(cost_table(costs))
    text = console.export_text()
    assert "…" not in text
    assert all(figure in text for row in cost_rows(costs) for figure in row[1:])
