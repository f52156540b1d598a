"""Collecting a whole data set: plan, workers, quality control, report; running it again goes on where it stopped."""

import contextlib
import importlib.metadata
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from backsight.collect.config import CollectConfig
from backsight.collect.failures import Failure, forget_failures, read_failures, record_failure
from backsight.collect.locks import clear_incoming, lock_dataset
from backsight.collect.outcome import CollectReport, summarise
from backsight.collect.plan import SequencePlan, least_size_bytes, make_plan, plan_hash, scene_hashes
from backsight.collect.shards import shard_plans
from backsight.collect.simulators import SimulatorMaker, configured_simulator, name_and_version
from backsight.collect.split_file import write_planned_splits
from backsight.collect.splits import plan_splits
from backsight.collect.supervise import Job, Poisoned, Progress, SupervisorConfig, SupervisorReport, supervise
from backsight.collect.work import CollectWork
from backsight.records.errors import EnvironmentProblem, UsageError
from backsight.storage.dataset import DatasetInfo, read_dataset_info, write_dataset_info
from backsight.storage.layout import DATASET_FILE, REPORT_FILE, sequence_folder
from backsight.storage.manifest import verify_manifest
from backsight.storage.sealed_json import write_sealed


def collect_dataset(
    config: CollectConfig,
    *,
    make_simulator: SimulatorMaker = configured_simulator,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    retry_failed: bool = False,
) -> CollectReport:
    """Collect a data set or a part of it, or what is missing, and return what was done.

    Depth, instances and annotations are the same bytes whatever the number of workers and parts and however often it
    was stopped.

    Args:
        config: What to collect and where to.
        make_simulator: Makes each worker's simulator; a function of a module, so that it pickles.
        on_progress: Called as `supervise` does.
        retry_failed: Try sequences again that an earlier run has given up.

    Raises:
        UsageError: The folder holds something else, or another collection is writing to it.
        DataError: The folder's dataset.json is damaged.
        EnvironmentProblem: There is no room, or workers can't be started; everything committed is whole.
        KeyboardInterrupt: Ctrl-C or SIGTERM; everything committed is whole and the report is written.
    """
    began_s = time.monotonic()
    plans = make_plan(config)
    mine = shard_plans(plans, config.shard)
    part = None if config.shard is None else config.shard.replace("/", "-of-")
    info = refuse_other_content(config, make_simulator)
    config.out.mkdir(parents=True, exist_ok=True)
    with lock_dataset(config.out, part):
        if not (config.out / DATASET_FILE).exists():
            # Parts that begin at the same time write the same bytes.
            write_dataset_info(config.out, info)
        write_planned_splits(config.out, plan_splits(plans, config))
        names = {plan.sequence_id for plan in mine}
        clear_incoming(config.out, part, names)
        missing, replaced = _find_missing(config.out, mine)
        if retry_failed:
            forget_failures(config.out, names)
        failed = read_failures(config.out)
        open_plans = [plan for plan in missing if plan.sequence_id not in failed]
        require_room(config, open_plans)
        done = _collect(config, open_plans, make_simulator, on_progress)
        clear_incoming(config.out, part, names)
        skipped = {
            plan.sequence_id: f"{failed[plan.sequence_id].outcome}: {failed[plan.sequence_id].reason}"
            for plan in missing
            if plan.sequence_id in failed
        }
        report = summarise(len(mine), len(missing), replaced, skipped, done, time.monotonic() - began_s)
        _write_report(config, report, done)
    if report.interrupted:
        raise KeyboardInterrupt(f"{report.resumed + report.committed} of {report.planned} sequences are there")
    return report


def report_path(root: Path, shard: str | None) -> Path:
    """Return where a run writes what it has done.

    Args:
        root: Folder of the data set.
        shard: Part of the plan as 'i/n'; None is the whole plan.
    """
    return root / (REPORT_FILE if shard is None else f"report-{shard.replace('/', '-of-')}.json")


def supervisor_config(config: CollectConfig) -> SupervisorConfig:
    """Return how the workers of a collection are supervised.

    Args:
        config: Of the collection.
    """
    return SupervisorConfig(
        workers=config.workers,
        job_timeout_s=config.sequence_timeout_s,
        max_memory_bytes=int(config.max_worker_memory_gb * 1024**3),
    )


def _collect(
    config: CollectConfig,
    plans: list[SequencePlan],
    make_simulator: SimulatorMaker,
    on_progress: Callable[[Progress], None],
) -> SupervisorReport:
    def remember(lost: Poisoned) -> None:
        record_failure(config.out, Failure(lost.job_id, "poisoned", lost.last_error))

    jobs = [Job(plan.sequence_id, plan.scene_id, plan) for plan in plans]
    work = CollectWork(config, make_simulator)
    return supervise(jobs, work, supervisor_config(config), on_progress, remember)


def _write_report(config: CollectConfig, report: CollectReport, done: SupervisorReport) -> None:
    path = report_path(config.out, config.shard)
    if done.fatal is None:
        write_sealed(path, msgspec.to_builtins(report))
        return
    # On a full disk there is no room for the report either; what matters then is what filled it.
    with contextlib.suppress(EnvironmentProblem):
        write_sealed(path, msgspec.to_builtins(report))
    raise done.fatal


def require_room(config: CollectConfig, plans: list[SequencePlan]) -> None:
    """Raise when the disk clearly has less room than sequences will need.

    Args:
        config: Where they go, and their size.
        plans: The sequences.

    Raises:
        EnvironmentProblem: It has less.
    """
    wanted_bytes = least_size_bytes(plans, config)
    free_bytes = shutil.disk_usage(config.out).free
    if plans and free_bytes < wanted_bytes:
        raise EnvironmentProblem(
            f"{config.out}: {len(plans)} sequences will take {wanted_bytes / 1e9:.2f} GB or more, "
            f"{free_bytes / 1e9:.2f} GB are free; make room, choose another folder with --out, or ask for fewer"
        )


def _hashes(config: CollectConfig, plans: list[SequencePlan]) -> dict[str, str]:
    """Return what else the content depends on: the plan that this program makes, and scene files."""
    return {"sequences": plan_hash(plans)} | scene_hashes(config, plans)


def refuse_other_content(
    config: CollectConfig, make_simulator: SimulatorMaker, *, must_exist: bool = False
) -> DatasetInfo:
    """Raise when the folder holds anything but this data set; return what its dataset.json says or will say.

    Args:
        config: What is to be collected there; nothing has been written yet.
        make_simulator: Its name and version are compared too.
        must_exist: Whether there must be a data set already.

    Raises:
        UsageError: The folder holds something else, or nothing although something must be there.
        DataError: dataset.json is damaged.
    """
    if must_exist and not (config.out / DATASET_FILE).exists():
        raise UsageError(f"{config.out}: is no data set: there is no {DATASET_FILE}; collect it first")
    hashes = _hashes(config, make_plan(config))
    info = _describe(config, *name_and_version(make_simulator, config), hashes)
    _refuse_other_content(config.out, info)
    return info


def _describe(config: CollectConfig, simulator: str, simulator_version: str, hashes: dict[str, str]) -> DatasetInfo:
    return DatasetInfo(
        source="collected",
        seed=config.seed,
        num_sequences=config.num_sequences,
        width=config.width,
        height=config.height,
        hfov_deg=config.hfov_deg,
        frame_rate_hz=config.frame_rate_hz,
        simulator=simulator,
        simulator_version=simulator_version,
        backsight_version=importlib.metadata.version("backsight"),
        plan=config.content() | hashes,
    )


def _refuse_other_content(root: Path, info: DatasetInfo) -> None:
    """Raise when the folder holds anything but this data set; nothing has been written then."""
    if root.exists() and not root.is_dir():
        raise UsageError(f"{root}: is a file; choose another folder with --out")
    if (root / DATASET_FILE).exists():
        differences = _differences(_flat(read_dataset_info(root)), _flat(info))
        if differences:
            raise UsageError(
                f"{root}: holds another data set ({'; '.join(differences)}); choose another folder with --out"
            )
    elif root.is_dir():
        others = sorted(path.name for path in root.iterdir() if not path.name.startswith("."))
        if others:
            raise UsageError(f"{root}: is no data set and not empty ({others[0]}); choose another folder with --out")


def _flat(info: DatasetInfo) -> dict[str, Any]:
    fields = msgspec.to_builtins(info)
    # A newer program with the same plan and simulator goes on with the data set.
    del fields["backsight_version"]
    return fields.pop("plan") | fields


def _differences(there: dict[str, Any], asked: dict[str, Any]) -> list[str]:
    names = sorted(there.keys() | asked.keys())
    return [
        f"{name} is {there.get(name)}, asked for {asked.get(name)}"
        for name in names
        if there.get(name) != asked.get(name)
    ]


def _find_missing(root: Path, plans: list[SequencePlan]) -> tuple[list[SequencePlan], tuple[str, ...]]:
    """Return the plans without a whole folder, and the ids whose damaged folders were removed."""
    missing, replaced = [], []
    for plan in plans:
        folder = sequence_folder(root, plan.sequence_id)
        if folder.exists() and verify_manifest(folder):
            shutil.rmtree(folder)
            replaced.append(plan.sequence_id)
        if not folder.exists():
            missing.append(plan)
    return missing, tuple(replaced)
