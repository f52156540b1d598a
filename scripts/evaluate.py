"""Evaluate a checkpoint: `--model_path FOLDER_OR_FILE` and every option of `backsight evaluate`."""

import sys

from backsight.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["evaluate", *("--checkpoint" if a == "--model_path" else a for a in sys.argv[1:])]))
