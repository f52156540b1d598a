"""Where a collection runs: on this machine, or as jobs of a scheduler."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class EngineConfig(BaseModel):
    """Where a collection runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: Literal["local", "slurm", "ray"] = "local"
    """This machine; or Slurm's or Ray's, one job for each part of the plan. All machines must see the folder --out."""
    parts: int = Field(default=1, ge=1, le=100_000)
    """Jobs of slurm and ray; each has --workers processes."""
    job_minutes: int = Field(default=1440, ge=1)
    """Time limit of a job of slurm; what is missing then is collected by the same command again."""
    job_memory_gb: float = Field(default=16.0, gt=0.0)
    """Memory of a job."""
    slurm_partition: str | None = None
    """Partition of Slurm; its default unless given."""
    slurm_account: str | None = None
    """Account of Slurm; its default unless given."""
    slurm_cluster: Literal["slurm", "local"] = "slurm"
    """'local' runs the jobs as processes of this machine, to try things out."""
    ray_address: str | None = None
    """Of a Ray cluster, such as auto; without one Ray starts on this machine."""
