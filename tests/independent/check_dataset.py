"""Derive anew what a data set's sequences state, from their depth, ids, boxes and poses, and compare.

    python tests/independent/check_dataset.py DATA [DATA ...] [--only PART] [--shown N]

Nothing of the package is used but its table of names. Prints what was checked and what is not so; exit status 1 when
anything is not.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from change_questions import CHANGES, check_change, check_change_step, check_events
from promises import check_promises
from stored_facts import (
    check_coverage,
    check_overlap,
    check_relations,
    check_surfaces,
    check_tracks,
    check_visible,
)
from stored_walk import Walk
from tally import Tally
from thing_questions import NAMING, check_naming, check_plain_step
from view_questions import check_from_here, check_view_step, check_what_if
from walk_questions import check_own_walk, check_own_walk_step
from ways import check_route, check_told_walk

SAID = {
    "relation",
    "only_one_related",
    "order",
    "direction_from_here",
    "side_in_imagined_view",
    "middle_of_imagined_view",
    "stood_in_room",
    "moved_towards",
    "turned",
    "turns",
    "enters_room",
    "takes_stairs",
    "passes",
}
"""Claims whose word stands in the step's sentence."""


def check_walk(walk: Walk, tally: Tally) -> None:
    """Check everything that is stored of a walk."""
    tally.sequence_id = walk.folder.name
    for check in (
        check_visible,
        check_relations,
        check_surfaces,
        check_overlap,
        check_tracks,
        check_coverage,
        check_events,
        check_promises,
    ):
        followed(tally, check.__name__, check, walk, tally)
    for asked in walk.notes["instructions"]:
        followed(tally, asked["instruction_id"], check_instruction, walk, asked, tally)
    for route in walk.notes["routes"]:
        followed(tally, route["text"], check_told_walk, walk, route, tally)


def followed(tally: Tally, name: str, check: Callable[..., None], *arguments: object) -> None:
    """Run a check; where what is stored names what is not there, so that no rule can be applied, that is noted."""
    try:
        check(*arguments)
    except (LookupError, ValueError, TypeError) as error:
        tally.hold("what is stored can be followed", False, f"{name}: {type(error).__name__}: {error}")


def check_instruction(walk: Walk, asked: dict, tally: Tally) -> None:
    """Check one instruction: what it names, its answer, its steps."""
    kind = asked["reasoning_type"]
    if kind in NAMING:
        check_naming(walk, asked, tally)
    elif kind == "what_if":
        check_what_if(walk, asked, tally)
    elif kind == "where_from_here":
        check_from_here(walk, asked, tally)
    elif kind == "own_trajectory":
        check_own_walk(walk, asked, tally)
    elif kind == "route":
        check_route(walk, asked, tally)
    elif tally.hold("reasoning types", kind in CHANGES, f"{asked['instruction_id']}: {kind}"):
        check_change(walk, asked, tally)
    for step in asked["steps"]:
        if step["claim"] in SAID and step["word"] is not None:
            said = step["text"].replace(" of me", "").replace(" me", "").replace("to my ", "to the ")
            so = step["word"] in said or step["word"] in step["text"]
            tally.hold("steps: text says the claim", so, f"{asked['instruction_id']}: {step['text']!r}")
        known = any(
            rule(walk, asked, step, tally)
            for rule in (check_plain_step, check_view_step, check_own_walk_step, check_change_step)
        )
        if not known and kind != "route":
            tally.hold("steps: of a known claim", False, f"{asked['instruction_id']}: {step['claim']}")


def main() -> int:
    """Check a data set and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, nargs="+", help="folders of data sets")
    parser.add_argument("--only", default="", help="sequences whose id holds this")
    parser.add_argument("--shown", type=int, default=40, help="contradictions that are printed")
    arguments = parser.parse_args()
    folders = [
        path.parent for data in arguments.data for path in sorted(data.glob("sequences/*/*/annotations.msgpack"))
    ]
    folders = [folder for folder in folders if arguments.only in folder.name]
    if not folders:
        print("no sequences there", file=sys.stderr)
        return 2
    tally = Tally()
    for folder in folders:
        check_walk(Walk(folder), tally)
    print(f"{len(folders)} sequences of {', '.join(map(str, arguments.data))}")
    print(tally.table())
    for sort, sequence_id, what in tally.contradictions[: arguments.shown]:
        print(f"{sequence_id}: {sort}: {what}")
    if len(tally.contradictions) > arguments.shown:
        print(f"and {len(tally.contradictions) - arguments.shown} more")
    return 1 if tally.contradictions else 0


if __name__ == "__main__":
    sys.exit(main())
