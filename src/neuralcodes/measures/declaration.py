"""What declares a measure once: what it needs, what a job of it does, what its rows hold."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from neuralcodes.metrics.declaration import Quantity
from neuralcodes.storage.rows import COLUMNS, Row
from neuralcodes.studies import hashruns, runs
from neuralcodes.studies.hashruns import HashRun
from neuralcodes.studies.runs import Run

if TYPE_CHECKING:
    import torch

    from neuralcodes.studies.settings import Settings

Need = Literal["data", "model", "history", "codes", "random_codes"]


@dataclass(frozen=True, kw_only=True)
class Job:
    """One checkpoint of one ensemble, to be measured.

    Attributes:
        run: the run.
        seeds: of the ensemble, in order.
        epoch: the checkpoint.
        settings: the part of the configuration that the measure takes.
        device: where to compute; None where the measure uses none.
        data: folder of the prepared dataset; None for generated manifolds, or if not needed.
        model, history: files that training wrote; None if not needed.
        codes, random_codes: folders of codes; None if not needed.
    """

    run: Run | HashRun
    seeds: Sequence[int]
    epoch: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    device: "torch.device | None" = None
    data: Path | None = None
    model: Path | None = None
    history: Path | None = None
    codes: Path | None = None
    random_codes: Path | None = None

    @property
    def manifest(self) -> list[str]:
        """The file dataset.json of the data; nothing where there is none."""
        return [str(self.data / "dataset.json")] if self.data else []

    @classmethod
    def of(
        cls,
        measure: "Measure",
        wildcards: Mapping[str, str],
        inputs: Mapping[str, Any],
        params: Mapping[str, Any],
        device: "torch.device | None",
    ) -> "Job":
        """Read what Snakemake says of a job.

        Args:
            measure: what the job measures.
            wildcards: first, last and epoch.
            inputs: need -> path, or a list of it or of nothing; of data the file dataset.json.
            params: run, as a mapping, and settings.
            device: where to compute.
        """
        # what a function names for Snakemake may be a list: generated manifolds have no data
        files = {name: [each] if isinstance(each, str) else each for name, each in inputs.items()}
        given = {name: Path(*paths) for name, paths in files.items() if paths}
        if "data" in given:
            given["data"] = given["data"].parent
        kind = hashruns if measure.of == "hash_run" else runs
        return cls(
            run=kind.from_mapping(params["run"]),
            seeds=range(int(wildcards["first"]), int(wildcards["last"]) + 1),
            epoch=wildcards["epoch"],
            settings=params["settings"],
            device=device,
            **given,
        )


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A measure of the checkpoints of runs.

    Attributes:
        name: as studies ask for it.
        rule: name of its rule; "" for measure_{name}.
        of: whose checkpoints: "run", networks that classify, or "hash_run", hash networks.
        needs: the files that a job reads.
        rows: what a job measures; tuples with a value for each of `columns`. A function of the
            module that declares the measure, whose code counts in the rule's fingerprint.
        columns: of its files.
        metrics: what stands in the column metric: names of metrics declared elsewhere, and its own.
        settings: the part of the configuration that its jobs take; what it gives makes jobs rerun.
        whole: whether it is of a whole training, so that it is made once, whatever the checkpoints.
        device: whether it computes on the device of the networks.
        threads, memory, minutes: what a job asks for; memory in MB, both more when tried again.
    """

    name: str
    rows: Callable[[Job], Iterable[Row]] = field(repr=False)
    metrics: tuple[str | Quantity, ...]
    needs: tuple[Need, ...]
    memory: int
    minutes: int
    of: Literal["run", "hash_run"] = "run"
    rule: str = ""
    columns: tuple[str, ...] = COLUMNS
    settings: "Callable[[Settings], Mapping[str, Any]]" = field(repr=False, default=lambda _: {})
    whole: bool = False
    device: bool = False
    threads: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "rule", self.rule or f"measure_{self.name}")

    @property
    def ending(self) -> str:
        """What follows the checkpoint in the name of its files."""
        return ".csv" if self.name == "codes" else f".{self.name}.csv"

    @property
    def module(self) -> str:
        """The module that declares it."""
        return self.rows.__module__
