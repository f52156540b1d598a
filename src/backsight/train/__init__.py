"""The training loop: one step, its schedule, checkpoints, calibration."""
