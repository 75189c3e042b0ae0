"""The whole configuration: config/config.yaml, the preset and the recipes, merged."""

from typing import Annotated

from annotated_types import Ge
from pydantic import Field

from neuralcodes.pipeline.configuration.asking import Dataset, Study
from neuralcodes.pipeline.configuration.fieldtypes import (
    Choice,
    Device,
    Folder,
    Name,
    NotEmpty,
    Once,
    RecipeName,
    Section,
    Some,
    matching,
)
from neuralcodes.pipeline.configuration.measuring import (
    Manifolds,
    Metrics,
    Perturbations,
    RandomInputs,
    Retrieval,
)
from neuralcodes.pipeline.configuration.recipes import HashRecipe, Recipe

Placed = Annotated[str, Choice("placed")]
Module = matching(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", "the name of a module, such as mine")


class Slurm(Section):
    """Where a SLURM cluster runs the jobs; null leaves the choice to the cluster."""

    account: NotEmpty | None = None
    """Account that the jobs are charged to."""
    partition: NotEmpty | None = None
    """Partition of all jobs."""
    gpu_partition: NotEmpty | None = None
    """Partition of the jobs that ask for a GPU; null for that of all jobs."""


class Data(Section):
    """Where data come from and go to."""

    mirror: NotEmpty | None = None
    """Folder tried before the official source; the environment variable NEURALCODES_DATA_MIRROR
    stands in where this is null."""
    directory: Folder = "resources/data"
    """Folder of the prepared arrays."""
    downloads: Folder = "resources/raw"
    """Folder of the files as downloaded."""


class Start(Section):
    """What decides what the rest may say."""

    preset: NotEmpty
    """A file of config/presets without its ending, or the path of a preset of your own."""
    plugins: Annotated[list[Module], Once()] = []
    """Modules of your own in the working folder, which register metrics, kinds of figure or
    perturbation, or architectures; imported in this order when the configuration is read."""


class Configuration(Start):
    """The configuration: config/config.yaml, the preset and the recipes, merged."""

    device: Device = "auto"
    """Where networks are trained and encoded; auto takes CUDA where there is one."""
    devices: dict[Placed, Device] = {}
    """Rules and measures whose networks run elsewhere than on `device`, such as
    {encode_ensemble: cpu, perturbations: cpu}."""
    jobs_per_gpu: Annotated[int, Ge(1)] = 1
    """Jobs that share a GPU of this machine; on a cluster each GPU job has its own."""
    slurm: Slurm = Field(default_factory=Slurm)
    deterministic: bool = False
    """Compute the same bits in every run on the same GPU; slower. On a CPU they are the same
    anyway."""
    results: Folder = "results"
    """Folder of everything that is computed."""
    data: Data = Field(default_factory=Data)
    seeds_per_chunk: Annotated[int, Ge(1)] = 10
    """Seeds trained together as one ensemble and one job. Seeds beyond a full chunk start a new
    one, so that more seeds never rerun those of before."""
    only: Annotated[list[str], Once()] = []
    """Studies that a run without targets draws; empty for all that are not optional."""
    metrics: Metrics = Field(default_factory=Metrics)
    random_inputs: RandomInputs = Field(default_factory=RandomInputs)
    region_examples: Annotated[int, Ge(2)] = 2000
    """Examples of each split whose linear region is measured."""
    perturbations: Perturbations = Field(default_factory=Perturbations)
    manifolds: Manifolds = Field(default_factory=Manifolds)
    retrieval: Retrieval = Field(default_factory=Retrieval)
    datasets: Annotated[dict[Name, Dataset], Some]
    """Data by the name that studies use."""
    recipes: dict[RecipeName, Recipe]
    """How networks are built and trained, by name."""
    hash_recipes: dict[RecipeName, HashRecipe]
    """How hash networks are built and trained on manifolds, by name."""
    studies: Annotated[dict[Name, Study], Some]
    """Studies by name."""
