"""Validate a data set: `--data_dir FOLDER`, data/collected by default, and every option of `backsight validate`."""

import sys

from backsight.cli.main import main

if __name__ == "__main__":
    arguments = sys.argv[1:]
    folder = "data/collected"
    if "--data_dir" in arguments[:-1]:
        at = arguments.index("--data_dir")
        folder = arguments[at + 1]
        del arguments[at : at + 2]
    sys.exit(main(["validate", folder, *arguments]))
