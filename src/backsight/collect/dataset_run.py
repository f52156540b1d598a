"""Collecting a whole data set: plan, workers, quality control, report; running it again goes on where it stopped."""

import fcntl
import importlib.metadata
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from backsight.collect.config import CollectConfig
from backsight.collect.plan import SequencePlan, make_plan, plan_attempt, scene_hashes
from backsight.collect.sequence import TooFewTargetsError, collect_sequence
from backsight.collect.simulators import SimulatorMaker, configured_simulator, name_and_version
from backsight.collect.splits import assign_splits
from backsight.collect.supervise import Job, Poisoned, Progress, SupervisorConfig, SupervisorReport, supervise
from backsight.collect.trajectories.smooth import TrajectoryError
from backsight.quality.check import check_sequence, rejection_reason
from backsight.records.errors import DataError, UsageError
from backsight.sim.simulator import Simulator
from backsight.storage.dataset import DatasetInfo, read_dataset_info, write_dataset_info, write_splits
from backsight.storage.layout import DATASET_FILE, INCOMING_FOLDER, LOCK_FILE, REPORT_FILE, sequence_folder
from backsight.storage.manifest import verify_manifest
from backsight.storage.sealed_json import write_sealed
from backsight.storage.write import write_sequence


class Outcome(msgspec.Struct, frozen=True):
    """What came of one planned sequence."""

    sequence_id: str
    accepted: bool
    rejections: tuple[str, ...]
    """Why each earlier attempt was rejected."""
    num_frames: int = 0
    size_bytes: int = 0
    scene_id: str = ""
    scene_notes: tuple[str, ...] = ()
    """What was guessed when its scene was read from a file."""


class CollectReport(msgspec.Struct, frozen=True):
    """What a run has done; stored as report.json."""

    planned: int
    resumed: int
    """Sequences that were there before."""
    committed: int
    """Sequences that this run added."""
    frames: int
    size_bytes: int
    seconds: float
    retried: int
    """Sequences begun again because their worker was lost."""
    replaced: tuple[str, ...]
    """Damaged sequences of an earlier run that were collected anew."""
    rejections: dict[str, tuple[str, ...]]
    """Sequence to the reasons for which attempts were rejected; the next attempt may have been good."""
    given_up: tuple[str, ...]
    """Sequences of which every attempt was rejected."""
    poisoned: tuple[tuple[str, str], ...]
    """Sequences that cost too many workers, with the last error."""
    scene_notes: dict[str, tuple[str, ...]]
    """Scene file to what was guessed of it or left out."""
    interrupted: bool = False

    @property
    def complete(self) -> bool:
        """Whether every planned sequence is there."""
        return self.resumed + self.committed == self.planned


class CollectWork:
    """What a worker does: collect, judge, commit. Holds its simulator from one sequence to the next.

    Args:
        config: What to collect and where to.
        make_simulator: A function of a module, so that it pickles.
    """

    def __init__(self, config: CollectConfig, make_simulator: SimulatorMaker) -> None:
        self._config = config
        self._make_simulator = make_simulator
        self._simulator: Simulator | None = None

    def __call__(self, plan: SequencePlan) -> Outcome:
        """Collect a sequence, with other seeds after rejections.

        Args:
            plan: Its first attempt.
        """
        folder = sequence_folder(self._config.out, plan.sequence_id)
        if folder.exists():
            # A worker that was lost after its commit and before its answer.
            return Outcome(plan.sequence_id, True, (), plan.num_frames, _folder_bytes(folder))
        if self._simulator is None:
            self._simulator = self._make_simulator(self._config)
        rejections: list[str] = []
        for attempt in range(self._config.max_retries + 1):
            try:
                tried = plan_attempt(self._config, plan, attempt)
                sequence = collect_sequence(tried, self._simulator, self._config)
                quality = check_sequence(sequence)
                if quality.accepted:
                    folder = write_sequence(self._config.out, sequence, quality)
                    return Outcome(
                        sequence_id=plan.sequence_id,
                        accepted=True,
                        rejections=tuple(rejections),
                        num_frames=sequence.num_frames,
                        size_bytes=_folder_bytes(folder),
                        scene_id=plan.scene_id,
                        scene_notes=self._simulator.notes,
                    )
                rejections.append(rejection_reason(quality))
            except (TrajectoryError, TooFewTargetsError, DataError) as error:
                rejections.append(str(error))
        return Outcome(plan.sequence_id, False, tuple(rejections))


def collect_dataset(
    config: CollectConfig,
    *,
    make_simulator: SimulatorMaker = configured_simulator,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> CollectReport:
    """Collect a data set, or what is missing of it, and return what was done.

    Depth, instances and annotations are the same bytes whatever the number of workers and however often it was stopped.

    Args:
        config: What to collect and where to.
        make_simulator: Makes each worker's simulator; a function of a module, so that it pickles.
        on_progress: Called as `supervise` does.

    Raises:
        UsageError: The folder holds something else, or another collection is writing to it.
        DataError: The folder's dataset.json is damaged.
        KeyboardInterrupt: Ctrl-C or SIGTERM; everything committed is whole and the report is written.
    """
    began_s = time.monotonic()
    plans = make_plan(config)
    info = _describe(config, *name_and_version(make_simulator, config), scene_hashes(config, plans))
    _refuse_other_content(config.out, info)
    config.out.mkdir(parents=True, exist_ok=True)
    with _lock(config.out):
        write_dataset_info(config.out, info)
        write_splits(config.out, assign_splits({plan.place_id: plan.scene_type for plan in plans}))
        shutil.rmtree(config.out / INCOMING_FOLDER, ignore_errors=True)
        missing, replaced = _find_missing(config.out, plans)
        settings = SupervisorConfig(
            workers=config.workers,
            job_timeout_s=config.sequence_timeout_s,
            max_memory_bytes=int(config.max_worker_memory_gb * 1024**3),
        )
        jobs = [Job(plan.sequence_id, plan.scene_id, plan) for plan in missing]
        done = supervise(jobs, CollectWork(config, make_simulator), settings, on_progress)
        shutil.rmtree(config.out / INCOMING_FOLDER, ignore_errors=True)
        report = _summarise(len(plans), len(missing), replaced, done, time.monotonic() - began_s)
        write_sealed(config.out / REPORT_FILE, msgspec.to_builtins(report))
    if report.interrupted:
        raise KeyboardInterrupt(f"{report.resumed + report.committed} of {report.planned} sequences are there")
    return report


def _describe(
    config: CollectConfig, simulator: str, simulator_version: str, scene_files: dict[str, str]
) -> DatasetInfo:
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
        plan=config.content() | scene_files,
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


@contextmanager
def _lock(root: Path) -> Iterator[None]:
    """Keep a second collection out of the folder; the system frees the lock whatever becomes of this process."""
    with (root / LOCK_FILE).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(f"{root}: another collection is writing here; wait for it or stop it") from error
        yield


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


def _summarise(
    planned: int, missing: int, replaced: tuple[str, ...], done: SupervisorReport, seconds: float
) -> CollectReport:
    outcomes: list[Outcome] = sorted(done.results.values(), key=lambda outcome: outcome.sequence_id)
    accepted = [outcome for outcome in outcomes if outcome.accepted]
    poisoned: list[Poisoned] = sorted(done.poisoned, key=lambda lost: lost.job_id)
    return CollectReport(
        planned=planned,
        resumed=planned - missing,
        committed=len(accepted),
        frames=sum(outcome.num_frames for outcome in accepted),
        size_bytes=sum(outcome.size_bytes for outcome in accepted),
        seconds=round(seconds, 3),
        retried=done.retried,
        replaced=replaced,
        rejections={outcome.sequence_id: outcome.rejections for outcome in outcomes if outcome.rejections},
        given_up=tuple(outcome.sequence_id for outcome in outcomes if not outcome.accepted),
        poisoned=tuple((lost.job_id, lost.last_error) for lost in poisoned),
        scene_notes={outcome.scene_id: outcome.scene_notes for outcome in outcomes if outcome.scene_notes},
        interrupted=done.interrupted,
    )


def _folder_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())
