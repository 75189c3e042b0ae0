"""What is asked: datasets, studies and their figures."""

from typing import Annotated, Any, Literal

from annotated_types import Ge, Le
from pydantic import Field

from neuralcodes.pipeline.configuration.fieldtypes import (
    Choice,
    Kind,
    NotEmpty,
    Once,
    Said,
    Section,
    Some,
    matching,
)
from neuralcodes.studies.expansion import MOST_SEEDS

Share = Annotated[float, Ge(0), Le(1)]
Seeds = Annotated[
    Annotated[int, Ge(1), Le(MOST_SEEDS)]
    | Annotated[
        list[
            Annotated[
                Annotated[int, Ge(0)] | matching(r"[0-9]{1,15}-[0-9]{1,15}", "a range"),
                Said("a seed, at least 0, or a range such as 0-9"),
            ]
        ],
        Some,
    ],
    Said(f"a number of repeats from 1 to {MOST_SEEDS}, or a list of seeds and ranges"),
]
Checkpoint = Annotated[
    Annotated[int, Ge(0)] | matching(r"final|accuracy(100|[1-9][0-9]?)", "a checkpoint"),
    Said("an epoch, at least 0, accuracy1 to accuracy100, or final"),
]
Metric = matching(
    "[a-z][a-z0-9_]*",
    "a metric of the study's measure, such as knn_accuracy, variance_ratio or one_shot_accuracy_20",
)


class Dataset(Section):
    """One set of data."""

    source: Annotated[str, Choice("sources")]
    """Kind of source; generated is for families of manifolds that need no data."""
    path: NotEmpty | None = None
    """Folder, archive or file of image_folder and npz, here or in the mirror."""
    label: str | None = None
    """Name in figures; null for the dataset's own."""


class Published(Section):
    """Published values to draw over ours and to compare with."""

    figure: Annotated[str, Choice("published figures")]
    """Figure of the paper."""
    dataset: Literal["mnist", "cifar10"]
    """Dataset of the paper."""


class Regimes(Section):
    """Thresholds of the phase chart's regimes."""

    under_expressive_redundancy: Share = 0.5
    """Under-expressive where the test redundancy is at least this."""
    sufficient_redundancy: Share = 0.01
    """Sufficiently expressive where the test redundancy is at most this ..."""
    sufficient_accuracy_margin: Share = 0.02
    """... and K-NN accuracy within this of the best on the chart."""


class Figure(Section):
    """What the study's figure shows."""

    kind: Annotated[str, Choice("figures")]
    """Kind of figure."""
    kinds: Annotated[list[Kind], Some, Once()] | None = None
    """Perturbations to draw, in this order; null for those of the kind of figure."""
    metrics: Annotated[list[Metric], Some, Once()] | None = None
    """Metrics to draw, a panel each; null for those of the kind of figure."""
    x: str | None = None
    """Factor (or epoch) on the horizontal axis."""
    line: str | None = None
    """Factor with a line per value."""
    variant: str | None = None
    """Factor with a line style per value."""
    scale: Literal["linear", "log", None] = None
    """Of the horizontal axis; null for the factor's usual one."""
    where: dict[str, Any] = {}
    """Factors to hold at one value, of a study that varies more than it draws."""
    published: Published | None = None
    regimes: Regimes = Field(default_factory=Regimes)


class Study(Section):
    """One question of a paper, asked of one dataset; it makes one figure."""

    paper: Annotated[str, Choice("papers")] = "he2021"
    """Paper that asks the question."""
    title: str = ""
    """Title of the figure; where it is empty, the study's name, data and seeds."""
    dataset: str
    """A key of datasets."""
    recipe: str
    """A key of recipes or of hash_recipes."""
    set: dict[str, Any] = {}
    """Recipe keys that this study holds at another value."""
    factors: Annotated[dict[str, Annotated[list[Any], Some, Once()]], Some]
    """Recipe keys (or "recipe" for whole recipes) to vary, each with its values."""
    design: Literal["grid", "one_at_a_time"] = "grid"
    """grid crosses all factors; one_at_a_time varies each from the base point."""
    seeds: Seeds
    """Number of repeats; or a list of numbers and ranges such as [0-9, 10-14], each entry one
    ensemble."""
    checkpoints: Annotated[list[Checkpoint], Some, Once()] = ["final"]
    """What to keep, encode and measure: epochs (0 is before training), accuracy90 for the first
    epoch that ends with 90 percent of the training examples right, final for the end."""
    measures: Annotated[list[Annotated[str, Choice("measures")]], Some, Once()] = ["codes"]
    """What to measure of each checkpoint; manifolds, locality and embedding of hash networks only,
    retrieval of all, the others of all but hash networks."""
    significance: bool = False
    """Paired t-tests of the measure perturbations at the published levels, as tables in CSV,
    Markdown and LaTeX."""
    optional: bool = False
    """Drawn only when it is named in `only` or its files are asked for."""
    figure: Figure
