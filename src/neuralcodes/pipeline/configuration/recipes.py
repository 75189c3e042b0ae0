"""Recipes: the fields of a run, as keys of the configuration and as factors of a study."""

from dataclasses import fields
from typing import Annotated, Any

from pydantic import create_model

from neuralcodes.pipeline.configuration.fieldtypes import Once, Section, Some, of_field
from neuralcodes.studies.hashruns import HashRun
from neuralcodes.studies.runs import Run


def _keys(run: type[Run] | type[HashRun]) -> dict[str, tuple[Any, object]]:
    """Give the type and the default of every field but the dataset."""
    return {each.name: (of_field(each.type), each.default) for each in fields(run)[1:]}


def _factors(run: type[Run] | type[HashRun]) -> dict[str, tuple[Any, object]]:
    return {
        name: (Annotated[list[kind], Some, Once()], None) for name, (kind, _) in _keys(run).items()
    }


RUN_OF = {"Recipe": Run, "HashRecipe": HashRun, "Factors": Run, "HashFactors": HashRun}
Recipe = create_model(
    "Recipe",
    __base__=Section,
    __doc__="One way to build and train a network. Each key can also be a factor of a study.",
    **_keys(Run),
)
HashRecipe = create_model(
    "HashRecipe",
    __base__=Section,
    __doc__=(
        "One way to train a hash network on manifolds. Each key can also be a factor of a study."
    ),
    **_keys(HashRun),
)
Factors = create_model("Factors", __base__=Section, **_factors(Run))
HashFactors = create_model("HashFactors", __base__=Section, **_factors(HashRun))
