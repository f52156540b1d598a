"""The thin entry points under scripts/ reach the commands under their own names for options."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


def call(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPTS / script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_collect_takes_the_names_of_the_specification(tmp_path):
    out = ["--out", str(tmp_path / "d")]
    names = ["--num_sequences", "30", "--parallel_workers=3", "--scene-types", "flat"]
    done = call("collect_habitat_data.py", *names, "--dry-run", "--no-calibrate", *out)
    assert done.returncode == 0, done.stderr
    assert "30 sequences in 3 places" in done.stdout
    wrong = call("collect_habitat_data.py", "--num_sequences", "30", "--parallel_workers", "0", "--dry-run", *out)
    assert wrong.returncode == 2
    assert "workers" in wrong.stderr


@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        ("validate_data_quality.py", ["--data_dir", "nowhere"]),
        ("evaluate.py", ["--model_path", "nowhere", "--data", "nowhere"]),
        ("export_footprints.py", ["--checkpoint", "nowhere"]),
    ],
)
def test_a_folder_that_is_no_data_set_ends_with_status_3(script, arguments, tmp_path):
    done = call(script, *arguments)
    assert done.returncode == 3
    assert "nowhere" in done.stderr


def test_the_chain_names_a_missing_configuration():
    done = call("run_chain.py", "--config", "none.yaml")
    assert done.returncode == 2
    assert "none.yaml" in done.stderr
