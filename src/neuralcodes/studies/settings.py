"""The settings of a workflow: a valid configuration, typed and frozen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neuralcodes.studies import levels
from neuralcodes.studies.expansion import Study
from neuralcodes.studies.hashruns import HashRun
from neuralcodes.studies.runs import Run

if TYPE_CHECKING:
    from neuralcodes.datasets.prepared import DatasetSpec


@dataclass(frozen=True)
class Settings:
    """A valid configuration.

    Attributes:
        preset: name of the preset.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        devices: rule -> its device, where it is another.
        jobs_per_gpu: jobs that share a GPU of this machine.
        deterministic: whether the same GPU is to compute the same bits in every run.
        slurm: account, partition and gpu_partition of a cluster; None leaves it the choice.
        plugins: the user's own modules.
        results: folder of everything computed.
        data_directory: folder of the prepared arrays.
        downloads: folder of the files as downloaded.
        mirror: folder tried before the official sources, or None.
        metrics: settings of the measures on codes.
        accuracy_levels: perturbations whose accuracy is measured.
        code_levels: perturbations whose codes are measured.
        tests: perturbation -> variants in which tests of its accuracy are printed.
        random_examples: random inputs per range and seed.
        region_examples: examples per split whose region is measured.
        manifolds: what hash networks are evaluated on.
        retrieval: what the measure retrieval searches.
        datasets: by name, but those that are generated.
        labels: how figures name each dataset.
        studies: by name.
        selected: names of the studies that a run without targets draws.
        runs: by id.
        checkpoints: run id -> checkpoints to keep, in order.
    """

    preset: str
    device: str
    devices: Mapping[str, str]
    jobs_per_gpu: int
    deterministic: bool
    slurm: Mapping[str, str | None]
    plugins: tuple[str, ...]
    results: str
    data_directory: str
    downloads: str
    mirror: str | None
    metrics: Mapping[str, Any]
    accuracy_levels: levels.AccuracyLevels
    code_levels: levels.CodeLevels
    tests: Mapping[str, tuple[str, ...]]
    random_examples: int
    region_examples: int
    manifolds: Mapping[str, Any]
    retrieval: Mapping[str, Any]
    datasets: Mapping[str, "DatasetSpec"]
    labels: Mapping[str, str]
    studies: Mapping[str, Study]
    selected: tuple[str, ...]
    runs: Mapping[str, Run | HashRun]
    checkpoints: Mapping[str, tuple[str, ...]]
