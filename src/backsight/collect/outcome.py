"""What came of a collection: of one sequence, of a run, of the parts of a run together."""

from collections.abc import Sequence

import msgspec

from backsight.collect.supervise import Poisoned, SupervisorReport


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
    """What a run has done; stored as report.json, or report-i-of-n.json for a part of a plan."""

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
    skipped: dict[str, str] = {}
    """Sequences that an earlier run gave up and this one left alone, with the reason of then."""
    stopped: str = ""
    """What ended the run before its time, such as a full disk."""

    @property
    def complete(self) -> bool:
        """Whether every planned sequence is there."""
        return self.resumed + self.committed == self.planned


def summarise(
    planned: int,
    missing: int,
    replaced: tuple[str, ...],
    skipped: dict[str, str],
    done: SupervisorReport,
    seconds: float,
) -> CollectReport:
    """Return the report of a run.

    Args:
        planned: Sequences of the plan, or of the part of it that the run was about.
        missing: Those of them that were not there at its start.
        replaced: Ids of damaged sequences that were removed.
        skipped: Ids that an earlier run gave up, with the reason.
        done: What the workers did.
        seconds: How long it took [s].
    """
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
        skipped=skipped,
        stopped=str(done.fatal or ""),
    )


def join_reports(reports: Sequence[CollectReport]) -> CollectReport:
    """Return one report of all parts of a plan; the seconds are those of the slowest.

    Args:
        reports: One of each part.
    """
    return CollectReport(
        planned=sum(report.planned for report in reports),
        resumed=sum(report.resumed for report in reports),
        committed=sum(report.committed for report in reports),
        frames=sum(report.frames for report in reports),
        size_bytes=sum(report.size_bytes for report in reports),
        seconds=max(report.seconds for report in reports),
        retried=sum(report.retried for report in reports),
        replaced=tuple(name for report in reports for name in report.replaced),
        rejections={name: why for report in reports for name, why in report.rejections.items()},
        given_up=tuple(name for report in reports for name in report.given_up),
        poisoned=tuple(lost for report in reports for lost in report.poisoned),
        scene_notes={name: notes for report in reports for name, notes in report.scene_notes.items()},
        interrupted=any(report.interrupted for report in reports),
        skipped={name: why for report in reports for name, why in report.skipped.items()},
        stopped="; ".join(report.stopped for report in reports if report.stopped),
    )
