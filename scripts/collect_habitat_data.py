"""Collect a data set: `--num_sequences N --parallel_workers N` and every option of `backsight collect`."""

import sys

from backsight.cli.main import main

NAMES = {"--num_sequences": "--num-sequences", "--parallel_workers": "--workers"}


def renamed(argument: str) -> str:
    """Return an argument with the option's name as `backsight collect` has it; '--name=value' is one argument."""
    name, equals, value = argument.partition("=")
    return NAMES.get(name, name) + equals + value


if __name__ == "__main__":
    sys.exit(main(["collect", *map(renamed, sys.argv[1:])]))
