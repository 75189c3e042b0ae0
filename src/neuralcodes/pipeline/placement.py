"""Where jobs run: the device and the GPU of a rule, account and partition of a cluster."""

from pathlib import Path
from typing import TYPE_CHECKING

from neuralcodes.measures import registry

if TYPE_CHECKING:
    from neuralcodes.studies.settings import Settings

RULES = ("train_ensemble", "train_hash_ensemble", "encode_ensemble", "encode_random_inputs")
_NODES = ("nvidia[0-9]*", "dxg")  # what the drivers for Linux and for its subsystem in Windows make


def placed() -> tuple[str, ...]:
    """Name what can have a device of its own: rules, and measures by their own name as well."""
    measures = [each for each in registry.all_measures() if each.device]
    names = [*RULES, *(each.rule for each in measures), *(each.name for each in measures)]
    return tuple(dict.fromkeys(names))


def job_resources(
    settings: "Settings", rule: str, local: bool, devices: Path = Path("/dev"), measure: str = ""
) -> dict[str, str | int]:
    """Give the resources that decide where the jobs of a rule run.

    Args:
        settings: the configuration.
        rule: its name.
        local: whether jobs run on this machine.
        devices: folder of the machine's devices.
        measure: what the rule measures, if it does, by which its device may be named as well.

    Returns:
        `device` as configured; `gpu`, 1 for a job that takes a GPU (a scheduler gives it one, and
        on this machine `jobs_per_gpu` such jobs run at a time), else 0; and for a job that asks a
        cluster for a GPU `slurm_partition`, if that is configured. With "auto" a job takes a GPU
        where this machine has one; of a cluster's machines nothing is known, so that no GPU is
        asked for.
    """
    device = settings.devices.get(rule) or settings.devices.get(measure, settings.device)
    takes = device.startswith("cuda") or (device == "auto" and local and _has_gpu(devices))
    resources: dict[str, str | int] = {"device": device, "gpu": int(takes)}
    if takes and settings.slurm["gpu_partition"]:
        resources["slurm_partition"] = settings.slurm["gpu_partition"]
    return resources


def cluster_resources(settings: "Settings") -> dict[str, str]:
    """Give the resources of all jobs that a SLURM cluster asks for: account and partition.

    Args:
        settings: the configuration.
    """
    asked = {f"slurm_{name}": settings.slurm[name] for name in ("account", "partition")}
    return {name: value for name, value in asked.items() if value}


def _has_gpu(devices: Path) -> bool:
    # torch would tell, but importing it takes longer than reading the whole workflow
    return any(True for pattern in _NODES for _ in devices.glob(pattern))
