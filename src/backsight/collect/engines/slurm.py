"""Parts of a plan as jobs of Slurm, through submitit."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backsight.collect.config import CollectConfig
from backsight.collect.engines.config import EngineConfig
from backsight.collect.engines.parts import PartJob, collect_part, part_config, wait_for_parts
from backsight.collect.outcome import CollectReport
from backsight.collect.supervise import Progress
from backsight.records.errors import EnvironmentProblem

POLL_S = {"slurm": 15.0, "local": 0.5}
"""How often is looked: Slurm's administrators dislike more."""


def collect_with_slurm(
    config: CollectConfig,
    engine: EngineConfig,
    *,
    retry_failed: bool = False,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> CollectReport:
    """Submit a job for each part, wait for them, and return one report.

    Args:
        config: What to collect, into a folder that all machines see.
        engine: How many jobs, and what they may use.
        retry_failed: As for `collect_dataset`.
        on_progress: Called while waiting.

    Raises:
        EnvironmentProblem: submitit or Slurm is not there, or a job failed.
        KeyboardInterrupt: Ctrl-C; the jobs have been cancelled.
    """
    executor = _executor(config, engine)
    configs = [part_config(config, number, engine.parts) for number in range(1, engine.parts + 1)]
    jobs = executor.map_array(collect_part, configs, [retry_failed] * engine.parts)
    parts: list[PartJob] = [_SlurmPart(job) for job in jobs]
    return wait_for_parts(config, parts, poll_s=POLL_S[engine.slurm_cluster], on_progress=on_progress)


def jobs_folder(out: Path) -> Path:
    """Return where logs and files of the jobs go: beside the data set, which holds nothing else.

    Args:
        out: Folder of the data set.
    """
    return out.absolute().with_name(f"{out.name}-jobs")


def _executor(config: CollectConfig, engine: EngineConfig) -> Any:
    try:
        submitit = importlib.import_module("submitit")
    except ModuleNotFoundError as error:
        raise EnvironmentProblem("--engine slurm needs submitit: pip install 'backsight[slurm]'") from error
    try:
        executor = submitit.AutoExecutor(folder=jobs_folder(config.out) / "%j", cluster=engine.slurm_cluster)
    except RuntimeError as error:
        raise EnvironmentProblem(f"--engine slurm: {error}; is this a machine that can submit jobs?") from error
    own = {"slurm_partition": engine.slurm_partition, "slurm_account": engine.slurm_account}
    executor.update_parameters(
        name="backsight-collect",
        timeout_min=engine.job_minutes,
        cpus_per_task=config.workers,
        mem_gb=engine.job_memory_gb,
        slurm_array_parallelism=engine.parts,
        **{name: value for name, value in own.items() if value is not None},
    )
    return executor


def last_error(message: str) -> str:
    """Return the line of a failed job's message that says what happened.

    Args:
        message: submitit's: a traceback between two dashed lines, then where the logs are; or a plain sentence.
    """
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    rules = [number for number, line in enumerate(lines) if line.startswith("-----")]
    if len(rules) >= 2:
        return lines[rules[-1] - 1]
    return lines[0] if lines else "no message"


class _SlurmPart:
    def __init__(self, job: Any) -> None:
        self._job = job

    def done(self) -> bool:
        return bool(self._job.done())

    def error(self) -> str | None:
        failure = self._job.exception()
        if failure is None:
            return None
        return f"job {self._job.job_id} {self._job.state}: {last_error(str(failure))}; log: {self._job.paths.stderr}"

    def cancel(self) -> None:
        self._job.cancel(check=False)
