"""Collect a data set: `--num_sequences N --parallel_workers N` and every option of `backsight collect`."""

import sys

from backsight.cli.main import main

NAMES = {"--num_sequences": "--num-sequences", "--parallel_workers": "--workers"}

if __name__ == "__main__":
    sys.exit(main(["collect", *(NAMES.get(argument, argument) for argument in sys.argv[1:])]))
