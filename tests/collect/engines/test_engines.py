"""The same data set from parts as jobs: submitit on this machine, and Ray's interface in a small stand-in."""

import importlib
import sys
import types
from pathlib import Path

import pytest

from backsight.collect.config import CollectConfig
from backsight.collect.dataset_run import collect_dataset
from backsight.collect.engines.config import EngineConfig
from backsight.collect.engines.ray import collect_with_ray
from backsight.collect.engines.slurm import collect_with_slurm, jobs_folder, last_error
from backsight.records.errors import EnvironmentProblem
from backsight.storage.layout import list_sequence_ids, sequence_folder

CONTENT = ("depth.zip", "instances.zip", "annotations.msgpack", "rgb.mp4")


def config_for(out: Path, **changes) -> CollectConfig:
    small = {"size": "64x48", "min_frames": 9, "mean_frames": 9, "max_frames": 9, "sequences_per_place": 1}
    small |= {"num_sequences": 3, "kinds": ("forward",), "scene_types": ("study",)}
    return CollectConfig(**(small | {"out": out} | changes))


def content_of(root: Path) -> dict[str, bytes]:
    names = list_sequence_ids(root)
    return {f"{name}/{file}": (sequence_folder(root, name) / file).read_bytes() for name in names for file in CONTENT}


@pytest.fixture(scope="module")
def undivided(tmp_path_factory):
    root = tmp_path_factory.mktemp("undivided") / "set"
    report = collect_dataset(config_for(root))
    assert report.committed == 3
    return content_of(root), report


def check(config: CollectConfig, report, undivided) -> None:
    content, whole = undivided
    assert content_of(config.out) == content
    assert (report.planned, report.committed, report.frames) == (3, whole.committed, whole.frames)
    assert sorted(path.name for path in config.out.glob("report*")) == [
        "report-1-of-2.json",
        "report-2-of-2.json",
        "report.json",
    ]


def test_parts_as_jobs_of_submitit(tmp_path, undivided, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", ":".join(path for path in sys.path if path))
    config = config_for(tmp_path / "set")
    shown = []
    engine = EngineConfig(engine="slurm", parts=2, slurm_cluster="local")
    report = collect_with_slurm(config, engine, on_progress=shown.append)
    check(config, report, undivided)
    assert (shown[-1].total, shown[-1].done) == (3, report.committed)


def test_a_failed_job_is_named_with_its_log(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", ":".join(path for path in sys.path if path))
    config = config_for(tmp_path / "set")
    config.out.mkdir()
    (config.out / "thesis.txt").write_text("x")
    engine = EngineConfig(engine="slurm", parts=2, slurm_cluster="local")
    with pytest.raises(EnvironmentProblem, match=r"(?s)part 1/2: job .*not empty.*log: .*part 2/2"):
        collect_with_slurm(config, engine)
    assert jobs_folder(config.out).is_dir()


def test_the_line_that_says_what_happened():
    rule = "-" * 22
    trace = f"Job failed with trace:\n{rule}\nTraceback:\n  x\nKeyError: 'walk'\n\n{rule}\nsee the log\n - a.err"
    assert last_error(trace) == "KeyError: 'walk'"
    assert last_error("Job not requeued because: timed-out\nmore") == "Job not requeued because: timed-out"
    assert last_error("") == "no message"


class FakeRay(types.ModuleType):
    """What is used of Ray; tasks run at once and in here."""

    def __init__(self) -> None:
        super().__init__("ray")
        self.exceptions = types.SimpleNamespace(RayError=type("RayError", (Exception,), {}))
        self.started, self.options, self.cancelled = None, None, []

    def init(self, **options):
        self.started = options

    def nodes(self):
        assert self.started is not None
        small, gone = {"CPU": 2.0, "memory": 3.5 * 1024**3}, {"CPU": 64.0, "memory": 512.0 * 1024**3}
        return [{"Alive": True, "Resources": small}, {"Alive": False, "Resources": gone}]

    def shutdown(self):
        self.started = None

    def remote(self, function):
        def run(*arguments):
            assert self.started is not None
            try:
                return ("value", function(*arguments))
            except EnvironmentProblem as error:
                return ("error", error)

        def options(**chosen):
            self.options = chosen
            return types.SimpleNamespace(remote=run)

        return types.SimpleNamespace(options=options)

    def wait(self, references, timeout):
        return references, []

    def get(self, reference):
        if reference[0] == "error":
            raise self.exceptions.RayError(f"traceback\n{reference[1]}")
        return reference[1]

    def cancel(self, reference):
        self.cancelled.append(reference)


@pytest.fixture
def fake_ray(monkeypatch):
    ray = FakeRay()
    monkeypatch.setitem(sys.modules, "ray", ray)
    return ray


def test_parts_as_tasks_of_ray(tmp_path, undivided, fake_ray):
    config = config_for(tmp_path / "set")
    report = collect_with_ray(config, EngineConfig(engine="ray", parts=2, job_memory_gb=1.0))
    check(config, report, undivided)
    assert fake_ray.options == {"num_cpus": 1, "memory": 1024**3, "max_retries": 0}
    assert fake_ray.started is None


def test_a_failed_task_is_named(tmp_path, fake_ray, monkeypatch):
    def full(config_json, retry_failed):
        raise EnvironmentProblem("No space left on device")

    monkeypatch.setattr("backsight.collect.engines.ray.collect_part", full)
    with pytest.raises(EnvironmentProblem, match="part 1/1: No space left on device"):
        collect_with_ray(config_for(tmp_path / "set"), EngineConfig(engine="ray", job_memory_gb=1.0))


@pytest.mark.parametrize(("workers", "memory_gb", "fits"), [(2, 3.0, True), (3, 3.0, False), (2, 4.0, False)], ids=str)
def test_parts_that_fit_no_machine_of_ray_do_not_wait_for_ever(tmp_path, fake_ray, workers, memory_gb, fits):
    config = config_for(tmp_path / "set").model_copy(update={"workers": workers})
    engine = EngineConfig(engine="ray", job_memory_gb=memory_gb)
    if fits:
        assert collect_with_ray(config, engine).complete
        return
    with pytest.raises(EnvironmentProblem, match=r"2 cores with 3\.5 GiB; lower --workers or --job-memory-gb"):
        collect_with_ray(config, engine)
    # A cluster may grow: there it is said, and waited.
    with pytest.warns(RuntimeWarning, match="wait until the cluster has a larger one"):
        collect_with_ray(config, engine.model_copy(update={"ray_address": "auto"}))


def test_without_the_packages_the_message_says_what_to_install(tmp_path, monkeypatch):
    real = importlib.import_module

    def absent(name, *arguments):
        if name in ("ray", "submitit"):
            raise ModuleNotFoundError(name)
        return real(name, *arguments)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(EnvironmentProblem, match=r"pip install 'backsight\[slurm\]'"):
        collect_with_slurm(config_for(tmp_path / "set"), EngineConfig(engine="slurm"))
    with pytest.raises(EnvironmentProblem, match=r"pip install 'backsight\[ray\]'"):
        collect_with_ray(config_for(tmp_path / "set"), EngineConfig(engine="ray"))
