"""Entry point `backsight`: finds the command, maps errors to one message and an exit status."""

import difflib
import importlib
import logging
import os
import sys
from collections.abc import Sequence

from rich.console import Console

from backsight import __version__
from backsight.records.errors import BacksightError

COMMANDS: dict[str, str] = {
    "collect": "collect walks with depth, poses, instances and instructions in a simulator",
    "stats": "count what a data set holds; a page with pictures, a card",
    "order": "ask a serving collector for further sequences of a data set",
    "validate": "check a data set from disk: hashes, geometry, motion, annotations",
    "scenes": "draw a contact sheet of scenes and count what they hold",
    "model": "print parameters, memory and arithmetic of a preset",
    "train": "train the model on a data set",
    "predict": "write heatmaps for a data set's split or a recorded RGB-D walk",
    "score": "turn written predictions into a table",
    "evaluate": "predict, score against the baselines and write the report",
    "ablate": "train and evaluate with one part or loss left out at a time",
    "doctor": "say what this machine has, and whether a Habitat works on it",
    "chain": "all of it in one go, as a YAML file describes",
}
"""Command name to what it does; each is a module of `backsight.cli` with a `run(arguments)`."""

EXIT_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status: 0 done, 1 failed, 2 usage, 3 data, 4 environment, 130 interrupted."""
    os.environ.setdefault("PYDANTIC_ERRORS_INCLUDE_URL", "0")
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    logging.basicConfig(level=logging.INFO if debug else logging.WARNING, format="%(levelname)s %(message)s")
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if not arguments or arguments[0] in ("-h", "--help"):
        Console(highlight=False).print(_help())
        return 0 if arguments else 2
    if arguments[0] == "--version":
        sys.stdout.write(f"backsight {__version__}\n")
        return 0
    command, *rest = arguments
    if command not in COMMANDS:
        nearest = difflib.get_close_matches(command, COMMANDS, n=1)
        hint = f"did you mean '{nearest[0]}'?" if nearest else "see backsight --help"
        console.print(f"[bold red]error[/] unknown command '{command}'; {hint}", markup=True)
        return 2
    try:
        module = importlib.import_module(f"backsight.cli.{command}")
        return int(module.run(rest))
    except BacksightError as error:
        if debug:
            raise
        console.print("[bold red]error[/] ", end="")
        console.print(str(error), markup=False)
        return error.exit_status
    except KeyboardInterrupt:
        console.print("interrupted; what was finished is kept", markup=False)
        return EXIT_INTERRUPTED


def _help() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  [bold]{name:<{width}}[/]  {meaning}" for name, meaning in COMMANDS.items()]
    return "\n".join(
        [
            "[bold]backsight[/] COMMAND \\[OPTIONS]",
            "Frame-indexed heatmaps for agents that can look back.",
            "",
            *lines,
            "",
            "backsight COMMAND --help explains the options of a command; --debug shows tracebacks.",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
