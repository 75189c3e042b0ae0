"""What is measured: metrics on codes, random inputs, perturbations, manifolds, retrieval."""

from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, MaxLen, MinLen
from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from neuralcodes.perturbation.kinds import SPREAD
from neuralcodes.pipeline.configuration import names
from neuralcodes.pipeline.configuration.fieldtypes import Choice, Kind, Once, Said, Section, Some

Range = Annotated[list[float], MinLen(3), MaxLen(3), Said("[from, to, points]")]
Level = Annotated[
    float | Annotated[dict[Literal["linear", "log"], Range], MinLen(1), MaxLen(1)],
    Said("a level, or {linear: [from, to, points]}, or {log: [from, to, points]}"),
]
Levels = Annotated[
    list[Level],
    Some,
    Said(
        "a list of levels and of ranges {linear: [from, to, points]} or {log: [from, to, points]}"
    ),
]
LevelsByKind = dict[Annotated[str, Choice("perturbations with levels")], Levels]


class Declared:
    """Levels by kind: those that a kind declares, where the configuration leaves it out."""

    def __init__(self, setting: str) -> None:
        self.setting = setting

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Fill in what is left out, behind what is given: rows of metric files keep that order."""

        def filled(given: dict[str, Any]) -> dict[str, Any]:
            declared = names.levels(self.setting)
            return given | {name: declared[name] for name in declared if name not in given}

        return core_schema.no_info_after_validator_function(filled, handler(source))

    def __get_pydantic_json_schema__(
        self, core: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe the kinds that there are."""
        found = handler(core)
        kinds = {
            name: {
                **found["additionalProperties"],
                "description": f"{names.axis(name)}.",
                "default": levels,
            }
            for name, levels in names.levels(self.setting).items()
        }
        return {**found, "properties": kinds}


class Metrics(Section):
    """How codes are measured."""

    names: Annotated[list[Annotated[str, Choice("metrics")]], Some, Once()] = Field(
        default_factory=lambda: names.of("metrics")
    )
    """Measures to compute on codes."""
    knn_k: Annotated[int, Ge(1)] = 9
    """Neighbours that vote (he2021, released code; 9)."""
    kmeans_clusters: Annotated[int | None, Ge(1)] = None
    """Clusters; null for as many as classes (he2021; 10 for 10 classes)."""
    kmeans_restarts: Annotated[int, Ge(1)] = 10
    """k-means++ starts of which the best is kept (he2021; 10)."""
    seed: Annotated[int, Ge(0)] = 9
    """Random state of K-Means and of the examples of redundancy_ratio_equal_n (he2021; 9)."""


class RandomInputs(Section):
    """Random inputs whose codes the random_inputs measure takes."""

    examples: Annotated[int, Ge(2)] = 10000
    """Random inputs per range and seed."""


class Perturbations(Section):
    """What the perturbations and perturbed_codes measures do to trained networks."""

    kinds: Annotated[list[Kind], Some, Once()] = Field(
        default_factory=lambda: names.of("perturbations")
    )
    """Perturbations whose accuracy is measured; scale_per_unit takes the levels of scale,
    clip_activation those of clip."""
    levels: Annotated[LevelsByKind, Declared("levels")] = Field(
        default_factory=lambda: names.levels("levels")
    )
    """Levels by kind; the defaults are the published grids (oursland2024)."""
    spread: Annotated[float, Ge(1)] = SPREAD
    """Largest factor of scale_per_unit, which draws each unit's from p / it to p x it."""
    equal_changes: Annotated[list[Annotated[float, Gt(0)]], Once()] = [
        *(0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.85, 1, 1.4, 2)
    ]
    """Root-mean-square changes of the hidden vector, over its root mean square, at which all kinds
    are compared."""
    code_levels: Annotated[LevelsByKind, Declared("code_levels")] = Field(
        default_factory=lambda: names.levels("code_levels")
    )
    """Levels at which neural codes are measured, by kind."""


class Manifolds(Section):
    """What the measures manifolds, locality and embedding evaluate hash networks on."""

    unseen: Annotated[int, Ge(4)] = 1000
    """Manifolds that no training has seen, of each split; fewer where there are fewer images."""
    points: Annotated[int, Ge(2)] = 20
    """Points of each of them."""
    seen: Annotated[int, Ge(2)] = 300
    """Training manifolds that are measured at new points."""
    centre_points: Annotated[int, Ge(2)] = 5000
    """Training points whose mean and medians centre representations and binarise codes."""
    ways: Annotated[list[Annotated[int, Ge(2)]], Some, Once()] = [20, 100]
    """Manifolds to choose from in a one-shot episode; more than there are is left out."""
    episodes: Annotated[int, Ge(1)] = 200
    """One-shot episodes of each way."""
    pairs: Annotated[int, Ge(10)] = 20000
    """Random pairs of points of the same and of different manifolds."""
    angles: Annotated[list[Annotated[float, Ge(0), Le(180)]], MinLen(2), Once()] = [
        *(0, 5, 10, 15, 20, 30, 45, 60, 75, 90, 120, 150, 180)
    ]
    """Angles between manifold identifiers at which locality is measured, in degrees."""
    planes: Annotated[int, Ge(1)] = 512
    """Random hyperplanes behind a collision probability."""
    shown: Annotated[int, Ge(2), Le(10)] = 10
    """Unseen manifolds whose embedding is kept."""


class Retrieval(Section):
    """What the measure retrieval searches."""

    manifolds: Annotated[int, Ge(10)] = 10000
    """Unseen manifolds of which one point each is searched; fewer where there are fewer images."""
    queries: Annotated[int, Ge(1)] = 2000
    """Queries at most."""
