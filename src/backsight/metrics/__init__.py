"""The metrics of the task, one file each; numpy only."""
