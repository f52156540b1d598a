"""Parts of a plan as tasks of Ray."""

import importlib
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
        EnvironmentProblem: Ray is not there, or a task failed.
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
        task = ray.remote(collect_part).options(
            num_cpus=config.workers,
            memory=int(engine.job_memory_gb * 1024**3),
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
