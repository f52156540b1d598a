"""Collect, validate, train, evaluate and report in one go; see configs/demo.yaml and configs/firstlight.yaml."""

import sys

from backsight.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["chain", *sys.argv[1:]]))
