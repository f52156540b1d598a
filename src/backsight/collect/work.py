"""What a worker does with one planned sequence: collect, judge, commit."""

from pathlib import Path

from backsight.collect.config import CollectConfig
from backsight.collect.failures import Failure, record_failure
from backsight.collect.instructions.make import FalseInstructionError
from backsight.collect.outcome import Outcome
from backsight.collect.plan import SequencePlan, plan_attempt
from backsight.collect.sequence import TooFewTargetsError, collect_sequence
from backsight.collect.simulators import SimulatorMaker
from backsight.collect.trajectories.smooth import TrajectoryError
from backsight.quality.check import check_sequence, rejection_reason
from backsight.records.errors import DataError
from backsight.records.sequence import Sequence
from backsight.sim.embedded.scans.folder import SCENE_FILE_FIELD
from backsight.sim.simulator import Simulator
from backsight.storage.layout import sequence_folder
from backsight.storage.write import AlreadyThereError, write_sequence


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
        """Collect a sequence, with other seeds after rejections; write down when none of them was good.

        Args:
            plan: Its first attempt.
        """
        folder = sequence_folder(self._config.out, plan.sequence_id)
        if folder.exists():
            # A worker that was lost after its commit and before its answer.
            return _found_there(plan, folder)
        if self._simulator is None:
            self._simulator = self._make_simulator(self._config)
        rejections: list[str] = []
        for attempt in range(self._config.max_retries + 1):
            try:
                found = self._attempt(plan, attempt, self._simulator, rejections)
            except AlreadyThereError:
                # An orphan of a killed run was a moment faster; its bytes are the same.
                return _found_there(plan, folder)
            except (TrajectoryError, TooFewTargetsError, FalseInstructionError, DataError) as error:
                rejections.append(str(error))
                if isinstance(error, DataError) and error.field == SCENE_FILE_FIELD:
                    # No other seed brings it back, but perhaps someone does: the next run tries again.
                    return Outcome(plan.sequence_id, False, tuple(rejections))
            else:
                if found is not None:
                    return found
        record_failure(self._config.out, Failure(plan.sequence_id, "given up", rejections[-1]))
        return Outcome(plan.sequence_id, False, tuple(rejections))

    def objection(self, sequence: Sequence) -> str:
        """Return why a good sequence is not wanted all the same; empty when it is.

        Args:
            sequence: Accepted by quality control.
        """
        del sequence
        return ""

    def _attempt(self, plan: SequencePlan, attempt: int, simulator: Simulator, rejections: list[str]) -> Outcome | None:
        tried = plan_attempt(self._config, plan, attempt)
        sequence = collect_sequence(tried, simulator, self._config)
        quality = check_sequence(sequence)
        if not quality.accepted:
            rejections.append(rejection_reason(quality))
            return None
        objection = self.objection(sequence)
        if objection:
            rejections.append(objection)
            return None
        folder = write_sequence(self._config.out, sequence, quality)
        return Outcome(
            sequence_id=plan.sequence_id,
            accepted=True,
            rejections=tuple(rejections),
            num_frames=sequence.num_frames,
            size_bytes=_folder_bytes(folder),
            scene_id=plan.scene_id,
            scene_notes=simulator.notes,
        )


def _found_there(plan: SequencePlan, folder: Path) -> Outcome:
    return Outcome(plan.sequence_id, True, (), plan.num_frames, _folder_bytes(folder))


def _folder_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())
