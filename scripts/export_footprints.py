"""Export a checkpoint's footprint path with torch.export: images in, footprints of the last one out."""

import sys
from dataclasses import dataclass
from pathlib import Path

import tyro
from rich.console import Console

from backsight.model.backsight import Backsight
from backsight.model.export import export_footprints, save_program
from backsight.records.errors import BacksightError


@dataclass
class Arguments:
    """What to export."""

    checkpoint: Path
    """Folder that `Backsight.save_pretrained` wrote."""
    out: Path = Path("out/footprints.pt2")
    """File to write."""
    frames: int = 8
    """Frames of each walk, the current view included; the program takes exactly so many."""


def main() -> int:
    """Export what the arguments ask for and return the exit status."""
    arguments = tyro.cli(Arguments, description=__doc__)
    try:
        model = Backsight.from_pretrained(arguments.checkpoint)
        save_program(export_footprints(model, arguments.frames), arguments.out)
    except BacksightError as error:
        Console(stderr=True).print(str(error), markup=False)
        return error.exit_status
    Console(highlight=False).print(f"program: {arguments.out}", markup=False, soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
