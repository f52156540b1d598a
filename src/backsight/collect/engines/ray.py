"""Parts of a plan as tasks of Ray."""

import importlib
import warnings
from collections.abc import Callable
from typing import Any

from backsight.collect.config import CollectConfig
from backsight.collect.engines.config import EngineConfig
from backsight.collect.engines.parts import PartJob, collect_part, part_config, wait_for_parts
from backsight.collect.outcome import CollectReport
from backsight.collect.supervise import Progress
from backsight.records.errors import EnvironmentProblem

POLL_S = 2.0


def collect_with_ray(
    config: CollectConfig,
    engine: EngineConfig,
    *,
    retry_failed: bool = False,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> CollectReport:
    """Run a task for each part, wait for them, and return one report.

    Args:
        config: What to collect, into a folder that all machines see.
        engine: How many tasks, what they may use, and which cluster.
        retry_failed: As for `collect_dataset`.
        on_progress: Called while waiting.

    Raises:
        EnvironmentProblem: Ray is not there, this machine is too small for a part, or a task failed.
        KeyboardInterrupt: Ctrl-C; the tasks have been cancelled.
    """
    try:
        ray = importlib.import_module("ray")
    except ModuleNotFoundError as error:
        raise EnvironmentProblem("--engine ray needs ray: pip install 'backsight[ray]'") from error
    absolute = config.model_copy(update={"out": config.out.absolute()})
    try:
        ray.init(address=engine.ray_address, ignore_reinit_error=True, log_to_driver=False)
    except ConnectionError as error:
        raise EnvironmentProblem(f"--engine ray: {error}; check --ray-address") from error
    try:
        _look_for_room(ray, config, engine)
        task = ray.remote(collect_part).options(
            num_cpus=config.workers,
            memory=_memory_bytes(engine),
            # What a lost machine leaves undone is collected by the same command again.
            max_retries=0,
        )
        parts: list[PartJob] = [
            _RayPart(ray, task.remote(part_config(absolute, number, engine.parts), retry_failed))
            for number in range(1, engine.parts + 1)
        ]
        return wait_for_parts(absolute, parts, poll_s=POLL_S, on_progress=on_progress)
    finally:
        ray.shutdown()


def _memory_bytes(engine: EngineConfig) -> int:
    return int(engine.job_memory_gb * 1024**3)


def _look_for_room(ray: Any, config: CollectConfig, engine: EngineConfig) -> None:
    """Say so where no machine is large enough for a part: Ray would let it wait for ever without a word."""
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    wanted = {"CPU": config.workers, "memory": _memory_bytes(engine)}
    if any(all(machine.get(name, 0.0) >= amount for name, amount in wanted.items()) for machine in machines):
        return
    have = ", ".join(f"{m.get('CPU', 0.0):g} cores with {m.get('memory', 0.0) / 1024**3:.1f} GiB" for m in machines)
    problem = (
        f"--engine ray: a part wants {config.workers} cores with {engine.job_memory_gb:g} GiB on one machine, there "
        f"are {have or 'none'}; lower --workers or --job-memory-gb"
    )
    if engine.ray_address is None:
        raise EnvironmentProblem(problem)
    # A cluster may grow.
    warnings.warn(f"{problem}, or wait until the cluster has a larger one", RuntimeWarning, stacklevel=3)


class _RayPart:
    def __init__(self, ray: Any, reference: Any) -> None:
        self._ray = ray
        self._reference = reference

    def done(self) -> bool:
        ready, _ = self._ray.wait([self._reference], timeout=0)
        return bool(ready)

    def error(self) -> str | None:
        try:
            self._ray.get(self._reference)
        except self._ray.exceptions.RayError as error:
            return str(error).strip().splitlines()[-1]
        return None

    def cancel(self) -> None:
        self._ray.cancel(self._reference)
