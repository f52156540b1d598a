"""Resident memory of one worker over many sequences: does it grow?

Collects sequences in this process exactly as a worker does and notes the memory after each. The slope is fitted over
the second half, when caches are full.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import psutil

from backsight.collect.config import CollectConfig
from backsight.collect.plan import make_plan
from backsight.collect.simulators import configured_simulator
from backsight.collect.work import CollectWork

MIB = 1024**2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sequences", type=int, default=200)
    parser.add_argument("--size", default="96x64")
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--kinds", nargs="*", default=[], help="all of them unless given")
    arguments = parser.parse_args()
    process = psutil.Process()
    with tempfile.TemporaryDirectory() as folder:
        config = CollectConfig(
            out=Path(folder),
            num_sequences=arguments.sequences,
            size=arguments.size,
            min_frames=arguments.frames,
            mean_frames=arguments.frames,
            max_frames=arguments.frames,
            sequences_per_place=4,
            kinds=tuple(arguments.kinds),
        )
        work = CollectWork(config, configured_simulator)
        resident: list[float] = []
        accepted = 0
        for plan in make_plan(config):
            accepted += work(plan).accepted
            resident.append(process.memory_info().rss / MIB)
            if len(resident) % 20 == 0:
                print(f"{len(resident):4d} sequences  {resident[-1]:7.0f} MiB", flush=True)
    late = np.array(resident[len(resident) // 2 :])
    slope = np.polyfit(np.arange(len(late)), late, 1)[0] * 100
    print(f"{accepted} of {len(resident)} accepted; highest {max(resident):.0f} MiB")
    print(f"slope over the second half: {slope:+.1f} MiB per 100 sequences")


if __name__ == "__main__":
    main()
